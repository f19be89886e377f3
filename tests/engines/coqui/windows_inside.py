"""Says the same sentence with windows of many sizes, and writes how far each is from one whole decode.

windows_inside.py MODEL ANSWER; run by the interpreter of the engine's environment.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent.parent))

import numpy as np

from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.models import CPU
from alltalk_plugin.engines.coqui import engine as coqui

SIZES = ((40, 240), (1, 7), (13, 11))
WHOLE = (10**6, 10**6)


class Going:
    cancelled = False


def main(model: Path, answer: Path) -> None:
    from alltalk_plugin.engines.coqui import decoding  # after the engine has mended what it imports

    engine = coqui.create(LoadRequest(model="windows", path=model, device=CPU, options={"noise_scale": 0.0}))
    request = SynthesisRequest(text="This is a test of some length, with a pause in it.")
    said = {}
    for sizes in (WHOLE, *SIZES):
        decoding.FIRST_FRAMES, decoding.FRAMES = sizes
        said[sizes] = [chunk.samples for chunk in engine.synthesize(request, Going())]
    whole = np.concatenate(said.pop(WHOLE))
    found = [
        {"pieces": len(pieces), "apart": float(np.abs(np.concatenate(pieces) - whole).max())}
        for pieces in said.values()
    ]
    answer.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
