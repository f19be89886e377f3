"""Changing keys in a text without touching the rest."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.settings.document import parse
from alltalk_plugin.settings.edit import NotASection, SettingValue, edit

TEXT = """\
# top
speech:
    activate: no   # off for now

    # end of speech
# about voices
voices:
    007: {a: 1, b: [x,  y], }   # odd spacing
    claire:
        rate: 1.50
        note: |
           two
           lines

    # about bob
    bob:
        rate: 2  # two
characters:
    # Aria: none yet
empty: {}
last: &anchor x
again: *anchor
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("speech", "activate"), True, "activate: no   #", "activate: true   #"),
        (
            ("speech", "narrator"),
            "on",
            "# off for now\n",
            "# off for now\n    narrator: on\n",
        ),
        (("voices", "007", "a"), "404", "{a: 1, ", '{a: "404", '),
        (("voices", "007", "c"), 2, "[x,  y], }", "[x,  y], c: 2, }"),
        (("voices", "007", "a"), None, "{a: 1, b", "{b"),
        (("voices", "007", "b"), None, "a: 1, b: [x,  y], }", "a: 1, }"),
        (("voices", "007"), None, "    007: {a: 1, b: [x,  y], }   # odd spacing\n", ""),
        (
            ("voices", "claire"),
            None,
            "    claire:\n        rate: 1.50\n        note: |\n           two\n           lines\n",
            "",
        ),
        (("voices", "claire", "note"), "one", "|\n           two\n           lines\n", "one\n"),
        (("voices", "bob", "rate"), 3.5, "rate: 2  # two", "rate: 3.5  # two"),
        (("voices", "bob", "pitch"), -1, "# two\n", "# two\n        pitch: -1\n"),
        (
            ("voices", "bob"),
            {"rate": 1, "x": {"y": "z"}},
            "        rate: 2",
            "        rate: 1\n        x:\n            y: z",
        ),
        (
            ("characters", "Aria", "voice"),
            "bob",
            "characters:\n",
            "characters:\n    Aria:\n        voice: bob\n",
        ),
        (("empty", "x"), 1, "empty: {}", "empty:\n    x: 1"),
        (("last",), "y", "last: &anchor x\nagain: *anchor", "last: y\nagain: *anchor"),
        (("again",), ["a b", "c,d"], "*anchor", '[a b, "c,d"]'),
        (("new", "deep", "key"), "v", "*anchor\n", "*anchor\nnew:\n    deep:\n        key: v\n"),
        (("nothing", "here"), None, "", ""),
    ],
)
def test_edit_when_one_key_changes_then_every_other_byte_stays(
    path: tuple[str, ...], value: SettingValue, old: str, new: str
) -> None:
    assert TEXT.count(old) == 1 or not old
    if path == ("last",):
        # The anchor goes with its value; the reader then says that the alias names nothing.
        assert edit(TEXT, {path: value}) == TEXT.replace(old, new)
        return
    if path == ("voices", "bob"):
        old, new = old + "  # two", new + "  # two"
    assert edit(TEXT, {path: value}) == TEXT.replace(old, new) if old else TEXT


@pytest.mark.parametrize(
    ("text", "path", "value", "after"),
    [
        ("", ("a", "b"), 1, "a:\n  b: 1\n"),
        ("", ("a",), None, ""),
        ("# only words", ("a",), "x", "# only words\na: x\n"),
        ("a: 1", ("b",), 2, "a: 1\nb: 2\n"),
        ("a:", ("a",), 2, "a: 2"),
        ("a:  # none\nb: 1\n", ("a",), 2, "a: 2  # none\nb: 1\n"),
        ("a:\n  b: 1\n", ("a", "b"), None, "a:\n"),
        ("{a: 1}\n", ("b", "c"), True, "{a: 1, b: {c: true}}\n"),
        ("{a: {}}\n", ("a", "c"), True, "{a: {c: true}}\n"),
        ("{a: }\n", ("a", "c"), 1, "{a: {c: 1} }\n"),
        ("a:\n- 1\n- 2\nb: 3\n", ("a",), [], "a: []\nb: 3\n"),
        ("a: 'x'\n", ("a",), "yes: no", 'a: "yes: no"\n'),
        ("a: 1\n", ("a",), {}, "a: {}\n"),
    ],
)
def test_edit_when_the_text_is_small_then_exactly_this(
    text: str, path: tuple[str, ...], value: SettingValue, after: str
) -> None:
    assert edit(text, {path: value}) == after


@pytest.mark.parametrize("text", ["a: 1\n", "a: [1]\n", "a: x\n"])
def test_edit_when_the_path_leads_through_a_value_then_refused(text: str) -> None:
    with pytest.raises(NotASection, match="a"):
        edit(text, {("a", "b"): 1})


def test_edit_when_the_text_is_no_yaml_then_the_parsers_error() -> None:
    with pytest.raises(yaml.YAMLError):
        edit("a: [", {("a",): 1})


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
scalars = st.one_of(
    st.booleans(),
    st.integers(-1000, 1000),
    st.floats(allow_nan=False, allow_infinity=False),
    names,
    st.just("two\nlines"),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
paths = st.lists(
    st.sampled_from(["speech", "voices", "bob", "claire", "rate", "x y"]) | names, min_size=1, max_size=3
)


@given(
    st.lists(st.tuples(paths, values), max_size=4),
    st.sampled_from([TEXT.replace("&anchor ", "").replace("*anchor", "z"), "", "{a: {b: 1}}"]),
)
@settings(max_examples=150, deadline=None)
def test_edit_when_any_values_are_set_then_they_are_read_back_and_comments_stay(
    changes: list[tuple[list[str], SettingValue]], text: str
) -> None:
    comments = [line.strip() for line in text.splitlines() if line.strip().startswith("#")]
    expected = parse(text, "f").values
    for path, value in changes:
        try:
            text = edit(text, {tuple(path): value})
        except NotASection:
            continue
        _set(expected, path, value)
        assert parse(text, "f").values == expected
    lines = [line.strip() for line in text.splitlines()]
    removed_with_their_section = {"# about bob", "# Aria: none yet", "# end of speech"}
    assert all(comment in lines for comment in comments if comment not in removed_with_their_section)


def _set(values: dict[str, object], path: list[str], value: SettingValue) -> None:
    for key in path[:-1]:
        below = values.get(key)
        if not isinstance(below, dict):
            below = values[key] = {}
        values = below
    values[path[-1]] = value
