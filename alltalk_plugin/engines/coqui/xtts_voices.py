"""The speakers of an XTTS model: those it brings along, and those it clones."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
import torchaudio
from TTS.tts.models.xtts import Xtts

from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import ModelCorrupt, ModelIncompatible, VoiceNotFound
from alltalk_plugin.engines.coqui.latents import LatentCache
from alltalk_plugin.engines.coqui.references import read_reference
from alltalk_plugin.engines.coqui.xtts_stream import XttsVoice

SPEAKERS = "speakers_xtts.pth"
REFERENCE = "reference.wav"
"""What fine-tuning tools leave beside a model that has no speakers of its own."""
_KEPT_ON = torch.device("cpu")
_HEARD_HZ = 22_050
"""The rate of everything the model hears."""


class XttsVoices:
    """Finds or makes the voice of a request. One thread: the worker's.

    Voices are kept in main memory, wherever the model is: 130 kB are copied for an utterance.
    """

    def __init__(self, model: Xtts, folder: Path, *, usual: str | None) -> None:
        """`usual`: who speaks when nobody is named; the model's first for None.

        Raises: ModelCorrupt, ModelIncompatible when nobody is called that.
        """
        self._model = model
        self._speakers = _built_in(folder / SPEAKERS)
        self._cloned = LatentCache(self._clone)
        reference = folder / REFERENCE
        self._reference = (reference,) if reference.is_file() else ()
        self._usual = usual or next(iter(self._speakers), None)
        if usual is not None and usual not in self._speakers:
            raise ModelIncompatible(
                f"the option speaker is wrong: the model has no speaker {usual}",
                hint=_hint(usual, self._speakers),
                context={"option": "speaker", "value": usual},
            )

    def of(self, request: SynthesisRequest) -> XttsVoice:
        """Recordings decide, then the speaker's name; without either it is the model's usual speaker. On the
        model's device.

        Raises: VoiceNotFound, ReferenceUnusable.
        """
        return self._kept(request).on(self._model.device)

    def _kept(self, request: SynthesisRequest) -> XttsVoice:
        if request.reference_audio:
            return self._cloned.of(request.reference_audio)
        speaker = request.speaker or self._usual
        if speaker is not None and speaker in self._speakers:
            return self._speakers[speaker]
        if speaker is not None:
            nearest = _nearest(speaker, self._speakers)
            raise VoiceNotFound(
                f"the model has no speaker {speaker}",
                hint=_hint(speaker, self._speakers),
                context={"voice": speaker, "nearest": nearest},
            )
        if self._reference:
            return self._cloned.of(self._reference)
        raise VoiceNotFound(
            "the model has no speaker of its own, and the voice has no reference audio",
            hint=f"Give the voice reference audio, or put {SPEAKERS} or {REFERENCE} into the model's folder.",
        )

    def _clone(self, recordings: tuple[Path, ...]) -> XttsVoice:
        """As Xtts.get_conditioning_latents does it: the speaker's embedding is the mean over the recordings,
        the prompt of the language model is heard from all of them in a row."""
        config = self._model.config
        heard, embeddings = [], []
        for path in recordings:
            reference = read_reference(path)
            audio = torch.from_numpy(reference.samples)[None]
            audio = torchaudio.functional.resample(audio, reference.sample_rate_hz, _HEARD_HZ)
            audio = audio[:, : _HEARD_HZ * config.max_ref_len]
            if config.sound_norm_refs:
                audio = audio / audio.abs().max() * 0.75
            heard.append(audio)
            embeddings.append(self._model.get_speaker_embedding(audio, _HEARD_HZ))
        gpt = self._model.get_gpt_cond_latents(
            torch.cat(heard, dim=-1),
            _HEARD_HZ,
            length=config.gpt_cond_len,
            chunk_length=config.gpt_cond_chunk_len,
        )
        return XttsVoice(gpt=gpt, embedding=torch.stack(embeddings).mean(dim=0)).on(_KEPT_ON)


def _hint(speaker: str, speakers: Collection[str]) -> str:
    if not speakers:
        return f"The model has no named speakers ({SPEAKERS}): use reference audio instead."
    nearest = _nearest(speaker, speakers)
    return f"Did you mean {nearest}?" if nearest else f"It has: {', '.join([*speakers][:8])}."


def _nearest(speaker: str, speakers: Collection[str]) -> str | None:
    return next(iter(difflib.get_close_matches(speaker, speakers, n=1)), None)


def _built_in(path: Path) -> Mapping[str, XttsVoice]:
    """The speakers of a file, in its order. Raises: ModelCorrupt."""
    if not path.is_file():
        return {}
    read = torch.load(path, map_location=_KEPT_ON, weights_only=True)
    try:
        return {
            str(name): XttsVoice(gpt=entry["gpt_cond_latent"], embedding=entry["speaker_embedding"]).on(
                _KEPT_ON
            )
            for name, entry in read.items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ModelCorrupt(
            f"{path.name} does not hold the speakers of an XTTS model", context={"path": str(path)}
        ) from error
