"""One tree on one screen."""

from __future__ import annotations

import pickle
import re

import pytest

from alltalk_plugin.domain import errors
from alltalk_plugin.domain.errors import AlltalkError, VoiceNotFound, all_error_types, error_from_code


def drawn_tree() -> list[tuple[str, str, str]]:
    """(class, parent, code) of each line of the drawing at the top of the module."""
    found = []
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)(\w+) +(\w+)$", line)
        if match is None:
            if line.strip() == "AlltalkError":
                above = ["AlltalkError"]
            continue
        depth = len(match[1]) // 4
        above = [*above[:depth], match[2]]
        found.append((match[2], above[depth - 1], match[3]))
    return found


def test_drawing_when_compared_then_equals_the_real_tree() -> None:
    real = [(kind.__name__, kind.__bases__[0].__name__, kind.code) for kind in all_error_types()[1:]]
    assert sorted(drawn_tree()) == sorted(real)
    assert len(real) > 40


def test_codes_when_listed_then_unique_slugs() -> None:
    codes = [kind.code for kind in all_error_types()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("kind", all_error_types())
def test_error_when_sent_by_pickle_or_code_then_arrives_whole(kind: type[AlltalkError]) -> None:
    sent = kind("it failed", hint="do this", context={"model": "m", "bytes": 3})
    by_pickle = pickle.loads(pickle.dumps(sent))  # noqa: S301 - our own bytes
    by_code = error_from_code(sent.code, sent.message, hint=sent.hint, context=sent.context)
    for arrived in (by_pickle, by_code):
        assert type(arrived) is kind
        assert (str(arrived), arrived.hint, arrived.context) == ("it failed", "do this", sent.context)


def test_code_when_foreign_then_the_root_keeps_it() -> None:
    arrived = error_from_code("of_a_later_version", "it failed")
    assert type(arrived) is AlltalkError
    assert arrived.context == {"foreign_code": "of_a_later_version"}


def test_context_when_changed_by_the_caller_then_the_errors_own_stays() -> None:
    context: dict[str, errors.ContextValue] = {"voice": "a"}
    error = VoiceNotFound("no voice", context=context)
    context["voice"] = "b"
    assert error.context == {"voice": "a"}
    assert error.hint == VoiceNotFound.default_hint
