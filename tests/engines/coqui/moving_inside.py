"""Moves models about inside a worker's process; run by the engine's interpreter.

moving_inside.py ANSWER MODEL... writes what it found of each as JSON. There is no second device here. In its
place are memory elsewhere on the same one, another precision, and the device `meta`, which has shapes and no
numbers, so that nothing can be moved back from it.
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent.parent))

import numpy as np
import torch

from alltalk_plugin.domain.engines import LoadRequest, Movable, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import CPU, Device, OptionValue
from alltalk_plugin.engines.coqui import engine, moving
from alltalk_plugin.engines.coqui.acoustic import AcousticEngine
from alltalk_plugin.engines.coqui.xtts import XttsEngine

TEXT = "This is a short test of the voice."
BIG_BYTES = 10_000
"""Weights are bigger; a window of Griffin-Lim and a speaker of these models are smaller."""


class Never:
    cancelled = False


class Stubborn(torch.nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """A layer whose own part of a move fails the first time, after those before it have moved."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Stubborn:
        self.asked += 1
        if self.asked == 1:
            raise MemoryError
        return self


class FullAfter:
    """Copies as many tensors as there is room for."""

    def __init__(self, room: int) -> None:
        self._room = room

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        self._room -= 1
        if self._room < 0:
            raise MemoryError
        return tensor.clone()


def load(path: Path) -> AcousticEngine | XttsEngine:
    options: dict[str, OptionValue] = {"threads": 1}
    if path.name == "xtts":
        options["top_k"] = 1
    loaded = engine.create(LoadRequest(model=path.name, path=path, device=CPU, options=options))
    assert isinstance(loaded, Movable)
    assert isinstance(loaded, AcousticEngine | XttsEngine)
    return loaded


def said(loaded: AcousticEngine | XttsEngine) -> str:
    """What a sentence sounds like, in short."""
    torch.manual_seed(3)
    chunks = [chunk.samples for chunk in loaded.synthesize(SynthesisRequest(text=TEXT), Never())]
    return hashlib.sha256(np.concatenate(chunks).tobytes()).hexdigest()


def parts_of(loaded: AcousticEngine | XttsEngine) -> tuple[torch.nn.Module, ...]:
    assert loaded._model is not None
    vocoding = getattr(loaded, "_vocoding", None)
    return (loaded._model, *(() if vocoding is None else vocoding.parts))


def tensors(parts: tuple[torch.nn.Module, ...]) -> list[torch.Tensor]:
    return [one for part in parts for one in (*part.parameters(), *part.buffers())]


def places(parts: tuple[torch.nn.Module, ...]) -> list[int]:
    return [one.data_ptr() for one in tensors(parts)]


def refusal(loaded: AcousticEngine | XttsEngine, device: str) -> str:
    try:
        loaded.to_device(Device(device))
    except AlltalkError as error:
        return error.code
    return "moved"


def outcome(work: Callable[[], None]) -> str:
    try:
        work()
    except MemoryError:
        return "no room"
    return "moved"


def left_in_main_memory() -> list[str]:
    gc.collect()
    found = [one for one in gc.get_objects() if isinstance(one, torch.Tensor) and one.device.type == "cpu"]
    return [str(tuple(one.shape)) for one in found if one.nbytes > BIG_BYTES]


def report(path: Path) -> dict[str, object]:
    loaded = load(path)
    parts = parts_of(loaded)
    first = said(loaded)
    found: dict[str, object] = {"tensors": len(tensors(parts)), "again": said(loaded) == first}

    loaded.to_device(CPU)
    found["same device"] = said(loaded) == first
    found["refused"] = [refusal(loaded, name) for name in ("cuda", "cuda:3", "mps", "toaster")]
    found["after refusals"] = said(loaded) == first

    before = places(parts)
    found["full"] = outcome(lambda: moving.replace(parts, FullAfter(len(before) // 2)))
    found["nothing moved"] = places(parts) == before
    stubborn = Stubborn()
    found["stuck"] = outcome(lambda: moving.replace((*parts, stubborn), FullAfter(10**6)))
    found["all back"] = places(parts) == before and stubborn.asked == 2
    found["after failures"] = said(loaded) == first

    kept = [one.detach() for one in tensors(parts)]  # or their memory would be given out again
    moving.replace(parts, lambda tensor: tensor.clone())
    old = {one.data_ptr() for one in kept}
    found["stayed"] = sum(1 for one in tensors(parts) if one.numel() and one.data_ptr() in old)
    del kept
    found["elsewhere"] = said(loaded) == first
    if isinstance(loaded, AcousticEngine):
        loaded._half = True
        found["half on the processor"] = said(loaded) == first

    moving.replace(parts, lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)
    found["precisions"] = sorted({str(one.dtype) for one in tensors(parts) if one.is_floating_point()})

    found["held"] = len(left_in_main_memory())
    moving.move(parts, torch.device("meta"))
    found["devices"] = sorted({one.device.type for one in tensors(parts)})
    found["left"] = left_in_main_memory()
    try:
        moving.move(parts, torch.device("cpu"))
    except AlltalkError as error:
        found["back from meta"] = [error.code, error.context["device"]]
    return found


if __name__ == "__main__":
    answer, *models = map(Path, sys.argv[1:])
    answer.write_text(json.dumps({path.name: report(path) for path in models}))
