"""Language tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.domain.language import LanguageTag, base_language, language_tag, same_language


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("en", "en"),
        ("EN_us", "en-US"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("ZH-HANT", "zh-Hant"),
        ("es-419", "es-419"),
        ("cmn", "cmn"),
    ],
)
def test_tag_when_well_shaped_then_in_canonical_case(text: str, tag: str) -> None:
    assert language_tag(text) == tag


@pytest.mark.parametrize(
    "text", ["", "e", "english", "en-", "-en", "en us", "en--us", "en\n", "1n", "en-ü", "en-x-rp"]
)
def test_tag_when_misshapen_then_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a BCP 47"):
        language_tag(text)


@given(st.from_regex(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", fullmatch=True))
def test_tag_when_made_twice_then_the_same(text: str) -> None:
    tag = language_tag(text)
    assert language_tag(tag) == tag
    assert language_tag(tag.upper()) == tag
    assert base_language(tag) == tag.split("-")[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("pt-BR", "pt", True),
        ("zh-Hans", "cmn", True),
        ("nb", "no", True),
        ("nb-NO", "nn", True),
        ("iw", "he", True),
        ("en", "de", False),
        ("no", "nl", False),
    ],
)
def test_languages_when_named_differently_then_still_compared_by_language(
    one: str, other: str, same: bool
) -> None:
    assert same_language(LanguageTag(one), LanguageTag(other)) is same
    assert same_language(LanguageTag(other), LanguageTag(one)) is same
