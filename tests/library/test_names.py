from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.domain.errors import NameTaken, RequestError
from alltalk_plugin.library.names import LONGEST, check_free, checked_name, name_fault, usable_name


@pytest.mark.parametrize(
    "name",
    [
        "anna",
        "xtts - xttsv2_2.0.3",
        "Clint_Eastwood CC3 (enhanced)",
        "Zoë",
        "声",
        "v1.2",
        "a'b",
        "console",
        "con1",
    ],
)
def test_name_when_ordinary_then_kept(name: str) -> None:
    assert checked_name(name, "voice") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "...",
        "-",
        "../up",
        "a/b",
        "a\\b",
        "C:x",
        "a:b",
        "a*b",
        'a"b',
        "a<b",
        "a|b",
        "what?",
        " a",
        "a ",
        "a.",
        ".hidden",
        "--force",
        "con",
        "CON",
        "nul.txt",
        "Lpt1",
        "com¹",
        "aux .wav",
        "a\nb",
        "a\0b",
        "\u202eabc",
        "a\u200bb",
        "\ud800",
        "x" * (LONGEST + 1),
    ],
)
def test_name_when_it_could_be_a_path_or_no_file_then_refused(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        checked_name(name, "model")
    assert caught.value.message and "\n" not in caught.value.message


def test_name_when_macos_took_it_apart_then_put_together() -> None:
    apart = unicodedata.normalize("NFD", "Zoë")
    assert name_fault(apart) is not None
    assert checked_name(apart, "voice") == "Zoë"


def test_name_when_only_case_differs_then_taken() -> None:
    with pytest.raises(NameTaken, match="'Anna'"):
        check_free("ANNA", ["Bert", "Anna"], "voice")
    check_free("Carla", ["Bert", "Anna"], "voice")


@given(st.text(max_size=100))
def test_name_when_accepted_then_one_plain_part_of_a_path(name: str) -> None:
    if name_fault(name) is None:
        assert not set(name) & set("/\\:\0") and name not in {".", ".."} and name == name.strip()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("up - af_heart", "up - af_heart"),
        ("up - a/b:c", "up - a_b_c"),
        ("up - \u202ex", "up - _x"),
        ("/", None),
    ],
)
def test_word_of_a_server_when_made_a_name_then_usable(text: str, name: str | None) -> None:
    assert usable_name(text) == name
