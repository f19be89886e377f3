"""The other side of the comparisons: Coqui's library and our engine in one process, without workers.

Run by the interpreter of Coqui's environment. One JSON order a line comes on stdin, one answer a line goes
to stdout; times are milliseconds. With orders as arguments instead, it carries them out and ends.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # what the libraries print goes to stderr
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from alltalk_plugin.engines.coqui import shims  # noqa: E402  # needs sys.path as set

shims.install()  # without them the library cannot be imported here

import torch  # noqa: E402  # cannot be imported before the line above
from TTS.api import TTS  # noqa: E402  # as above

from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest  # noqa: E402  # needs sys.path as set
from alltalk_plugin.domain.language import LanguageTag  # noqa: E402  # as above
from alltalk_plugin.domain.models import CPU  # noqa: E402  # as above

Answer = dict[str, float]
held: dict[str, Any] = {}


class Never:
    cancelled = False


def switch(order: Mapping[str, str]) -> Answer:
    """Let the last model go, load another with the library's own class and say one sentence."""
    held.pop("library", None)
    gc.collect()
    began = time.perf_counter()
    held["library"] = library(Path(order["path"]))
    spoken_by_library(order["text"])
    return {"ms": since(began)}


def library(folder: Path) -> TTS:
    return TTS(
        model_path=str(folder / "model.pth"), config_path=str(folder / "config.json"), progress_bar=False
    )


def speak(order: Mapping[str, str]) -> Answer:
    """The library's synthesis of a sentence, its list of numbers and its padding included."""
    began = time.perf_counter()
    spoken_by_library(order["text"])
    return {"ms": since(began)}


def spoken_by_library(text: str) -> None:
    with torch.inference_mode():
        held["library"].synthesizer.tts(text)


def load_engine(order: Mapping[str, str]) -> Answer:
    """Our engine, as a worker has it, in this process. Imported here: the library alone has none of it."""
    from alltalk_plugin.engines.coqui import engine

    began = time.perf_counter()
    held["engine"] = engine.create(LoadRequest(model="bench", path=Path(order["path"]), device=CPU))
    return {"ms": since(began)}


def engine_speak(order: Mapping[str, str]) -> Answer:
    request = SynthesisRequest(text=order["text"], language=LanguageTag("en"), speaker=order.get("speaker"))
    began = time.perf_counter()
    first_ms, seconds = 0.0, 0.0
    for chunk in held["engine"].synthesize(request, Never()):
        first_ms = first_ms or since(began)
        seconds += chunk.duration_s
    return {"ms": since(began), "first_ms": first_ms, "audio_s": seconds}


def load_xtts(order: Mapping[str, str]) -> Answer:
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts

    began = time.perf_counter()
    config = XttsConfig()
    config.load_json(str(Path(order["path"]) / "config.json"))
    model = Xtts(config)
    model.load_checkpoint(config, checkpoint_dir=order["path"], eval=True)
    voice = model.speaker_manager.speakers[order["speaker"]]
    held["xtts"] = model, voice["gpt_cond_latent"], voice["speaker_embedding"]
    return {"ms": since(began)}


def stream_xtts(order: Mapping[str, str]) -> Answer:
    """The library's own stream; the seed makes its random weights say as much each time."""
    model, latents, embedding = held["xtts"]
    torch.manual_seed(int(order["seed"]))
    began = time.perf_counter()
    first_ms = 0.0
    with torch.inference_mode():
        stream = model.inference_stream(
            order["text"], "en", latents, embedding, stream_chunk_size=int(order["chunk"])
        )
        for _chunk in stream:
            first_ms = first_ms or since(began)
    return {"ms": since(began), "first_ms": first_ms}


def since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


ORDERS: Mapping[str, Callable[[Mapping[str, str]], Answer]] = {
    one.__name__: one for one in (switch, speak, load_engine, engine_speak, load_xtts, stream_xtts)
}


def main() -> None:
    for line in sys.argv[1:] or sys.stdin:
        order = json.loads(line)
        print(json.dumps(ORDERS[order["do"]](order)), file=ANSWERS)


if __name__ == "__main__":
    main()
