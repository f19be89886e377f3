"""Starts an engine's own HTTP server: served.py FOLDER_WITH_FLASK MODULE ARGUMENT…

Coqui's is imported behind the same shims as our engine, since it cannot be imported without them either.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> None:
    flask, module, *arguments = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    sys.path.append(flask)
    if module.startswith("TTS"):
        from alltalk_plugin.engines.coqui import shims

        shims.install()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
