"""Checkpoints made by hand: the bytes that PyTorch writes, without PyTorch."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class Calls:
    """Pickles as a call of `what` with `arguments`."""

    def __init__(self, what: Any, *arguments: Any) -> None:
        self.what, self.arguments = what, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.what, self.arguments


def global_pickle(module: str, name: str) -> bytes:
    """A pickle that imports one thing and calls it with nothing, as PyTorch writes them (protocol 2)."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b")R."


def write_zip(
    path: Path, data: bytes, *, tensors: int = 1_000, extra: dict[str, bytes] | None = None
) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/data/0", bytes(range(250)) * (tensors // 250))
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def write_legacy(path: Path, held: bytes) -> Path:
    heads = [pickle.dumps(one, protocol=2) for one in (LEGACY_MAGIC, 1_001, {"little_endian": True})]
    path.write_bytes(b"".join((*heads, held, pickle.dumps([], protocol=2))) + bytes(100))
    return path


def write_safetensors(path: Path, *, tensor_bytes: int = 400, missing: int = 0) -> Path:
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [tensor_bytes // 4], "data_offsets": [0, tensor_bytes]},
        }
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(tensor_bytes - missing))
    return path


def write_model(folder: Path, *, weights: str = "model.pth", **config: Any) -> Path:
    """A folder that looks like a model of VITS."""
    folder.mkdir(parents=True, exist_ok=True)
    described = {"model": "vits", "audio": {"sample_rate": 22_050}, "model_args": {}, **config}
    (folder / "config.json").write_text(json.dumps(described))
    if weights.endswith(".safetensors"):
        write_safetensors(folder / weights)
    else:
        write_zip(folder / weights, pickle.dumps({"model": {}}, protocol=2))
    return folder


def flip(path: Path, needle: bytes) -> None:
    """Change one bit where `needle` is."""
    raw = bytearray(path.read_bytes())
    raw[raw.index(needle)] ^= 1
    path.write_bytes(raw)
