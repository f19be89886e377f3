"""Coqui TTS in a worker: the entry of `spec.SPEC`.

Imports what every model needs, so that a process kept ready has paid for it: 2 to 5 s. What XTTS needs
besides (transformers) takes as long again and 160 MB, so it comes with the first XTTS model.
"""

from __future__ import annotations

import gc

from alltalk_plugin.domain.engines import Engine, LoadRequest
from alltalk_plugin.domain.errors import ModelNotFound
from alltalk_plugin.engines.coqui import checkpoint, options, shims

shims.install()  # before the next line imports TTS

from alltalk_plugin.engines.coqui import acoustic, kernels  # noqa: E402  # see above

gc.freeze()  # 600,000 objects of the libraries stay for good: looking through them took 0.12 s at each load


def prepare() -> None:
    """What a process that is kept ready does while it waits."""
    kernels.compile_first_window()


def create(request: LoadRequest) -> Engine:
    """The factory of the entry.

    Raises: ModelNotFound, ModelCorrupt, ModelIncompatible, UnsafeCheckpoint, OutOfMemory.
    """
    if request.path is None:
        raise ModelNotFound(
            f"the model {request.model} has no path",
            hint="Give it one in the settings: the folder with config.json and the weights.",
        )
    read = checkpoint.read_checkpoint(request.path, options.vocoder_path(request.options))
    if read.kind == checkpoint.XTTS:
        from alltalk_plugin.engines.coqui import xtts

        return xtts.load(request, read)
    return acoustic.load(request, read)
