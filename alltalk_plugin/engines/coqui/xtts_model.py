"""An XTTS model made from its files: quicker, with less memory, and without a write to the user's files."""

from __future__ import annotations

import zipfile
from copy import deepcopy
from pathlib import Path
from typing import cast

import torch
from TTS.tts.configs.xtts_config import XttsConfig
from TTS.tts.models.xtts import Xtts, _legacy_safe_globals

from alltalk_plugin.domain.errors import ModelCorrupt
from alltalk_plugin.engines.coqui.checkpoint import Checkpoint
from alltalk_plugin.engines.coqui.unfilled import Unfilled


def lean_model(checkpoint: Checkpoint, vocabulary: Path) -> Xtts:
    """The model, on the CPU and ready to speak. Within `failures.loading` and `failures.reading`.

    Loads outside inference mode: inside, some weights silently stop being parameters.

    Raises: ModelCorrupt, and what the library raises when weights and config are not of one model.
    """
    config = XttsConfig()
    config.from_dict(deepcopy(dict(checkpoint.config)))
    with Unfilled():
        model = _LeanXtts(config)
        model.load_checkpoint(
            config,
            checkpoint_dir=checkpoint.folder,
            checkpoint_path=checkpoint.weights[0],
            vocab_path=vocabulary,
            speaker_file_path="",  # XttsVoices reads it
        )
    return model


class _LeanXtts(Xtts):  # type: ignore[misc]  # TTS has no types
    """The library's model, made once and loaded without a write to the user's files."""

    def init_models(self) -> None:
        # The library makes everything twice, before it has read the vocabulary and after.
        if self.tokenizer.tokenizer is not None:
            super().init_models()

    def _load_checkpoint(self, model_path: Path) -> dict[str, torch.Tensor]:
        # The library's own writes a checkpoint of the published kind back in another form.
        if not zipfile.is_zipfile(model_path):
            return _tensors(torch.load(str(model_path)))
        # By its full name, which failures.reading leaves as it is: it would read all of the file into memory
        # before the first weight is copied.
        with _legacy_safe_globals():
            return _tensors(
                torch.serialization.load(model_path, map_location="cpu", weights_only=True, mmap=True)
            )


def _tensors(read: object) -> dict[str, torch.Tensor]:
    """Raises: ModelCorrupt when a checkpoint holds no model."""
    if isinstance(read, dict) and isinstance(read.get("model"), dict):
        return cast("dict[str, torch.Tensor]", read["model"])
    raise ModelCorrupt('the checkpoint has no part called "model"')
