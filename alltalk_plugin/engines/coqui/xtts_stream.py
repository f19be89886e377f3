"""XTTS while it speaks: tokens from the language model, sound from the vocoder, piece by piece.

The library's own `inference_stream` decodes everything from the beginning for every piece, and blends the
pieces where they meet. The vocoder is the dearest part on a CPU, so 15 s of speech in pieces of 0.9 s would
cost eight times what it costs in one go. Here each piece is decoded once, with as much around it as the
vocoder can see: the pieces are those of one whole decode, bit for bit but for rounding, and need no blending.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate
from TTS.tts.models.xtts import Xtts

from alltalk_plugin.domain.audio import Samples
from alltalk_plugin.domain.engines import Cancellable
from alltalk_plugin.engines.coqui.xtts_options import Sampling

CONTEXT_FRAMES = 14
"""How far the vocoder sees to either side, in frames of 256 samples: 3 through its first convolution, 7.5
through the widest of its blocks at 8 samples a frame, and less at each finer step (widths and dilations are
fixed in HifiDecoder). With random weights 10 are enough for 1e-7 (measured)."""
EDGE_FRAMES = 3
"""The newest frames still move when the next latent comes: both resamplings look one ahead."""


@dataclass(frozen=True, slots=True, eq=False)
class XttsVoice:
    """What the model knows of a speaker: `gpt` of shape (1, n, width), `embedding` of shape (1, 512, 1)."""

    gpt: torch.Tensor
    embedding: torch.Tensor

    def on(self, device: torch.device) -> XttsVoice:
        return XttsVoice(gpt=self.gpt.to(device), embedding=self.embedding.to(device))


def speak(
    model: Xtts, tokens: list[int], voice: XttsVoice, *, sampling: Sampling, rate: float, cancel: Cancellable
) -> Iterator[Samples]:
    """Pieces of one utterance as they come; looks at `cancel` after every token.

    `rate`: how much faster than the speaker. One utterance of a model at a time: it keeps its prompt inside.
    """
    vocoder = _Vocoder(model, voice, stretch=1.0 / rate)
    waiting = 0
    for latent in _latents(model, tokens, voice, sampling):
        if cancel.cancelled:
            return
        vocoder.take(latent)
        waiting += 1
        if waiting == sampling.stream_chunk_size:
            waiting = 0
            yield from vocoder.sound()
    yield from vocoder.sound(last=True)


def _latents(model: Xtts, tokens: list[int], voice: XttsVoice, sampling: Sampling) -> Iterator[torch.Tensor]:
    """One of shape (1, width) for every 46 ms of speech."""
    gpt = model.gpt
    with torch.inference_mode():
        text = torch.tensor([tokens], dtype=torch.int32, device=voice.gpt.device)
        steps = gpt.get_generator(
            fake_inputs=gpt.compute_embeddings(voice.gpt, text),
            do_sample=True,
            num_beams=1,
            num_return_sequences=1,
            temperature=sampling.temperature,
            repetition_penalty=sampling.repetition_penalty,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            output_attentions=False,
            output_hidden_states=True,
            return_dict_in_generate=True,
        )
    for _, latent in steps:
        yield latent


class _Vocoder:
    """Latents in, samples out. One utterance."""

    def __init__(self, model: Xtts, voice: XttsVoice, *, stretch: float) -> None:
        self._decoder = model.hifigan_decoder
        self._embedding = voice.embedding
        self._stretch = stretch
        decoder = self._decoder
        self._frames_per_latent: float = decoder.ar_mel_length_compression / decoder.output_hop_length
        self._resampled: float = decoder.output_sample_rate / decoder.input_sample_rate
        self._latents: list[torch.Tensor] = []
        self._spoken = 0

    def take(self, latent: torch.Tensor) -> None:
        self._latents.append(latent)

    def sound(self, *, last: bool = False) -> Iterator[Samples]:
        """What is certain of the latents so far and was not given yet; nothing when that is nothing."""
        with torch.inference_mode():
            frames = self._frames()
            known = frames.shape[2]
            end = known if last else known - CONTEXT_FRAMES - self._edge()
            if end <= self._spoken:
                return
            begin = max(0, self._spoken - CONTEXT_FRAMES)
            wave = self._decoder.waveform_decoder(frames[:, :, begin:known], g=self._embedding)[0, 0]
            hop = self._decoder.output_hop_length
            samples = wave[(self._spoken - begin) * hop : (end - begin) * hop].float().cpu().numpy()
        self._spoken = end
        yield np.clip(samples, -1.0, 1.0)

    def _frames(self) -> torch.Tensor:
        """The latents at the vocoder's own rate, as HifiDecoder.forward does it: shape (1, width, frames)."""
        latents = torch.cat(self._latents)[None].transpose(1, 2)
        stretch = max(self._stretch, 1.0 / len(self._latents))  # a word of two tokens, four times as fast
        for factor in (stretch, self._frames_per_latent, self._resampled):
            if factor != 1.0:
                latents = interpolate(latents, scale_factor=factor, mode="linear")
        return latents

    def _edge(self) -> int:
        """How many of the newest frames still change: a stretched latent reaches half of itself back."""
        slow = max(0.0, self._stretch - 1.0)
        return EDGE_FRAMES + math.ceil(slow * self._frames_per_latent * self._resampled / 2)
