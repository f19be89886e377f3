"""A session of ONNX Runtime for one model file, on the device that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from alltalk_plugin.domain.engines import Cancellable
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import CPU, Device
from alltalk_plugin.engines.onnx_failures import load_error

_CUDA = "CUDAExecutionProvider"
_LOOK_EVERY_S = 0.05


class OnnxSession(onnxruntime.InferenceSession):  # type: ignore[misc]  # ONNX Runtime is not installed where types are checked
    """A session that gives its working memory back after each run, and can be left in the middle of one.

    Else it keeps as much as its longest run took: 640 MB instead of 210 for a voice of 63 MB (ONNX Runtime
    1.32, 2026-11-22); giving it back costs no measurable time. One thread.
    """

    def __init__(self, path: Path, options: onnxruntime.SessionOptions, device: Device) -> None:
        super().__init__(str(path), sess_options=options, providers=[_provider(device)])
        self._arena = "cpu:0" if device == CPU else f"cpu:0;gpu:{_number(device)}"
        self._cancel: Cancellable | None = None

    @contextmanager
    def until(self, cancel: Cancellable) -> Iterator[None]:
        """What runs inside ends soon after `cancel`, with an exception of ONNX Runtime's."""
        self._cancel = cancel
        try:
            yield
        finally:
            self._cancel = None

    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, npt.NDArray[np.generic]],
        run_options: onnxruntime.RunOptions | None = None,
    ) -> list[npt.NDArray[np.generic]]:
        options = run_options or onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", self._arena)
        if self._cancel is None:
            return list(super().run(output_names, input_feed, options))
        done = threading.Event()
        watch = threading.Thread(target=_stop_run, args=(options, self._cancel, done), daemon=True)
        watch.start()
        try:
            return list(super().run(output_names, input_feed, options))
        finally:
            done.set()
            watch.join()


def _stop_run(options: onnxruntime.RunOptions, cancel: Cancellable, done: threading.Event) -> None:
    while not done.wait(_LOOK_EVERY_S):
        if cancel.cancelled:
            options.terminate = True
            return


def onnx_session(path: Path, device: Device, *, threads: int) -> OnnxSession:
    """Load `path`. `threads`: cores for one run.

    Raises: ModelNotFound, ModelCorrupt, ModelIncompatible, OutOfMemory.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(threads, 1)
    # Else its threads keep their cores busy after each run, waiting for the next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Warnings are about single layers; they would fill the log of every load.
    options.log_severity_level = 3
    try:
        return OnnxSession(path, options, device)
    except ModelIncompatible:
        raise
    except Exception as error:
        raise load_error(error, path.name) from error


def _provider(device: Device) -> str | tuple[str, dict[str, str]]:
    if device == CPU:
        return "CPUExecutionProvider"
    if not device.startswith("cuda"):
        raise ModelIncompatible(
            f"this engine runs on cpu or cuda, not on {device}", hint="Set the model's device to cpu."
        )
    if _CUDA not in onnxruntime.get_available_providers():
        raise ModelIncompatible(
            "the installed ONNX Runtime has no support for CUDA",
            hint="Set the model's device to cpu, or put onnxruntime-gpu into the engine's environment.",
            context={"device": device},
        )
    # As piper-tts asks for it: an exhaustive search for the best algorithm takes seconds for each new length.
    return _CUDA, {"device_id": _number(device), "cudnn_conv_algo_search": "HEURISTIC"}


def _number(device: Device) -> str:
    return device.partition(":")[2] or "0"
