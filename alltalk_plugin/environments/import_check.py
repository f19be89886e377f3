"""Run in an engine's environment: import the engine as its worker would, and end.

The interpreter starts it by path with the path of the worker's main and the engine's entry.
"""

import importlib
import importlib.util
import sys


def main(child: str, entry: str) -> None:
    """Raises whatever the import raises; its traceback is the report."""
    spec = importlib.util.spec_from_file_location("worker_main", child)
    if spec is None or spec.loader is None:
        raise ImportError(f"no module in {child}")
    worker_main = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(worker_main)
    worker_main.adopt_package()
    importlib.import_module("alltalk_plugin.engines.session")
    module, _, factory = entry.partition(":")
    getattr(importlib.import_module(module), factory)


if __name__ == "__main__":
    main(*sys.argv[1:])
