"""What a pickle would call."""

from __future__ import annotations

import io
import os
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.domain.errors import ModelCorrupt, UnsafeCheckpoint
from alltalk_plugin.engines.coqui.pickles import check_pickle, globals_of, plain_parts
from tests.engines.coqui.handmade import Calls, global_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def found(raw: bytes) -> set[tuple[str, str]]:
    return set(globals_of(io.BytesIO(raw)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_globals_of_a_call_whatever_the_protocol_are_named(protocol: int) -> None:
    raw = pickle.dumps([Calls(os.system, "true"), Calls(os.system, "false")], protocol=protocol)
    assert (os.system.__module__, "system") in found(raw)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        {"model": OrderedDict(a=1), "loss": np.float64(0.5), "steps": defaultdict(dict), "b": b"\x80"},
        {"mean": np.zeros(3), "kinds": {1, 2}, "z": 1j},
    ],
)
def test_what_training_leaves_beside_weights_is_no_danger(protocol: int, value: Any) -> None:
    check_pickle(io.BytesIO(pickle.dumps(value, protocol=protocol)), "file")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("torch._utils", "_import_dotted_name"),
        ("numpy", "load"),
        ("collections", "namedtuple"),
        ("TTS.tts.configs.xtts_config", "XttsConfig"),
    ],
)
def test_anything_that_weights_do_not_need_then_unsafe_and_named(module: str, name: str) -> None:
    with pytest.raises(UnsafeCheckpoint) as caught:
        check_pickle(io.BytesIO(global_pickle(module, name)), "model.pth")
    assert caught.value.context == {"path": "model.pth", "global": f"{module}.{name}"}


def test_besides_lets_what_one_kind_of_model_carries_through() -> None:
    raw = global_pickle("TTS.tts.configs.xtts_config", "XttsConfig")
    check_pickle(io.BytesIO(raw), "model.pth", besides={("TTS.tts.configs.xtts_config", "XttsConfig")})


@pytest.mark.parametrize(
    "raw",
    [
        # The name is computed: two texts that a call returns.
        b"\x80\x04\x8c\x05torch\x8c\x06system0\x8c\x02os\x93.",
        # The top of the stack is not what was pushed last.
        b"\x80\x04\x8c\x05torch\x8c\x06device\x8c\x02os000\x93.",
        # A name out of the memo, where no text lies.
        b"\x80\x04K\x01\x94\x8c\x05torchh\x00\x93.",
        # An extension code stands for any name.
        b"\x80\x02\x82\x01.",
    ],
)
def test_a_name_that_cannot_be_known_then_unsafe(raw: bytes) -> None:
    with pytest.raises(UnsafeCheckpoint):
        check_pickle(io.BytesIO(raw), "model.pth")


def test_a_memo_that_is_written_over_gives_the_later_name() -> None:
    raw = b"\x80\x04\x8c\x05torch\x94\x8c\x02osq\x00\x8c\x06deviceq\x010h\x00\x8c\x06system\x93."
    assert found(raw) == {("os", "system")}


@pytest.mark.parametrize("raw", [b"", b"\x80", b"not a pickle", b"\x80\x02}", b"\x00" * 40, b"\x80\x02cos"])
def test_bytes_that_are_no_pickle_then_corrupt(raw: bytes) -> None:
    with pytest.raises(ModelCorrupt):
        check_pickle(io.BytesIO(raw), "model.pth")


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_judged_and_never_run(raw: bytes) -> None:
    try:
        check_pickle(io.BytesIO(raw), "model.pth")
        plain_parts(io.BytesIO(raw), "model.pth")
    except (ModelCorrupt, UnsafeCheckpoint):
        pass


@settings(max_examples=100)
@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.tuples(inner)))
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_call_among_any_other_values_is_found(protocol: int, other: Any) -> None:
    raw = pickle.dumps([other, Calls(os.system, "true"), other], protocol=protocol)
    assert (os.system.__module__, "system") in found(raw)


def test_plain_parts_of_names_and_tensors_keep_the_names(tmp_path: Path) -> None:
    mark = tmp_path / "made"
    raw = pickle.dumps(OrderedDict(Ada=Calls(Path.touch, mark), Ben=[1, "two"]), protocol=2)
    read = plain_parts(io.BytesIO(raw), "speakers.pth")
    assert isinstance(read, dict)
    assert list(read) == ["Ada", "Ben"]
    assert read["Ben"] == [1, "two"]
    assert not mark.exists()
