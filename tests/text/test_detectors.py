"""Detectors of packages that are installed on wish: the adapters, against modules made for it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import pytest

from alltalk_plugin.domain.errors import SettingsError
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.ports import LanguageDetector
from alltalk_plugin.text.detectors import Cld2Detector, LinguaDetector, installed

EN, DE, NO, HE = (LanguageTag(tag) for tag in ("en", "de", "no", "he"))


@dataclass(frozen=True)
class Code:
    name: str


@dataclass(frozen=True)
class Language:
    iso_code_639_1: Code

    @classmethod
    def all(cls) -> list[Language]:
        return [cls(Code(name)) for name in ("EN", "DE", "NB", "NN")]


@dataclass(frozen=True)
class Value:
    language: Language
    value: float


@dataclass
class Built:
    languages: tuple[Language, ...]
    low: bool = False

    def compute_language_confidence_values(self, text: str) -> list[Value]:
        shares = {"EN": 0.2, "DE": 0.1, "NB": 0.4, "NN": 0.3}
        return [Value(each, shares[each.iso_code_639_1.name]) for each in self.languages]


@dataclass
class Lingua:
    """The part of lingua that is used; `builds` remembers what was built."""

    builds: list[Built] = field(default_factory=list)
    loads: int = 0
    Language: ClassVar[type] = Language

    def __call__(self) -> Self:
        self.loads += 1
        return self

    @property
    def LanguageDetectorBuilder(self) -> Self:  # noqa: N802 - lingua's own name
        return self

    def from_languages(self, *languages: Any) -> Self:
        self.builds.append(Built(languages))
        return self

    def with_low_accuracy_mode(self) -> Self:
        self.builds[-1].low = True
        return self

    def build(self) -> Built:
        return self.builds[-1]


def test_lingua_when_asked_then_answers_among_the_candidates_only() -> None:
    lingua = Lingua()
    detector = LinguaDetector(load=lingua)
    found = detector.detect("qwrt zxcv bnmp", (EN, DE))
    assert found is not None
    assert (found.language, round(found.probability, 2)) == (EN, 0.67)
    assert [each.iso_code_639_1.name for each in lingua.builds[0].languages] == ["EN", "DE"]
    assert not lingua.builds[0].low


def test_lingua_when_norwegian_is_a_candidate_then_both_its_forms_count() -> None:
    found = LinguaDetector(load=Lingua()).detect("qwrt zxcv bnmp", (EN, NO))
    assert found is not None
    assert (found.language, round(found.probability, 2)) == (NO, 0.78)


def test_lingua_when_low_accuracy_is_wanted_then_it_is_built_so_and_once() -> None:
    lingua = Lingua()
    detector = LinguaDetector(low_accuracy=True, load=lingua)
    detector.detect("one text", (EN, DE))
    detector.detect("another text", (DE, EN))
    assert [each.low for each in lingua.builds] == [True]


def test_lingua_when_it_knows_fewer_than_two_candidates_then_has_no_opinion() -> None:
    assert LinguaDetector(load=Lingua()).detect("text", (EN, HE)) is None


def test_detectors_when_there_is_one_candidate_or_no_text_then_load_nothing() -> None:
    lingua = Lingua()
    for detector in (LinguaDetector(load=lingua), Cld2Detector(load=lingua)):
        assert detector.detect("", (EN, DE)) is None
        assert detector.detect("text", ()) is None
        only = detector.detect("text", (EN,))
        assert only is not None
        assert only.language == EN
    assert lingua.loads == 0


@dataclass
class Cld2:
    """Answers as pycld2 does; `seen` is the bytes it got."""

    reliable: bool
    found: tuple[tuple[str, str, int, float], ...]
    seen: bytes = b""

    def __call__(self) -> Self:
        return self

    def detect(self, text: bytes, *, bestEffort: bool) -> tuple[bool, int, object]:  # noqa: N803 - pycld2's name
        self.seen = text
        return self.reliable, len(text), self.found


@pytest.mark.parametrize(
    ("reliable", "found", "expected"),
    [
        (True, (("ENGLISH", "en", 95, 1000.0),), (EN, 0.95)),
        (True, (("Hebrew", "iw", 90, 1000.0),), (HE, 0.9)),
        (False, (("ENGLISH", "en", 80, 10.0),), (EN, 0.4)),
        (True, (("Klingon", "tlh", 99, 10.0),), None),
    ],
)
def test_cld2_when_it_answers_then_only_candidates_count_and_doubt_halves(
    reliable: bool, found: tuple[tuple[str, str, int, float], ...], expected: tuple[LanguageTag, float] | None
) -> None:
    answer = Cld2Detector(load=Cld2(reliable, found)).detect("qwrt zxcv", (EN, DE, HE))
    got = None if answer is None else (answer.language, round(answer.probability, 2))
    assert got == expected


def test_cld2_when_text_has_what_it_cannot_read_then_it_never_sees_that() -> None:
    cld2 = Cld2(True, (("ENGLISH", "en", 95, 1000.0),))
    Cld2Detector(load=cld2).detect("a\x00b\ud800c", (EN, DE))
    assert cld2.seen == b"a b c"


def test_installed_when_the_package_is_missing_then_the_error_names_the_extra() -> None:
    with pytest.raises(SettingsError, match="not_there") as caught:
        installed("not_there", "lingua")
    assert "alltalk-plugin[lingua]" in caught.value.hint


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("package", "detector"),
    [("lingua", LinguaDetector), ("pycld2", Cld2Detector)],
)
def test_detectors_when_the_real_package_is_installed_then_sentences_are_told_apart(
    package: str, detector: type[LanguageDetector]
) -> None:
    assert importlib.util.find_spec(package) is not None, "'make campaign' installs it"
    found = detector()
    for text, language in (
        ("Where have you been all this time?", "en"),
        ("Ich habe dich überall gesucht.", "de"),
        ("Je ne sais pas où il est parti.", "fr"),
    ):
        answer = found.detect(text, tuple(map(LanguageTag, ("en", "de", "fr", "it"))))
        assert answer is not None
        assert answer.language == language
