"""Which file in a folder is what. Standard library only."""

from __future__ import annotations

import re
from pathlib import Path

from alltalk_plugin.domain.errors import ModelIncompatible, ModelNotFound

CONFIG = "config.json"
_WEIGHTS = (".safetensors", ".pth", ".pt", ".tar")
_USUAL = ("model", "model_file", "best_model")
_OTHER_PARTS = re.compile(
    r"(vocoder|speaker|spk|language|lang_|d_?vector|embedding|model_se|se_|encoder|dvae|mel_stats|optimi)",
    re.IGNORECASE,
)
_VOCODERS = (
    ("vocoder.safetensors", "vocoder_config.json"),
    ("vocoder.pth", "vocoder_config.json"),
    ("vocoder_model.pth", "vocoder_config.json"),
    ("vocoder_model.pth.tar", "vocoder_config.json"),
    ("vocoder_model.pth", "config_vocoder.json"),
    ("vocoder_model.pth.tar", "config_vocoder.json"),
)


def model_files(path: Path) -> tuple[Path, Path]:
    """The weights and the config of the model at a folder or at a weights file.

    Raises: ModelNotFound, ModelIncompatible when several files could be the weights.
    """
    folder = path if path.is_dir() else path.parent
    config = folder / CONFIG
    if not path.exists():
        raise ModelNotFound(f"there is no model at {path}", context={"path": str(path)})
    if not config.is_file():
        raise ModelNotFound(
            f"{folder} has no {CONFIG}",
            hint=f"Put the {CONFIG} that was published with the weights beside them.",
            context={"path": str(config)},
        )
    return (_weights_in(folder) if path.is_dir() else path), config


def vocoder_files(folder: Path) -> tuple[Path, Path] | None:
    """The weights and the config of the vocoder that lies beside a model, by the usual names."""
    own = folder / "vocoder"
    if own.is_dir():
        return model_files(own)
    pairs = ((folder / weights, folder / config) for weights, config in _VOCODERS)
    return next((pair for pair in pairs if all(file.is_file() for file in pair)), None)


def stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of every file that could belong to a model; changes whenever one of them does."""
    folder = path if path.is_dir() else path.parent
    try:
        found = [*folder.iterdir(), *(folder / "vocoder").glob("*")]
        return tuple(sorted((str(file), *_size_and_time(file)) for file in found if file.is_file()))
    except OSError:
        return ()


def _size_and_time(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _weights_in(folder: Path) -> Path:
    found = [
        file
        for file in sorted(folder.iterdir())
        if file.is_file() and file.suffix in _WEIGHTS and not _OTHER_PARTS.match(file.name)
    ]
    for suffix in _WEIGHTS:
        of_kind = [file for file in found if file.suffix == suffix]
        usual = [file for file in of_kind if file.name.partition(".")[0] in _USUAL]
        for group in (usual, of_kind):
            if len(group) == 1:
                return group[0]
        if of_kind:
            raise ModelIncompatible(
                f"{folder} has several files that could be the weights",
                hint=f"Give the path of one of them: {', '.join(file.name for file in of_kind[:4])}.",
                context={"path": str(folder)},
            )
    raise ModelNotFound(
        f"{folder} has no weights (*.safetensors, *.pth)",
        hint="Put the model's weights into that folder, or correct the model's path.",
        context={"path": str(folder)},
    )
