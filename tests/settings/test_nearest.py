"""Suggestions in error messages."""

from __future__ import annotations

import pytest

from alltalk_plugin.settings.nearest import did_you_mean, nearest_name


@pytest.mark.parametrize(
    ("name", "known", "nearest"),
    [
        ("spech", ["speech", "swap"], "speech"),
        ("ARIA", ["Aria", "Bob"], "Aria"),
        ("xyz", ["Aria"], None),
        ("a", [], None),
    ],
)
def test_nearest_when_asked_then_the_most_similar(name: str, known: list[str], nearest: str | None) -> None:
    assert nearest_name(name, known) == nearest


@pytest.mark.parametrize(
    ("name", "known", "clause"),
    [
        ("spech", ["speech"], "; did you mean 'speech'?"),
        ("xyz", ["b", "a"], "; known: a, b"),
        ("xyz", [str(n) for n in range(100)], ""),
        ("xyz", [], ""),
    ],
)
def test_clause_when_nothing_is_near_then_a_few_names_are_listed(
    name: str, known: list[str], clause: str
) -> None:
    assert did_you_mean(name, known) == clause
