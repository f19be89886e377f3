"""From frames to sound, window by window: sound comes early, and memory stays small. In the worker.

Three quarters of the time and nearly all of the memory of a sentence go into the part that makes its samples:
the decoder of a VITS, or a vocoder. It is a stack of convolutions that see no further than a few frames. So
it is given a window at a time, with as much around it as it can see: the sound is that of one whole decode,
but for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from TTS.tts.models.vits import Vits
from TTS.vocoder.models.hifigan_generator import HifiganGenerator
from TTS.vocoder.models.melgan_generator import MelganGenerator

FIRST_FRAMES, FRAMES = 40, 240
"""0.5 s, then 2.8 s at the usual 86 frames a second. What is decoded twice costs an eighth more; a smaller
working set gives it back (5.1 to 5.7 s of CPU time against 6.0, measured 2026-11-22)."""


class WindowedDecoder(torch.nn.Module):  # type: ignore[misc]  # the library is not there when types are checked
    """Takes the decoder's place in a model, and decodes what comes in afterwards."""

    def __init__(self, model: Vits) -> None:
        super().__init__()
        self._decoder = model.waveform_decoder
        self._context = frames_seen(self._decoder)
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
            yield from windows(lambda some: self._decoder(some, g=self._speaker), frames, self._context)


class WindowedVocoder:
    """What the generator's own `inference` does, in windows."""

    def __init__(self, generator: HifiganGenerator | MelganGenerator) -> None:
        self._generator = generator
        self._context = frames_seen(generator)

    def sound(self, frames: torch.Tensor) -> Iterator[torch.Tensor]:
        """The sound of frames of shape (1, bands, n), in pieces of shape (n,)."""
        around = self._generator.inference_padding
        with torch.inference_mode():
            frames = torch.nn.functional.pad(frames, (around, around), "replicate")
        yield from windows(self._decode, frames, self._context)

    def _decode(self, frames: torch.Tensor) -> torch.Tensor:
        wave = self._generator(frames)
        return self._generator.pqmf_synthesis(wave) if _banded(self._generator) else wave


def can_be_windowed(generator: torch.nn.Module | None) -> bool:
    """Whether a vocoder is convolutions only, and makes as many samples of every frame."""
    if isinstance(generator, HifiganGenerator):
        return all((up.kernel_size[0] - up.stride[0]) % 2 == 0 for up in generator.ups)
    return isinstance(generator, MelganGenerator)


def windows(
    decode: Callable[[torch.Tensor], torch.Tensor], frames: torch.Tensor, context: int
) -> Iterator[torch.Tensor]:
    """The sound of frames of shape (1, width, n) by `decode`, which sees `context` frames to either side."""
    begin, size, length = 0, FIRST_FRAMES, frames.shape[2]
    while begin < length:
        end = min(begin + size, length)
        seen = max(0, begin - context), min(length, end + context)
        with torch.inference_mode():
            wave = decode(frames[:, :, seen[0] : seen[1]])[0, 0]
        hop = wave.shape[0] // (seen[1] - seen[0])
        yield wave[(begin - seen[0]) * hop : (end - seen[0]) * hop]
        begin, size = end, FRAMES


def frames_seen(generator: HifiganGenerator | MelganGenerator) -> int:
    """How far to either side a generator looks, in frames: as far as its convolutions reach."""
    if isinstance(generator, HifiganGenerator):
        blocks, side_by_side = generator.resblocks, generator.num_kernels
        steps: list[list[torch.nn.Module]] = [[generator.conv_pre]]
        for number, up in enumerate(generator.ups):
            steps += [[up], list(blocks[number * side_by_side : (number + 1) * side_by_side])]
        steps.append([generator.conv_post])
    else:
        steps = [[layer] for layer in generator.layers]
    reach, rate = 0.0, 1
    for alternatives in steps:
        if isinstance(up := alternatives[0], torch.nn.ConvTranspose1d):
            reach += up.kernel_size[0] / up.stride[0] / rate
            rate *= up.stride[0]
        else:
            reach += max(map(_samples_seen, alternatives)) / rate
    if _banded(generator):
        bands = generator.pqmf_layer
        reach += (bands.taps / 2 / bands.N + 1) / rate
    return math.ceil(reach)


def _samples_seen(part: torch.nn.Module) -> int:
    """To either side, by convolutions one after another that keep the rate."""
    convolutions = (one for one in part.modules() if isinstance(one, torch.nn.Conv1d))
    return sum((one.kernel_size[0] - 1) // 2 * one.dilation[0] for one in convolutions)


def _banded(generator: torch.nn.Module) -> bool:
    """Whether it makes several bands of sound that are put together after."""
    return hasattr(generator, "pqmf_layer")
