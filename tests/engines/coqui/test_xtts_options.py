from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import OptionValue
from alltalk_plugin.engines.coqui.xtts_options import STREAM_CHUNK_SIZE, XTTS_OPTIONS, Sampling, sampling_of


def test_sampling_when_nothing_is_set_then_as_in_the_library() -> None:
    assert sampling_of({}, {}) == Sampling(
        temperature=0.75, repetition_penalty=10.0, top_k=50, top_p=0.85, stream_chunk_size=STREAM_CHUNK_SIZE
    )


def test_sampling_when_the_config_says_then_as_it_says_and_options_win() -> None:
    config: dict[str, object] = {"temperature": 0.65, "top_k": 30, "repetition_penalty": 5, "model": "xtts"}
    sampling = sampling_of({"top_k": 1, "stream_chunk_size": 8}, config)
    assert (sampling.temperature, sampling.repetition_penalty, sampling.top_p) == (0.65, 5.0, 0.85)
    assert (sampling.top_k, sampling.stream_chunk_size) == (1, 8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.0),
        ("temperature", 2.1),
        ("temperature", float("nan")),
        ("repetition_penalty", 0.9),
        ("repetition_penalty", 21),
        ("top_k", 0),
        ("top_k", 1025),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("stream_chunk_size", 3),
        ("stream_chunk_size", 601),
        ("top_k", "many"),
        ("top_p", True),
    ],
)
def test_sampling_when_an_option_is_out_of_range_then_it_is_named(name: str, value: OptionValue) -> None:
    with pytest.raises(ModelIncompatible) as caught:
        sampling_of({name: value}, {})
    assert caught.value.context["option"] == name
    assert name in caught.value.message
    assert name in caught.value.hint
    assert caught.value.code == "incompatible"


@pytest.mark.parametrize("name", [*XTTS_OPTIONS])
def test_options_have_a_range_each(name: str) -> None:
    with pytest.raises(ModelIncompatible):
        sampling_of({name: -1}, {})
    with pytest.raises(ModelIncompatible, match="config"):
        sampling_of({}, {name: -1})
