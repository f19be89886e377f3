"""How much is spoken in one go, and what that takes at most. Standard library only.

Bytes are what a worker held of its own at its highest, less what it held before it ever spoke (Linux x86_64,
torch 2.13.0+cpu, 2026-11-23).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from alltalk_plugin.engines.coqui.checkpoint import TWO_PART_KINDS, Checkpoint, Vocoder
from alltalk_plugin.engines.coqui.config import Json


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest sentence in characters, and how many frames of it are made into sound at once."""

    chars: int
    frames: int


WINDOWED = Limits(200, 280)
"""Some 14 s of speech, in windows of 240 frames and what is around them."""
GRIFFIN_LIM = Limits(100, 1_000)
"""Some 7 s of speech; 12 s when it is slow."""
AROUND_FRAMES = 10
"""What a vocoder puts around a spectrogram."""
WHOLE = Limits(60, 600)
"""A vocoder that makes its sound in one go: some 4 s, 7 s when it is slow."""

GRIFFIN_LIM_BYTES = 90
"""For each frame and each of its points (1,024 usually): 49 MB for 570 frames."""
WHOLE_BYTES = 2_600_000
"""For each frame: 2.47 MB in WaveGrad, the hungriest; WaveRNN 1.68, Parallel WaveGAN 1.57, UnivNet 0.78."""
HIFIGAN_LAYERS, MELGAN_LAYERS = 22, 20
"""How many layers of the widest kind are there at once, of 9.2 MB each. 157 to 179 MB in the VITS of the
published size; in a MelGAN 87 to 167, as the C library happens to place them."""
LEAST_BYTES = 65_000_000
"""What a sentence takes however small its sound: 32 to 55 MB in a VITS of 1.7 MB, whose sound takes 10."""
MELGAN_WIDTHS: Mapping[str, int] = MappingProxyType(
    {"melgan_generator": 512, "fullband_melgan_generator": 512, "multiband_melgan_generator": 384}
)
"""Fixed in the library, whatever a config says."""


def sentence_bytes(checkpoint: Checkpoint) -> int:
    """What speaking a sentence takes for a moment, at most."""
    return max(round(_sound_bytes(checkpoint)), LEAST_BYTES)


def _sound_bytes(checkpoint: Checkpoint) -> float:
    """What making sound of its frames takes of that."""
    if checkpoint.kind == "vits":
        return _hifigan_bytes(_part(checkpoint.config, "model_args"), "upsample_{}_decoder", "rates")
    if checkpoint.kind not in TWO_PART_KINDS:
        return 0
    if checkpoint.vocoder is not None:
        return _vocoder_bytes(checkpoint.vocoder) * _share_of_a_window(checkpoint.config)
    points = _part(checkpoint.config, "audio").get("fft_size")
    return GRIFFIN_LIM.frames * (points if isinstance(points, int) else 1_024) * GRIFFIN_LIM_BYTES


def _share_of_a_window(config: Mapping[str, Json]) -> float:
    """How much of the longest window the longest sentence fills: a Tacotron stops after so many steps."""
    steps, frames_each = config.get("max_decoder_steps"), config.get("r")
    if not isinstance(steps, int) or not isinstance(frames_each, int):
        return 1.0
    return min(1.0, (steps * frames_each + AROUND_FRAMES) / WINDOWED.frames)


def _vocoder_bytes(vocoder: Vocoder) -> int:
    generator = str(vocoder.config.get("generator_model") or vocoder.config.get("model")).lower()
    parameters = _part(vocoder.config, "generator_model_params")
    if generator in {"hifigan", "hifigan_generator"}:
        return _hifigan_bytes(parameters, "upsample_{}", "factors")
    if generator in MELGAN_WIDTHS:
        return _widest(MELGAN_WIDTHS[generator], parameters.get("upsample_factors")) * MELGAN_LAYERS
    return WHOLE.frames * WHOLE_BYTES


def _hifigan_bytes(parameters: Mapping[str, Json], named: str, rates: str) -> int:
    width = parameters.get(named.format("initial_channel"))
    return (
        _widest(width if isinstance(width, int) else 512, parameters.get(named.format(rates)))
        * HIFIGAN_LAYERS
    )


def _widest(width: int, factors: Json) -> int:
    """Bytes of the widest layer in one window: each step halves the channels and multiplies the samples."""
    steps = [step for step in factors if isinstance(step, int)] if isinstance(factors, list) else [8, 8, 2, 2]
    sizes = (math.prod(steps[: end + 1]) * width // 2 ** (end + 1) for end in range(len(steps)))
    return max(sizes, default=width) * WINDOWED.frames * 4


def _part(config: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    part = config.get(name)
    return part if isinstance(part, dict) else {}
