"""From frames to sound, window by window: sound comes early, and memory stays small. In the worker.

Three quarters of the time and nearly all of the memory of a sentence go into the part that makes its samples:
the decoder of a VITS, or a vocoder. It is a stack of convolutions that see no further than a few frames. So
it is given a window at a time, with as much around it as it can see: the sound is that of one whole decode,
but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from TTS.tts.models.vits import Vits
from TTS.vocoder.models.hifigan_generator import HifiganGenerator
from TTS.vocoder.models.melgan_generator import MelganGenerator

from alltalk_plugin.engines.coqui.reach import Generator, Upsampling, frames_seen, is_banded, upsamplings

FIRST_FRAMES, FRAMES = 40, 240
"""0.5 s, then 2.8 s at the usual 86 frames a second."""


class WindowedDecoder(torch.nn.Module):  # type: ignore[misc]  # the library is not there when types are checked
    """Takes the decoder's place in a model, and decodes what comes in afterwards."""

    def __init__(self, model: Vits) -> None:
        super().__init__()
        self._decoder = model.waveform_decoder
        self._windows = Windows(self._decoder, self._decode)
        self._frames: torch.Tensor | None = None
        self._speaker: torch.Tensor | None = None
        model.waveform_decoder = self

    def forward(self, frames: torch.Tensor, g: torch.Tensor | None = None) -> torch.Tensor:
        """Keep what is to be decoded; in place of its sound there is none."""
        self._frames, self._speaker = frames, g
        return frames.new_zeros(1, 1, 2)

    def sound(self) -> Iterator[torch.Tensor]:
        """The sound of what came in last, in pieces of shape (n,)."""
        frames, self._frames = self._frames, None
        if frames is not None:
            yield from self._windows.sound(frames)

    def _decode(self, frames: torch.Tensor) -> torch.Tensor:
        return self._decoder(frames, g=self._speaker)


class WindowedVocoder:
    """What the generator's own `inference` does, in windows."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._windows = Windows(generator, self._decode)

    def sound(self, frames: torch.Tensor) -> Iterator[torch.Tensor]:
        """The sound of frames of shape (1, bands, n), in pieces of shape (n,)."""
        around = self._generator.inference_padding
        with torch.inference_mode():
            frames = torch.nn.functional.pad(frames, (around, around), "replicate")
        yield from self._windows.sound(frames)

    def _decode(self, frames: torch.Tensor) -> torch.Tensor:
        wave = self._generator(frames)
        return self._generator.pqmf_synthesis(wave) if is_banded(self._generator) else wave


def can_be_windowed(generator: torch.nn.Module | None) -> bool:
    """Whether a vocoder is convolutions only, and makes as many samples of every frame."""
    if isinstance(generator, HifiganGenerator):
        return all((up.kernel_size[0] - up.stride[0]) % 2 == 0 for up in generator.ups)
    return isinstance(generator, MelganGenerator)


class Windows:
    """The sound of frames by a generator, a window after the other.

    Most of what lies around a window is seen by the first layers only, and most work is done by the last
    ones: each upsampling lets go of what neither it nor a layer behind it looks at. Of 256 frames 30 are
    decoded twice by the first layers and 3 by the last, a thirtieth of the work instead of an eighth.
    """

    def __init__(self, generator: Generator, decode: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self._decode = decode
        self.context = frames_seen(generator)
        # What there is of the window that is being decoded: from which sample on, how many, at which rate.
        self._low, self._count, self._rate = 0, 0, 1
        self._wanted = range(0)
        for upsampling in upsamplings(generator):
            upsampling.layer.register_forward_pre_hook(partial(self._narrow, upsampling))

    def sound(self, frames: torch.Tensor) -> Iterator[torch.Tensor]:
        """The sound of frames of shape (1, width, n), in pieces of shape (samples,)."""
        begin, size, length = 0, FIRST_FRAMES, frames.shape[2]
        while begin < length:
            end = min(begin + size, length)
            yield self._window(frames, begin, end)
            begin, size = end, FRAMES

    def _window(self, frames: torch.Tensor, begin: int, end: int) -> torch.Tensor:
        seen = frames[:, :, max(0, begin - self.context) : end + self.context]
        self._wanted = range(begin, end)
        self._low, self._count, self._rate = max(0, begin - self.context), seen.shape[2], 1
        try:
            with torch.inference_mode():
                wave = self._decode(seen)[0, 0]
        finally:
            self._wanted = range(0)
        hop = wave.shape[0] * self._rate // self._count
        low = self._low * hop // self._rate
        return wave[begin * hop - low : end * hop - low]

    def _narrow(
        self, upsampling: Upsampling, _layer: torch.nn.Module, taken: tuple[torch.Tensor]
    ) -> tuple[torch.Tensor] | None:
        """What a layer takes instead: no more than it and those behind it look at."""
        if not self._wanted:
            return None  # somebody else runs the generator
        rate, (samples,) = upsampling.rate, taken
        there = self._low * rate // self._rate
        low = max(there, self._wanted.start * rate - upsampling.seen)
        kept = samples[:, :, low - there : self._wanted.stop * rate + upsampling.seen - there]
        self._low, self._count, self._rate = low, kept.shape[2], rate
        return (kept,)
