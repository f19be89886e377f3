"""VITS, and the models of two parts (Glow-TTS, Tacotron 2, FastPitch, …), in the worker."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from typing import TYPE_CHECKING, cast

import librosa.filters
import numpy as np
import scipy.signal
import torch
from TTS.config import register_config
from TTS.tts.models import setup_model

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import (
    LanguageUnsupported,
    ModelCorrupt,
    ModelIncompatible,
    ReferenceUnusable,
    SynthesisFailed,
    VoiceNotFound,
)
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import Device, OptionValue
from alltalk_plugin.engines.coqui import failures, files, languages, options, phonemes, vocabulary
from alltalk_plugin.engines.coqui.checkpoint import TWO_PART_KINDS, Checkpoint
from alltalk_plugin.engines.coqui.config import Json
from alltalk_plugin.engines.coqui.decoding import WindowedDecoder
from alltalk_plugin.engines.coqui.devices import device_named, release, trim, use_threads
from alltalk_plugin.engines.coqui.moving import move
from alltalk_plugin.engines.coqui.sentences import sentences_of
from alltalk_plugin.engines.coqui.unfilled import Unfilled, taking_over
from alltalk_plugin.engines.coqui.vocoders import WINDOWED
from alltalk_plugin.engines.coqui.vocoding import GriffinLim, NeuralVocoder, Vocoding

if TYPE_CHECKING:
    from TTS.tts.models.base_tts import BaseTTS

phonemes.install()

WARM = (librosa.filters.mel, scipy.signal.lfilter)
"""What the library imports in the middle of its first load: 4 s and 140 MB, paid here by a warm spare."""


def load(request: LoadRequest, checkpoint: Checkpoint) -> AcousticEngine:
    """The model at a checkpoint, ready to speak.

    Raises: ModelCorrupt, ModelIncompatible, OutOfMemory, VoiceNotFound.
    """
    device = device_named(request.device)
    if request.options.get("half") and device.type != "cuda":
        raise ModelIncompatible(
            f"half precision is for CUDA devices, and this model is to run on {request.device}",
            hint="Set the model's option half to false.",
        )
    use_threads(1)
    vocoder_files = () if checkpoint.vocoder is None else (checkpoint.vocoder.weights,)
    weights = (*checkpoint.weights, *vocoder_files)
    checked = weights if options.checks_files(request) else ()
    try:
        with files.checked_whole(checked), failures.loading(request.model), failures.reading(weights):
            _check_phonemes(checkpoint.config)
            model = _acoustic_model(checkpoint)
            _set_scales(model, request.options)
            model.to(device)
            vocoding = _vocoding(checkpoint, model, device)
    finally:
        release()  # the file's own copy of the weights
    use_threads(int(options.number(request.options, "threads") or 0))
    return AcousticEngine(checkpoint, model, vocoding, request.options)


def _acoustic_model(checkpoint: Checkpoint) -> BaseTTS:
    """Loads outside inference mode: inside, some weights silently stop being parameters."""
    config = register_config(checkpoint.kind)()
    config.from_dict(deepcopy(dict(checkpoint.config)))
    # Parts of a Glow-TTS are turned into each other as they are made, and must be numbers for that.
    with Unfilled() if checkpoint.kind == "vits" else nullcontext():
        model = setup_model(config)
        with taking_over(model):
            model.load_checkpoint(config, str(checkpoint.weights[0]), eval=True)
    if getattr(model, "disc", None) is not None:
        del model.disc  # judged the sound in training: 187 MB in a VITS
    for name, weights in model.named_parameters():
        if not bool(torch.isfinite(weights.sum())):
            raise ModelCorrupt(f"the weights hold numbers that are none, in {name}", context={"tensor": name})
    return cast("BaseTTS", model)


def _check_phonemes(config: Mapping[str, Json]) -> None:
    """See that what turns letters into phonemes is there. Raises: ModelIncompatible."""
    named = (config.get("phonemizer") or phonemes.NAME) == phonemes.NAME
    if config.get("use_phonemes") and named and not phonemes.available():
        raise ModelIncompatible(
            "the model speaks phonemes, and eSpeak NG, which makes them, is not installed here",
            hint="Install the engine again ('alltalk-plugin engine install coqui --force').",
            context={"distribution": "espeakng-loader"},
        )


def _set_scales(model: BaseTTS, chosen: Mapping[str, OptionValue]) -> None:
    """The options that the model has a place for.

    Raises: ModelIncompatible for one that it has none for.
    """
    for option, attribute in (
        ("length_scale", "length_scale"),
        ("noise_scale", "inference_noise_scale"),
        ("noise_scale_w", "inference_noise_scale_dp"),
    ):
        value = options.number(chosen, option)
        if value is None:
            continue
        if not hasattr(model, attribute):
            raise ModelIncompatible(
                f"this kind of model knows no {option}", hint=f"Take the option {option} out of the settings."
            )
        setattr(model, attribute, value)


def _vocoding(checkpoint: Checkpoint, model: BaseTTS, device: torch.device) -> Vocoding | None:
    if checkpoint.kind not in TWO_PART_KINDS:
        return None
    if checkpoint.vocoder is not None:
        return NeuralVocoder(checkpoint.vocoder, model.ap, device)
    return GriffinLim(model.ap, linear=checkpoint.kind == "tacotron")


class AcousticEngine:
    """One model. One thread: the worker's."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        model: BaseTTS,
        vocoding: Vocoding | None,
        chosen: Mapping[str, OptionValue],
    ) -> None:
        self._checkpoint = checkpoint
        self._model: BaseTTS | None = model
        self._vocoding = vocoding
        self._most_chars = (WINDOWED if vocoding is None else vocoding.limits).chars
        self._decoder = WindowedDecoder(model) if checkpoint.kind == "vits" else None
        self._half = bool(chosen.get("half"))
        self._language = options.own_language(chosen)
        self._speaker: str | None = None
        if chosen.get("speaker"):
            self._speaker = self._speaker_of_settings(str(chosen["speaker"]))
        self._length_scale: float | None = getattr(model, "length_scale", None)
        phonemizer = model.tokenizer.phonemizer
        by_espeak = isinstance(phonemizer, phonemes.Espeak)
        self._espeak_language: str | None = phonemizer.language if by_espeak else None
        self._letters = frozenset("" if model.tokenizer.use_phonemes else model.tokenizer.characters.vocab)
        own_hz = checkpoint.sample_rate_hz or int(model.config.audio.sample_rate)
        self._sample_rate_hz = own_hz if vocoding is None else vocoding.sample_rate_hz

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        """Sentence by sentence, and in pieces of these where the last part of the model allows it.

        Pitch is the model's own; so is the rate where it has no length scale (Tacotron and its like).
        """
        if request.reference_audio:
            raise ReferenceUnusable(
                "this model has its own voices and cannot take one from a recording",
                hint="Use an XTTS model for that voice, or take the reference audio out of it.",
                context={"reason": "the model does not clone", "path": str(request.reference_audio[0])},
            )
        speaker = self._speaker_named(request.speaker)
        code = self._code_of(request.language)
        text = vocabulary.clean(request.text)
        if not vocabulary.words_in(text):
            return
        if self._espeak_language is not None:
            phonemes.check_letters(text, self._espeak_language)
        if self._letters:
            vocabulary.check_letters(self._cleaned(text, code), self._letters, request.language)
        for sentence in sentences_of(text, self._most_chars):
            if cancel.cancelled:
                return
            if vocabulary.words_in(sentence):
                yield from self._say(sentence, speaker, code, request.rate)

    def to_device(self, device: Device) -> None:
        """Both parts. Half precision is for CUDA: elsewhere it speaks in full, and in half there again."""
        assert self._model is not None  # noqa: S101  # close() is the last call
        parts = (self._model, *(() if self._vocoding is None else self._vocoding.parts))
        try:
            move(parts, device_named(device))
        finally:
            release()

    def close(self) -> None:
        self._model = self._vocoding = self._decoder = None
        release()

    def _say(self, sentence: str, speaker: str | None, code: str | None, rate: float) -> Iterator[AudioChunk]:
        assert self._model is not None  # noqa: S101  # close() is the last call
        model = self._model
        if self._length_scale is not None:
            model.length_scale = self._length_scale / rate
        try:
            with failures.speaking(), self._precision():
                with torch.inference_mode():
                    spoken = model.synthesize(text=sentence, speaker=speaker, language=code)
                for made in self._sound_of(spoken["outputs"]["model_outputs"][0]):
                    samples = made.float().cpu().numpy().reshape(-1)
                    if not np.isfinite(samples).all():
                        raise SynthesisFailed("the model made numbers that are no sound")
                    yield AudioChunk(np.clip(samples, -1.0, 1.0).astype(np.float32), self._sample_rate_hz)
        finally:
            trim()

    def _sound_of(self, made: torch.Tensor) -> Iterator[torch.Tensor]:
        if self._decoder is not None:
            yield from self._decoder.sound()
        elif self._vocoding is not None:
            yield from self._vocoding.sound(made.float().cpu().numpy())
        else:
            yield made

    def _precision(self) -> AbstractContextManager[object]:
        assert self._model is not None  # noqa: S101  # close() is the last call
        half = self._half and next(self._model.parameters()).device.type == "cuda"
        return torch.autocast("cuda", dtype=torch.float16) if half else nullcontext()

    def _cleaned(self, text: str, code: str | None) -> str:
        assert self._model is not None  # noqa: S101  # close() is the last call
        cleaner = self._model.tokenizer.text_cleaner
        return text if cleaner is None else str(cleaner(text, lang=(code or "").split("-")[0] or None))

    def _speaker_named(self, name: str | None) -> str | None:
        """A speaker of the model; without a name the one of the settings, else its first.

        None when it has one voice only. Raises: VoiceNotFound, with the nearest name.
        """
        speakers = self._checkpoint.speakers
        if name is None:
            return self._speaker or next(iter(speakers), None)
        if name in speakers:
            return name
        nearest = difflib.get_close_matches(name, speakers, n=1, cutoff=0.4)
        hint = f"Did you mean {nearest[0]}?" if nearest else f"It has: {', '.join(speakers[:8])}."
        raise VoiceNotFound(
            f"the model has no speaker {name}" if speakers else "the model has one voice and no names for it",
            hint=hint if speakers else "Take the speaker out of the voice.",
            context={"voice": name, "nearest": nearest[0] if nearest else None},
        )

    def _speaker_of_settings(self, name: str) -> str | None:
        try:
            return self._speaker_named(name)
        except VoiceNotFound as error:
            raise ModelIncompatible(
                f"the option speaker is wrong: {error.message}", hint=error.hint
            ) from error

    def _code_of(self, language: LanguageTag | None) -> str | None:
        """The model's word for a language. Raises: LanguageUnsupported."""
        reason = language and languages.refusal(self._checkpoint, self._language, language)
        if reason:
            raise LanguageUnsupported(reason, context={"language": language, "reason": reason})
        return languages.code_of(self._checkpoint, language)
