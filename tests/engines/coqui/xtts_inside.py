"""Looks at XTTS from inside its worker: run by the engine's interpreter, prints what it found as JSON.

xtts_inside.py MODEL ALONE RECORDING FOLDER…

MODEL and ALONE are models (with and without speakers), each FOLDER is one that cannot be loaded.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent.parent))

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import Device, OptionValue
from alltalk_plugin.engines.coqui import engine
from alltalk_plugin.engines.coqui.xtts import XttsEngine
from alltalk_plugin.engines.coqui.xtts_stream import XttsVoice, _Vocoder

if TYPE_CHECKING:  # it cannot be imported before the engine has mended it
    from TTS.tts.models.xtts import Xtts

QUICK: dict[str, OptionValue] = {"threads": 1, "top_k": 1, "stream_chunk_size": 6}
TEXT = "This is a short test of the voice."


class Never:
    cancelled = False


def load(path: Path, *, device: str = "cpu", **options: OptionValue) -> XttsEngine:
    request = LoadRequest(model="inside", path=path, device=Device(device), options={**QUICK, **options})
    loaded = engine.create(request)
    assert isinstance(loaded, XttsEngine)
    return loaded


def refused(path: Path, *, device: str = "cpu", **options: OptionValue) -> Mapping[str, object]:
    """How a load fails."""
    try:
        load(path, device=device, **options)
    except AlltalkError as error:
        return {"code": error.code, "message": error.message, "hint": error.hint, "context": error.context}
    return {"code": "it was loaded"}


def refusals(model: Path, without: Path, folders: list[Path]) -> Mapping[str, object]:
    found: dict[str, object] = {folder.name: refused(folder) for folder in folders}
    found["lacking"] = refused(lacking(without))
    found["half"] = refused(model, half=True)
    found["device"] = refused(model, device="cuda:7")
    found["temperature"] = refused(model, temperature=9.0)
    found["speaker"] = refused(model, speaker="Ada Frist")
    return found


def lacking(good: Path) -> Path:
    """A model without one of its weights."""
    folder = good.with_name("lacking")
    folder.mkdir()
    for name in ("config.json", "vocab.json"):
        shutil.copy(good / name, folder)
    weights = load_file(good / "model.safetensors")
    del weights["gpt.mel_head.weight"]
    save_file(weights, folder / "model.safetensors")
    return folder


def pieces(loaded: XttsEngine, latents: torch.Tensor, *, size: int, rate: float) -> list[np.ndarray]:
    """The sound of latents that come one by one."""
    vocoder = _Vocoder(model_of(loaded), voice(loaded), stretch=1.0 / rate)
    made: list[np.ndarray] = []
    for count, latent in enumerate(latents, 1):
        vocoder.take(latent[None])
        if count % size == 0:
            made.extend(vocoder.sound())
    return [*made, *vocoder.sound(last=True)]


def model_of(loaded: XttsEngine) -> Xtts:
    assert loaded._model is not None
    return loaded._model


def voice(loaded: XttsEngine) -> XttsVoice:
    assert loaded._voices is not None
    return loaded._voices.of(SynthesisRequest(text=TEXT))


def streaming(loaded: XttsEngine) -> Mapping[str, object]:
    """How far the pieces are from one whole decode, by the library's own decoder."""
    torch.manual_seed(1)
    latents = torch.randn(15, 64)
    found: dict[str, object] = {}
    for rate, size in ((1.0, 5), (1.0, 7), (0.5, 4), (1.7, 6)):
        made = pieces(loaded, latents, size=size, rate=rate)
        with torch.inference_mode():
            stretched = latents[None]
            if rate != 1.0:
                stretched = torch.nn.functional.interpolate(
                    stretched.transpose(1, 2), scale_factor=1.0 / rate, mode="linear"
                ).transpose(1, 2)
            whole = model_of(loaded).hifigan_decoder(stretched, g=voice(loaded).embedding)[0, 0].numpy()
        joined = np.concatenate(made)
        found[f"{rate} {size}"] = {
            "pieces": len(made),
            "lengths": [len(joined), len(whole)],
            "difference": float(np.abs(joined - whole[: len(joined)]).max()),
            "loudest": float(np.abs(whole).max()),
        }
    return found


def beside_the_library(loaded: XttsEngine, recording: Path) -> Mapping[str, object]:
    """The same words and the same recording by the library's own functions."""
    model, own = model_of(loaded), voice(loaded)
    stream = model.inference_stream(
        TEXT, "en", own.gpt, own.embedding, stream_chunk_size=6, top_k=1, temperature=0.75, top_p=0.85
    )
    theirs = np.concatenate([chunk.numpy() for chunk in stream])
    ours = np.concatenate(
        [chunk.samples for chunk in loaded.synthesize(SynthesisRequest(text=TEXT), Never())]
    )
    gpt, embedding = model.get_conditioning_latents(
        [str(recording)] * 2,
        max_ref_length=model.config.max_ref_len,
        gpt_cond_len=model.config.gpt_cond_len,
        gpt_cond_chunk_len=model.config.gpt_cond_chunk_len,
    )
    assert loaded._voices is not None
    cloned = loaded._voices.of(SynthesisRequest(text=TEXT, reference_audio=(recording, recording)))
    return {
        "lengths": [len(ours), len(theirs)],
        "likeness": float(np.corrcoef(ours, theirs)[0, 1]),
        "gpt": float((gpt - cloned.gpt).abs().max()),
        "embedding": float((embedding - cloned.embedding).abs().max()),
    }


def alone(folder: Path, recording: Path) -> Mapping[str, object]:
    """A model without speakers: refuses, until there is a recording beside it."""
    try:
        list(load(folder).synthesize(SynthesisRequest(text=TEXT), Never()))
    except AlltalkError as error:
        refusal = {"code": error.code, "hint": error.hint}
    (folder / "reference.wav").write_bytes(recording.read_bytes())
    spoken = [chunk.samples for chunk in load(folder).synthesize(SynthesisRequest(text=TEXT), Never())]
    return {"refusal": refusal, "spread": float(np.concatenate(spoken).std())}


def main(model: Path, without: Path, recording: Path, folders: list[Path]) -> None:
    loaded = load(model)
    found = {
        "streaming": streaming(loaded),
        "shortest": sum(len(piece) for piece in pieces(loaded, torch.randn(2, 64), size=4, rate=4.0)),
        "library": beside_the_library(loaded, recording),
        "refusals": refusals(model, without, folders),
        "alone": alone(without, recording),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    first, second, third, *others = map(Path, sys.argv[1:])
    main(first, second, third, others)
