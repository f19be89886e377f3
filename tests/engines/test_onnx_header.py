from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper, save

from alltalk_plugin.domain.errors import AlltalkError, ModelCorrupt, ModelNotFound, UnsafeCheckpoint
from alltalk_plugin.engines.onnx_header import read_header
from tests.checkpoints.write_piper import voice_model


def model_of(*nodes: NodeProto, weights: tuple[TensorProto, ...] = ()) -> ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 8]), *_as_inputs(weights)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        list(weights),
    )
    return helper.make_model(graph)


def _as_inputs(weights: tuple[TensorProto, ...]) -> list[ValueInfoProto]:
    return [helper.make_tensor_value_info(each.name, each.data_type, list(each.dims)) for each in weights]


def stored_in(location: str) -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros((4, 4), np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("offset", "0"), ("location", location), ("length", "64")):
        tensor.external_data.add(key=key, value=value)
    return tensor


def test_header_names_what_goes_in_and_out_but_no_weights(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.zeros((4, 2, 3), np.float32), "w")
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[8])
    save(model_of(node, weights=(weights,)), str(tmp_path / "m.onnx"))
    header = read_header(tmp_path / "m.onnx")
    assert (header.inputs, header.outputs) == (("x",), ("y",))
    assert header.stages == ((2, 8),)
    assert header.external == ()


def test_header_of_a_voice(tmp_path: Path) -> None:
    save(voice_model(many=True), str(tmp_path / "voice.onnx"))
    assert read_header(tmp_path / "voice.onnx").inputs == ("input", "input_lengths", "scales", "sid")


def in_weights(location: str) -> ModelProto:
    return model_of(helper.make_node("Identity", ["x"], ["y"]), weights=(stored_in(location),))


def in_a_constant(location: str) -> ModelProto:
    return model_of(helper.make_node("Constant", [], ["y"], value=stored_in(location)))


def in_a_branch(location: str) -> ModelProto:
    constant = helper.make_node("Constant", [], ["z"], value=stored_in(location))
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    branch = helper.make_graph([constant], "branch", [], [out])
    return model_of(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))


def in_a_function(location: str) -> ModelProto:
    model = model_of(helper.make_node("Mine", ["x"], ["y"], domain="own"))
    constant = helper.make_node("Constant", [], ["b"], value=stored_in(location))
    model.functions.append(
        helper.make_function("own", "Mine", ["a"], ["b"], [constant], [helper.make_opsetid("", 15)])
    )
    return model


def in_a_sparse_tensor(location: str) -> ModelProto:
    model = model_of(helper.make_node("Identity", ["x"], ["y"]))
    model.graph.sparse_initializer.add().values.CopyFrom(stored_in(location))
    return model


PLACES = (in_weights, in_a_constant, in_a_branch, in_a_function, in_a_sparse_tensor)


@pytest.mark.parametrize("place", PLACES)
def test_weights_beside_it_are_found_wherever_they_are_named(
    tmp_path: Path, place: Callable[[str], ModelProto]
) -> None:
    (tmp_path / "m.onnx").write_bytes(place("m.bin").SerializeToString())
    assert read_header(tmp_path / "m.onnx").external == (tmp_path.resolve() / "m.bin",)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "location",
    ["../m.bin", "/etc/passwd", "a/../../m.bin", "..\\m.bin", "C:m.bin", "\\\\host\\share", "a\0b"],
)
def test_weights_outside_the_folder_then_unsafe(
    tmp_path: Path, place: Callable[[str], ModelProto], location: str
) -> None:
    (tmp_path / "m.onnx").write_bytes(place(location).SerializeToString())
    with pytest.raises(UnsafeCheckpoint):
        read_header(tmp_path / "m.onnx")


def test_weights_behind_a_link_that_leaves_the_folder_then_unsafe(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_bytes(b"")
    (tmp_path / "model" / "m.bin").symlink_to(tmp_path / "secret")
    (tmp_path / "model" / "m.onnx").write_bytes(in_weights("m.bin").SerializeToString())
    with pytest.raises(UnsafeCheckpoint):
        read_header(tmp_path / "model" / "m.onnx")


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"no protobuf at all", b"\xff" * 40, b"PK\x03\x04", b"\x80\x02}q\0."]
)
def test_file_that_is_no_onnx_then_corrupt(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(raw)
    with pytest.raises(ModelCorrupt):
        read_header(tmp_path / "m.onnx")


def test_file_cut_anywhere_then_corrupt(tmp_path: Path) -> None:
    whole = voice_model(many=False).SerializeToString()
    for length in range(1, len(whole), 97):
        (tmp_path / f"{length}.onnx").write_bytes(whole[:length])
        with pytest.raises(ModelCorrupt):
            read_header(tmp_path / f"{length}.onnx")


def test_graphs_nested_without_end_then_corrupt(tmp_path: Path) -> None:
    inner = b""
    for _ in range(40):  # a graph in an attribute of a node of a graph
        inner = _bytes_field(1, _bytes_field(5, _bytes_field(6, inner)))
    (tmp_path / "m.onnx").write_bytes(_bytes_field(7, inner))
    with pytest.raises(ModelCorrupt):
        read_header(tmp_path / "m.onnx")


def _bytes_field(number: int, content: bytes) -> bytes:
    length = len(content)
    sizes = bytearray()
    while length >= 0x80:
        sizes.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2]) + bytes(sizes) + bytes([length]) + content


def test_missing_file_then_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        read_header(tmp_path / "m.onnx")


def test_header_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    save(voice_model(many=False), str(path))
    before = read_header(path)
    save(voice_model(many=True), str(path))
    assert read_header(path) != before


@settings(max_examples=60)
@given(place=st.integers(0, 2_000), byte=st.integers(0, 255))
def test_one_wrong_byte_gives_a_header_or_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    raw = bytearray(voice_model(many=False).SerializeToString())
    raw[place % len(raw)] = byte
    path = tmp_path_factory.mktemp("flipped") / "m.onnx"
    path.write_bytes(raw)
    try:
        read_header(path)
    except AlltalkError as error:
        assert isinstance(error, ModelCorrupt | UnsafeCheckpoint)
