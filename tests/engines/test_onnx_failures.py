from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import (
    ModelCorrupt,
    ModelError,
    ModelIncompatible,
    ModelNotFound,
    OutOfMemory,
    SynthesisFailed,
)
from alltalk_plugin.engines.onnx_failures import load_error, run_error


class InvalidProtobuf(Exception):
    pass


class NoSuchFile(Exception):
    pass


class Fail(Exception):
    pass


class RuntimeException(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidProtobuf("[ONNXRuntimeError] : 7"), ModelCorrupt),
        (NoSuchFile("x.onnx"), ModelNotFound),
        (Fail("not a registered function/op"), ModelIncompatible),
        (RuntimeException("std::bad_alloc"), OutOfMemory),
        (RuntimeException("Failed to allocate memory for requested buffer of size 9"), OutOfMemory),
        (MemoryError(), OutOfMemory),
    ],
)
def test_load_error_names_what_is_wrong(error: Exception, kind: type[ModelError]) -> None:
    assert type(load_error(error, "voice.onnx")) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [(Fail("indices element out of data bounds"), SynthesisFailed), (MemoryError(), OutOfMemory)],
)
def test_run_error_leaves_the_model_usable_unless_memory_is_out(
    error: Exception, kind: type[ModelError]
) -> None:
    assert type(run_error(error)) is kind


def test_run_error_keeps_one_line_of_what_onnx_runtime_says() -> None:
    assert "second" not in run_error(Fail("first\nsecond")).message
