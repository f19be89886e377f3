"""What has to be put right before Coqui TTS can be imported, in a worker.

Its wheels expect a CUDA build of PyTorch beside them and FFmpeg's libraries for sound files. Neither is
needed to speak, so what cannot be loaded is stood in for; what can be is left alone.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import logging
import os
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, NoReturn

AudioFile = str | Path | IO[bytes]


def install() -> None:
    """Make `import TTS` work here, offline. Before the first import of TTS or torchaudio; twice is once."""
    go_offline()
    quieten()
    wait_asleep()
    _stand_in_for_torchaudio_extension()
    _stand_in_for_torchcodec()


def go_offline() -> None:
    """No library in this process may fetch anything by itself: models are files that a person chose."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ[name] = "1"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads warn after a fork


def wait_asleep() -> None:
    """Threads of PyTorch sleep while they wait for each other; before torch is imported.

    As they come they wait by spinning, which on two busy cores takes a sentence of VITS from 5 to 12 s and
    three times the CPU time (measured 2026-11-22).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def quieten() -> None:
    """Chat text stays out of the worker's output: the library logs the text when a character is unknown."""
    for name in ("TTS", "trainer", "pysbd"):
        logging.getLogger(name).setLevel(logging.ERROR)  # noqa: TID251  # the library's loggers, not one of ours
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)


def _stand_in_for_torchaudio_extension() -> None:
    """The wheel on PyPI is linked to CUDA: beside a CPU build its extension raises OSError.

    Resampling and spectrograms are written in Python and work without it.
    """
    if "torchaudio" in sys.modules:
        return
    try:
        importlib.import_module("torchaudio")
    except OSError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _extension()
        importlib.import_module("torchaudio")


def _extension() -> types.ModuleType:
    extension = types.ModuleType("torchaudio._extension")

    def fail_if_no_align(function: Callable[..., object]) -> Callable[..., NoReturn]:
        def refuse(*_arguments: object, **_named: object) -> NoReturn:
            raise RuntimeError(f"{function.__name__} needs torchaudio's compiled extension")

        return refuse

    vars(extension).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        fail_if_no_align=fail_if_no_align,
    )
    return extension


def _stand_in_for_torchcodec() -> None:
    """Without a torchcodec that loads, sound files are read by soundfile.

    TTS refuses to be imported where no torchcodec is found, and uses it nowhere but through torchaudio.
    """
    if _loads("torchcodec"):
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchcodec"]:
        del sys.modules[name]
    codec = types.ModuleType("torchcodec")
    codec.__spec__ = importlib.machinery.ModuleSpec("torchcodec", None)
    sys.modules["torchcodec"] = codec
    torchaudio = importlib.import_module("torchaudio")
    vars(torchaudio).update(load=load_audio, save=save_audio)


def _loads(name: str) -> bool:
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None) is not None
    if importlib.util.find_spec(name) is None:
        return False
    try:
        importlib.import_module(name)
    except (ImportError, OSError, RuntimeError):  # RuntimeError: FFmpeg's libraries are not there
        return False
    return True


def load_audio(
    uri: AudioFile,
    frame_offset: int = 0,
    num_frames: int = -1,
    *,
    channels_first: bool = True,
    **_ignored: object,
) -> tuple[object, int]:
    """torchaudio.load by soundfile: a float32 tensor of shape (channels, frames), and the rate in Hertz."""
    import soundfile
    import torch

    frames, rate_hz = soundfile.read(
        uri, start=frame_offset, frames=num_frames, dtype="float32", always_2d=True
    )
    samples = torch.from_numpy(frames)
    return (samples.T.contiguous() if channels_first else samples), int(rate_hz)


def save_audio(
    uri: AudioFile,
    src: object,
    sample_rate: int,
    *,
    channels_first: bool = True,
    format: str | None = None,  # noqa: A002  # torchaudio's own name for it
    **_ignored: object,
) -> None:
    """torchaudio.save by soundfile: `src` is a tensor of shape (channels, frames)."""
    import soundfile
    import torch

    if not isinstance(src, torch.Tensor):
        raise TypeError(f"sound is saved from a tensor, not from {type(src).__name__}")
    frames = src.detach().cpu().numpy()
    soundfile.write(
        uri, frames.T if channels_first and frames.ndim == 2 else frames, sample_rate, format=format
    )
