"""XTTS v2 in a worker: loads it, and speaks with it as it thinks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from TTS.tts.models.xtts import Xtts

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import ModelIncompatible, ModelNotFound, SynthesisFailed
from alltalk_plugin.domain.models import Device
from alltalk_plugin.engines.coqui import failures, files, options
from alltalk_plugin.engines.coqui.checkpoint import Checkpoint
from alltalk_plugin.engines.coqui.config import read_config
from alltalk_plugin.engines.coqui.devices import device_named, release, trim, use_threads
from alltalk_plugin.engines.coqui.moving import move
from alltalk_plugin.engines.coqui.xtts_model import lean_model
from alltalk_plugin.engines.coqui.xtts_options import Sampling, sampling_of
from alltalk_plugin.engines.coqui.xtts_stream import speak
from alltalk_plugin.engines.coqui.xtts_tokens import XttsTokens
from alltalk_plugin.engines.coqui.xtts_voices import XttsVoices

VOCABULARY = "vocab.json"


def load(request: LoadRequest, checkpoint: Checkpoint) -> XttsEngine:
    """The model of a checkpoint, ready to speak.

    Raises: ModelNotFound, ModelCorrupt, ModelIncompatible, OutOfMemory.
    """
    device = device_named(request.device)
    if request.options.get("half"):
        raise ModelIncompatible(
            "XTTS speaks in full precision only", hint="Set the model's option half to false."
        )
    use_threads(1)
    sampling = sampling_of(request.options, checkpoint.config)
    vocabulary = _vocabulary(checkpoint.folder)
    checked = checkpoint.weights[:1] if options.checks_files(request) else ()
    try:
        with files.checked_whole(checked), failures.loading(request.model), failures.reading():
            model = lean_model(checkpoint, vocabulary).to(device)
            voices = XttsVoices(
                model, checkpoint.folder, usual=str(request.options.get("speaker") or "") or None
            )
    finally:
        release()  # the file's own copy of the weights
    tokens = XttsTokens(
        model.tokenizer,
        model.tokenizer.tokenizer.get_vocab(),
        checkpoint,
        own=options.own_language(request.options),
        limit_tokens=model.args.gpt_max_text_tokens,
    )
    use_threads(int(options.number(request.options, "threads") or 0))
    return XttsEngine(model, tokens, voices, sampling)


def _vocabulary(folder: Path) -> Path:
    """Raises: ModelNotFound, ModelCorrupt."""
    path = folder / VOCABULARY
    if not path.is_file():
        raise ModelNotFound(
            f"{folder.name} lacks {VOCABULARY}",
            hint=f"Put the {VOCABULARY} that was published with the weights into {folder}.",
            context={"path": str(path)},
        )
    read_config(path)  # of what is no JSON, the library does not say which file it is
    return path


class XttsEngine:
    """One loaded model with its speakers. One thread: the worker's."""

    def __init__(self, model: Xtts, tokens: XttsTokens, voices: XttsVoices, sampling: Sampling) -> None:
        self._model: Xtts | None = model
        self._tokens = tokens
        self._voices: XttsVoices | None = voices
        self._sampling = sampling
        self._sample_rate_hz: int = model.args.output_sample_rate

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        """Piece by piece as it is made. Pitch is the speaker's own."""
        assert self._model is not None  # noqa: S101  # close() is the last call
        assert self._voices is not None  # noqa: S101  # as above
        code = self._tokens.code_of(request.language)
        with failures.speaking():
            voice = self._voices.of(request)
            for tokens in self._tokens.pieces(request.text, code):
                try:
                    for samples in speak(
                        self._model, tokens, voice, sampling=self._sampling, rate=request.rate, cancel=cancel
                    ):
                        if not np.isfinite(samples).all():
                            raise SynthesisFailed("the model made numbers that are no sound")
                        yield AudioChunk(samples, self._sample_rate_hz)
                finally:
                    trim()
                if cancel.cancelled:
                    return

    def to_device(self, device: Device) -> None:
        """The voices follow by themselves: they are kept in main memory."""
        assert self._model is not None  # noqa: S101  # close() is the last call
        try:
            move((self._model,), device_named(device))
        finally:
            release()

    def close(self) -> None:
        self._model = self._voices = None
        release()
