"""Files of weights: their kind, size and state."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from alltalk_plugin.domain.errors import ModelCorrupt, ModelNotFound, UnsafeCheckpoint
from alltalk_plugin.engines.coqui.files import (
    check_weights,
    check_whole,
    checked_whole,
    names_in,
    safetensors_header,
    weights_bytes,
)
from tests.engines.coqui.handmade import (
    Calls,
    flip,
    global_pickle,
    write_legacy,
    write_safetensors,
    write_zip,
)

HARMLESS = pickle.dumps({"model": {"a": 1}}, protocol=2)


def malicious(mark: Path) -> bytes:
    return pickle.dumps({"model": Calls(os.mkdir, str(mark))}, protocol=2)


def test_harmless_files_of_every_format_pass(tmp_path: Path) -> None:
    check_weights(write_zip(tmp_path / "a.pth", HARMLESS))
    check_weights(write_legacy(tmp_path / "b.pth", HARMLESS))
    check_weights(write_safetensors(tmp_path / "c.safetensors"))
    np.save(tmp_path / "d.npy", np.zeros(4))
    check_weights(tmp_path / "d.npy")
    np.save(tmp_path / "e.npy", np.array({"mel_mean": np.zeros(3)}, dtype=object), allow_pickle=True)
    check_weights(tmp_path / "e.npy")


def test_a_payload_in_any_format_then_unsafe_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "made"
    paths = [
        write_zip(tmp_path / "a.pth", malicious(mark)),
        write_legacy(tmp_path / "b.pth", malicious(mark)),
        tmp_path / "c.npy",
        tmp_path / "plain.pth",
        write_zip(tmp_path / "named.safetensors.pth", malicious(mark)),
    ]
    np.save(paths[2], np.array({"a": Calls(os.mkdir, str(mark))}, dtype=object), allow_pickle=True)
    paths[3].write_bytes(malicious(mark))
    for path in paths:
        with pytest.raises(UnsafeCheckpoint) as caught:
            check_weights(path)
        assert str(caught.value.context["global"]).endswith("mkdir"), path
        assert caught.value.hint
    assert not mark.exists()


def test_a_payload_behind_the_safetensors_name_is_not_read_as_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(malicious(tmp_path / "made"))
    with pytest.raises(ModelCorrupt):
        check_weights(path)


def test_a_torchscript_program_then_unsafe(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "a.pth", HARMLESS, extra={"archive/constants.pkl": b"", "archive/code/x.py": b""}
    )
    with pytest.raises(UnsafeCheckpoint):
        check_weights(path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-60]),
        lambda path: path.write_bytes(path.read_bytes()[:40]),
        lambda path: path.write_bytes(b"PK\x03\x04" + bytes(500)),
        lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"),
        lambda path: path.write_bytes(os.urandom(64)),
        lambda path: write_zip(path, b"no pickle"),
        lambda path: write_zip(path, HARMLESS, extra={"other/data.pkl": HARMLESS}),
        lambda path: path.write_bytes(HARMLESS),
    ],
)
def test_a_spoilt_file_then_corrupt(tmp_path: Path, spoil: object) -> None:
    path = write_zip(tmp_path / "model.pth", HARMLESS)
    assert callable(spoil)
    spoil(path)
    with pytest.raises(ModelCorrupt):
        check_weights(path)


def test_a_file_that_is_not_there_then_not_found(tmp_path: Path) -> None:
    for judge in (check_weights, check_whole, weights_bytes, names_in):
        with pytest.raises(ModelNotFound):
            judge(tmp_path / "none.pth")


def test_weights_bytes_are_those_of_the_tensors(tmp_path: Path) -> None:
    assert weights_bytes(write_zip(tmp_path / "a.pth", HARMLESS, tensors=5_000)) == 5_000
    assert weights_bytes(write_safetensors(tmp_path / "b.safetensors", tensor_bytes=480)) == 480
    legacy = write_legacy(tmp_path / "c.pth", HARMLESS)
    assert weights_bytes(legacy) == legacy.stat().st_size


def test_a_flipped_bit_in_a_tensor_then_corrupt_and_the_entry_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.pth", HARMLESS)
    check_whole(path)
    flip(path, bytes(range(100, 200)))
    check_weights(path)  # the headers know nothing of it
    with pytest.raises(ModelCorrupt) as caught:
        check_whole(path)
    assert caught.value.context["entry"] == "archive/data/0"


def test_checked_whole_when_a_file_is_damaged_then_corrupt_at_the_end(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.pth", HARMLESS)
    with checked_whole([path]):
        pass
    flip(path, bytes(range(100, 200)))
    done = []
    with pytest.raises(ModelCorrupt), checked_whole([path]):
        done.append("read meanwhile")
    assert done


def test_checked_whole_when_the_damage_breaks_the_reading_then_corrupt_in_its_place(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.pth", HARMLESS)
    flip(path, bytes(range(100, 200)))
    with pytest.raises(ModelCorrupt) as caught, checked_whole([path]):
        raise ValueError("what a damaged file made go wrong")
    assert isinstance(caught.value.__context__, ValueError)


def test_checked_whole_when_the_files_are_whole_then_another_error_passes(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.pth", HARMLESS)
    with pytest.raises(ValueError, match="not of the file"), checked_whole([path]):
        raise ValueError("not of the file")


def test_formats_without_checksums_are_taken_as_they_are(tmp_path: Path) -> None:
    check_whole(write_safetensors(tmp_path / "a.safetensors"))
    check_whole(write_legacy(tmp_path / "b.pth", HARMLESS))


@pytest.mark.parametrize("missing", [1, 400])
def test_safetensors_cut_short_then_corrupt(tmp_path: Path, missing: int) -> None:
    with pytest.raises(ModelCorrupt):
        safetensors_header(write_safetensors(tmp_path / "a.safetensors", missing=missing))


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\xff" * 8, b"\x05" + bytes(7) + b"[1,2]", bytes(8) + b"{}"])
def test_safetensors_without_a_header_then_corrupt(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(raw)
    with pytest.raises(ModelCorrupt):
        safetensors_header(path)


def test_names_are_read_from_json_and_from_pickles(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"Ada": 0, "Ben": 1}))
    assert names_in(tmp_path / "a.json") == ("Ada", "Ben")
    named = pickle.dumps({"Ada": 0, "Ben": 1}, protocol=2)
    assert names_in(write_zip(tmp_path / "b.pth", named)) == ("Ada", "Ben")
    assert names_in(write_legacy(tmp_path / "c.pth", named)) == ("Ada", "Ben")
    (tmp_path / "d.json").write_text(json.dumps({"clip1": {"name": "Ada", "embedding": [0.1]}, "clip2": 3}))
    assert names_in(tmp_path / "d.json", field="name") == ("Ada",)


def test_names_in_what_is_no_mapping_then_corrupt(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.json").write_text("{")
    for path in (
        tmp_path / "a.json",
        tmp_path / "b.json",
        write_zip(tmp_path / "c.pth", pickle.dumps([1], protocol=2)),
    ):
        with pytest.raises(ModelCorrupt):
            names_in(path)


def test_names_in_a_payload_then_unsafe_and_not_run(tmp_path: Path) -> None:
    with pytest.raises(UnsafeCheckpoint):
        names_in(write_zip(tmp_path / "a.pth", malicious(tmp_path / "made")))
    with pytest.raises(UnsafeCheckpoint):
        names_in(write_legacy(tmp_path / "b.pth", global_pickle("os", "getcwd")))
    assert not (tmp_path / "made").exists()
