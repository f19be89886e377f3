"""How far to either side the convolutions of a generator look. In the worker."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import torch
from TTS.vocoder.models.hifigan_generator import HifiganGenerator
from TTS.vocoder.models.melgan_generator import MelganGenerator

Generator: TypeAlias = HifiganGenerator | MelganGenerator


@dataclass(frozen=True, slots=True)
class Upsampling:
    """A layer that makes several samples of each; `rate` of them come in for each frame.

    seen: how many of these it and all layers behind it look at, to either side.
    """

    layer: torch.nn.Module
    rate: int
    seen: int


def frames_seen(generator: Generator) -> int:
    """How many frames a generator looks at, to either side of the one that it makes sound of."""
    return math.ceil(sum(reach for _, _, reach in _layers(generator)))


def upsamplings(generator: Generator) -> list[Upsampling]:
    """In the order in which they come."""
    layers = list(_layers(generator))
    behind = reversed(list(accumulate(reach for _, _, reach in reversed(layers))))
    return [
        Upsampling(layer, rate, math.ceil(seen * rate))
        for (layer, rate, _), seen in zip(layers, behind, strict=True)
        if isinstance(layer, torch.nn.ConvTranspose1d)
    ]


def is_banded(generator: torch.nn.Module) -> bool:
    """Whether it makes several bands of sound that are put together after."""
    return hasattr(generator, "pqmf_layer")


def _layers(generator: Generator) -> Iterator[tuple[torch.nn.Module, int, float]]:
    """Each layer with the samples that come in for a frame, and how far it looks itself, in frames.

    Of layers side by side the first, and how far any of them looks.
    """
    rate = 1
    for alternatives in _side_by_side(generator):
        first = alternatives[0]
        if isinstance(first, torch.nn.ConvTranspose1d):
            yield first, rate, first.kernel_size[0] / first.stride[0] / rate
            rate *= first.stride[0]
        else:
            yield first, rate, max(map(_samples_seen, alternatives)) / rate
    if is_banded(generator):
        bands = generator.pqmf_layer
        yield bands, rate, (bands.taps / 2 / bands.N + 1) / rate


def _side_by_side(generator: Generator) -> list[list[torch.nn.Module]]:
    if not isinstance(generator, HifiganGenerator):
        return [[layer] for layer in generator.layers]
    blocks, count = generator.resblocks, generator.num_kernels
    layers: list[list[torch.nn.Module]] = [[generator.conv_pre]]
    for number, up in enumerate(generator.ups):
        layers += [[up], list(blocks[number * count : (number + 1) * count])]
    return [*layers, [generator.conv_post]]


def _samples_seen(part: torch.nn.Module) -> int:
    """To either side, by convolutions one after another that keep the rate."""
    convolutions = (one for one in part.modules() if isinstance(one, torch.nn.Conv1d))
    return sum((one.kernel_size[0] - 1) // 2 * one.dilation[0] for one in convolutions)
