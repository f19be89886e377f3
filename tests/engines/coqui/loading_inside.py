"""Loads models inside a worker's process and looks at their weights; run by the engine's interpreter.

loading_inside.py ANSWER MODEL... writes what it found of each as JSON. loading_inside.py prepare prints a
line between what oneDNN says while the engine prepares itself, and while a model speaks its first window.
"""

from __future__ import annotations

import gc
import json
import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent.parent))

import numpy as np
import torch

from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.models import CPU
from alltalk_plugin.engines.coqui import engine
from alltalk_plugin.engines.coqui.acoustic import AcousticEngine
from alltalk_plugin.engines.coqui.decoding import WindowedDecoder

TEXT = "This is a short test of the voice."
MARK = "prepared"


class Never:
    cancelled = False


def loaded(folder: Path) -> AcousticEngine:
    made = engine.create(LoadRequest(model="m", path=folder, device=CPU))
    assert isinstance(made, AcousticEngine)
    return made


def mapped(file: Path) -> list[range]:
    """Where a file's bytes lie in memory."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    edges = [re.match(r"(\w+)-(\w+)", line) for line in lines if line.endswith(str(file))]
    return [range(int(edge[1], 16), int(edge[2], 16)) for edge in edges if edge]


def speech(made: AcousticEngine) -> np.ndarray:
    chunks = [chunk.samples for chunk in made.synthesize(SynthesisRequest(text=TEXT), Never())]
    return np.concatenate(chunks)


def weights_of(made: AcousticEngine) -> list[torch.Tensor]:
    assert made._model is not None
    return list(made._model.parameters())


def look(folder: Path, scratch: Path) -> dict[str, object]:
    file = next(folder.glob("model*.pth"))
    made = loaded(folder)
    places = mapped(file)
    in_file = [any(weights.data_ptr() in place for place in places) for weights in weights_of(made)]
    samples = speech(made)
    made.close()
    del made
    gc.collect()
    found = {
        "weights": len(in_file),
        "of the file": sum(in_file),
        "mapped afterwards": bool(mapped(file)),
        "speaks": float(samples.std()),
    }
    return found | halved(folder, scratch / f"halves of {folder.name}")


def halved(folder: Path, copy: Path) -> dict[str, object]:
    """The same model from a file that holds halves."""
    shutil.copytree(folder, copy)
    file = next(copy.glob("model*.pth"))
    state = torch.load(file, weights_only=True)
    state["model"] = {
        name: weights.half() if weights.is_floating_point() else weights
        for name, weights in state["model"].items()
    }
    torch.save(state, file)
    made = loaded(copy)
    kinds = sorted({str(weights.dtype) for weights in weights_of(made)})
    return {"kinds from halves": kinds, "speaks from halves": float(speech(made).std())}


def prepare() -> None:
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models import setup_model

    engine.prepare()
    print(MARK, flush=True)
    model = setup_model(VitsConfig())
    decoder = WindowedDecoder(model.eval())
    decoder(torch.randn(1, model.args.hidden_channels, 200))
    print(len(next(decoder.sound())))


if sys.argv[1] == "prepare":
    prepare()
else:
    answer, *folders = map(Path, sys.argv[1:])
    answer.write_text(json.dumps({folder.name: look(folder, answer.parent) for folder in folders}))
