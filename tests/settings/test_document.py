"""YAML as this project reads it."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import SettingsError
from alltalk_plugin.settings.document import parse, plain_means_itself


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("7", 7),
        ("-7", -7),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".", "."),
        (".inf", ".inf"),
        ("5e", "5e"),
        ("~", None),
        ("", None),
        ("null", None),
        ("'7'", "7"),
    ],
)
def test_scalar_when_plain_then_only_core_types_are_implied(scalar: str, value: object) -> None:
    read = parse(f"key: {scalar}", "f").values["key"]
    assert read == value
    assert type(read) is type(value)


def test_keys_when_they_look_like_numbers_then_stay_text() -> None:
    assert list(parse("404: a\nnull: b\ntrue: c\n007: d", "f").values) == ["404", "null", "true", "007"]


def test_line_when_key_is_unknown_then_nearest_above() -> None:
    document = parse("a:\n  b:\n    - x\n    - y\n", "f")
    assert document.line(("a", "b", 1)) == 4
    assert document.line(("a", "b", "gone")) == 2
    assert document.line(("gone",)) is None


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "stands on line 1 already"),
        ("x:\n  a: 1\n  'a': 3\n", 3, "x.a: the key stands on line 2"),
        ("- a\n", 1, "keys and values"),
        ("a: 1\nb: [\n", 3, "not valid YAML"),
        ("a:\n\t- b\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 1\n", 2, "not valid YAML"),
        ("a: \x01\n", 1, "not valid YAML"),
        ("? [a]\n: 1\n", 1, "a key must be plain text"),
        ("a: !!python/object:os.system x\n", 1, "not valid YAML"),
        ("b: 1\na: !!int x\n", 2, "does not fit its type int"),
        ("a: &x [*x]\n", 1, "nested too deeply"),
    ],
)
def test_text_when_not_usable_then_the_error_names_file_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(text, "s.yaml")
    assert caught.value.context["file"] == "s.yaml"
    assert caught.value.context["line"] == line
    assert f"s.yaml, line {line}: " in caught.value.message
    assert words in caught.value.message


def test_anchor_when_used_then_stands_for_its_value() -> None:
    assert parse("a: &v [1, 2]\nb: *v\n", "f").values == {"a": [1, 2], "b": [1, 2]}


def test_plain_text_when_it_would_read_as_another_type_then_needs_quotes() -> None:
    assert [plain_means_itself(text) for text in ("no", "a7", "7", "1.0", "true", "", "~")] == [
        True,
        True,
        False,
        False,
        False,
        False,
        False,
    ]
