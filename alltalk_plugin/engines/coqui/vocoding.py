"""From a spectrogram to sound: a vocoder, or the Griffin-Lim algorithm. In the worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
import torchaudio
from TTS.config import register_config
from TTS.utils.audio import AudioProcessor
from TTS.vocoder.models import setup_model
from TTS.vocoder.utils.generic_utils import interpolate_vocoder_input

from alltalk_plugin.engines.coqui.checkpoint import Vocoder
from alltalk_plugin.engines.coqui.config import Json
from alltalk_plugin.engines.coqui.decoding import WindowedVocoder, can_be_windowed
from alltalk_plugin.engines.coqui.vocoders import GRIFFIN_LIM, WHOLE, WINDOWED, Limits

Spectrogram = npt.NDArray[np.float32]
"""Shape (frames, bands), as the acoustic model was trained to make it."""


class Vocoding(Protocol):
    """The second part of a model of two."""

    sample_rate_hz: int
    limits: Limits
    parts: tuple[torch.nn.Module, ...]
    """What has to be on the device of the first part."""

    def sound(self, spectrogram: Spectrogram) -> Iterator[torch.Tensor]: ...


class NeuralVocoder:
    """A vocoder that was trained beside the model, or for many."""

    def __init__(self, files: Vocoder, acoustic: AudioProcessor, device: torch.device) -> None:
        named = files.config.get("model") or files.config.get("generator_model")
        kind = str(named).lower().replace("_generator", "").replace("_discriminator", "")
        config = register_config(kind)()
        config.from_dict(_mutable(files.config))
        self._config = config
        self._own = AudioProcessor(config.audio)
        self._acoustic = acoustic
        self._model = setup_model(config)
        self._model.load_checkpoint(config, str(files.weights), eval=True)
        if getattr(self._model, "model_d", None) is not None:
            self._model.model_d = None  # judged the sound in training: 283 MB in a HiFi-GAN
        self._model.to(device)
        self.parts = (self._model,)
        generator = getattr(self._model, "model_g", None)
        self._windowed = WindowedVocoder(generator) if can_be_windowed(generator) else None
        self.limits = WHOLE if self._windowed is None else WINDOWED
        self.sample_rate_hz = int(config.audio["sample_rate"])

    def sound(self, spectrogram: Spectrogram) -> Iterator[torch.Tensor]:
        """In windows where that is the same sound, else whole."""
        if self._windowed is not None:
            yield from self._windowed.sound(self._rescaled(spectrogram))
            return
        for block in _blocks(spectrogram, self.limits):
            with torch.inference_mode():
                yield self._model.inference(self._rescaled(block))

    def _rescaled(self, spectrogram: Spectrogram) -> torch.Tensor:
        """Each part scales its spectrograms in its own way, and may have its own rate."""
        plain = self._acoustic.denormalize(spectrogram.T)
        scaled = self._own.normalize(plain)
        ratio = self.sample_rate_hz / self._acoustic.sample_rate
        wanted = interpolate_vocoder_input([1, ratio], scaled) if ratio != 1 else torch.tensor(scaled)[None]
        return wanted.to(next(self._model.parameters()).device)


class GriffinLim:
    """No vocoder: phases are guessed until they fit. Hollow, but words are heard.

    Not the library's own: that compiles for 19 s at the first sentence and is slower after.
    """

    def __init__(self, acoustic: AudioProcessor, *, linear: bool) -> None:
        self._ap = acoustic
        self._window = torch.hann_window(acoustic.win_length)
        self._linear = linear
        self._inverse = None if linear else np.linalg.pinv(acoustic.mel_basis)
        self.limits = GRIFFIN_LIM
        self.parts = ()
        self.sample_rate_hz = int(acoustic.sample_rate)

    def sound(self, spectrogram: Spectrogram) -> Iterator[torch.Tensor]:
        yield from map(self._sound, _blocks(spectrogram, self.limits))

    def _sound(self, spectrogram: Spectrogram) -> torch.Tensor:
        ap = self._ap
        amplitude = np.power(ap.base, ap.denormalize(spectrogram.T) / ap.spec_gain)
        if self._inverse is not None:
            amplitude = np.maximum(1e-10, self._inverse @ amplitude)
        waveform = torchaudio.functional.griffinlim(
            torch.from_numpy(amplitude.astype(np.float32) ** ap.power),
            self._window,
            n_fft=ap.fft_size,
            hop_length=ap.hop_length,
            win_length=ap.win_length,
            power=1.0,
            n_iter=ap.griffin_lim_iters,
            momentum=0.0,
            length=None,
            rand_init=True,
        )
        samples = waveform.numpy()
        return torch.from_numpy(ap.apply_inv_preemphasis(samples) if ap.preemphasis else samples)


def _blocks(spectrogram: Spectrogram, limits: Limits) -> Iterator[Spectrogram]:
    """One, unless the model has lost its way: a Tacotron may babble for minutes, in any amount of memory."""
    for begin in range(0, len(spectrogram), limits.frames):
        yield spectrogram[begin : begin + limits.frames]


def _mutable(config: object) -> dict[str, Json]:
    return dict(cast("dict[str, Json]", config))
