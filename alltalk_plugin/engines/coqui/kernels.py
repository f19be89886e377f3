"""Compiles what most VITS models share, before there is one. In the worker, while it waits for a model.

oneDNN compiles a program for each shape of convolution that it meets: 156 in a first sentence, which takes
0.17 s longer for it than the next (measured 2026-11-22). A sentence's first window has the same shapes in
every model of the published size.
"""

from __future__ import annotations

import torch
from TTS.tts.models.vits import VitsArgs
from TTS.vocoder.models.hifigan_generator import HifiganGenerator

from alltalk_plugin.engines.coqui.decoding import FIRST_FRAMES, Windows
from alltalk_plugin.engines.coqui.devices import release, use_threads
from alltalk_plugin.engines.coqui.unfilled import Unfilled


def compile_first_window() -> None:
    """Decode one window of nothing: 0.4 s, and 27 MB that a model would take for it later anyway."""
    use_threads(0)  # the programs are made for a number of threads
    sizes = VitsArgs()
    with Unfilled():
        decoder = HifiganGenerator(
            sizes.hidden_channels,
            1,
            sizes.resblock_type_decoder,
            sizes.resblock_dilation_sizes_decoder,
            sizes.resblock_kernel_sizes_decoder,
            sizes.upsample_kernel_sizes_decoder,
            sizes.upsample_initial_channel_decoder,
            sizes.upsample_rates_decoder,
            inference_padding=0,
            conv_pre_weight_norm=False,
            conv_post_weight_norm=False,
            conv_post_bias=False,
        ).eval()
    windows = Windows(decoder, decoder)
    next(windows.sound(torch.zeros(1, sizes.hidden_channels, FIRST_FRAMES + windows.context)))
    del decoder, windows
    release()
