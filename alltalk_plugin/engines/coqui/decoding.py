"""The last part of a VITS, window by window: sound comes early, and memory stays small. In the worker.

Three quarters of the time and nearly all of the memory of a sentence go into the decoder, which sees no
further than a few frames. So it is given a window at a time, with as much around it as it can see: the sound
is that of one whole decode, but for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from TTS.tts.configs.vits_config import VitsArgs
from TTS.tts.models.vits import Vits

FIRST_FRAMES, FRAMES = 40, 240
"""0.5 s, then 2.8 s at the usual 86 frames a second. What is decoded twice costs an eighth more; a smaller
working set gives it back (5.1 to 5.7 s of CPU time against 6.0, measured 2026-11-22)."""


class WindowedDecoder(torch.nn.Module):  # type: ignore[misc]  # the library is not there when types are checked
    """Takes the decoder's place in a model, and decodes what comes in afterwards."""

    def __init__(self, model: Vits) -> None:
        super().__init__()
        self._decoder = model.waveform_decoder
        self._context = frames_seen(model.args)
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
        if frames is None:
            return
        begin, size, length = 0, FIRST_FRAMES, frames.shape[2]
        while begin < length:
            end = min(begin + size, length)
            seen = max(0, begin - self._context), min(length, end + self._context)
            with torch.inference_mode():
                wave = self._decoder(frames[:, :, seen[0] : seen[1]], g=self._speaker)[0, 0]
            hop = wave.shape[0] // (seen[1] - seen[0])
            yield wave[(begin - seen[0]) * hop : (end - seen[0]) * hop]
            begin, size = end, FRAMES


def frames_seen(arguments: VitsArgs) -> int:
    """How far to either side the decoder looks, in frames: as far as its convolutions reach."""
    blocks = zip(
        arguments.resblock_kernel_sizes_decoder, arguments.resblock_dilation_sizes_decoder, strict=True
    )
    again = (
        1 if str(arguments.resblock_type_decoder) == "1" else 0
    )  # each convolution is followed by a plain one
    widest = max((kernel - 1) // 2 * sum(step + again for step in steps) for kernel, steps in blocks)
    reach, rate = 3.0, 1
    ups = zip(arguments.upsample_rates_decoder, arguments.upsample_kernel_sizes_decoder, strict=True)
    for factor, kernel in ups:
        reach += kernel / factor / rate
        rate *= factor
        reach += widest / rate
    return math.ceil(reach + 3 / rate)
