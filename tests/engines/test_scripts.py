from __future__ import annotations

import pytest

from alltalk_plugin.engines.scripts import _POINTS, Script, letters_by_script, script_of


@pytest.mark.parametrize(
    ("letters", "script"),
    [
        ("azÀßžḀÿʼ", Script.LATIN),
        ("αΩἀ", Script.GREEK),
        ("яїҐ", Script.CYRILLIC),
        ("բ", Script.ARMENIAN),
        ("שﬦ", Script.HEBREW),
        ("مپﷲ", Script.ARABIC),
        ("नक", Script.DEVANAGARI),
        ("ন", Script.BENGALI),
        ("ਸ", Script.GURMUKHI),
        ("ન", Script.GUJARATI),
        ("ନ", Script.ORIYA),
        ("வ", Script.TAMIL),
        ("న", Script.TELUGU),
        ("ನ", Script.KANNADA),
        ("ന", Script.MALAYALAM),
        ("ආ", Script.SINHALA),
        ("ส", Script.THAI),
        ("မ", Script.MYANMAR),
        ("გ", Script.GEORGIAN),
        ("안ᄀㄱ", Script.HANGUL),
        ("ሰ", Script.ETHIOPIC),
        ("Ꭰꮳ", Script.OTHER),
        ("こカーｶ", Script.KANA),
        ("你々𠀀豈", Script.HAN),
        ("ស", Script.OTHER),
        ("ལ", Script.OTHER),
    ],
)
def test_script_of(letters: str, script: Script) -> None:
    assert {letter: script_of(letter) for letter in letters} == dict.fromkeys(letters, script)


def test_ranges_are_in_order() -> None:
    assert sorted(set(_POINTS)) == _POINTS


def test_letters_by_script_counts_letters_alone() -> None:
    assert letters_by_script("Hi, 你好 2024!") == {Script.LATIN: 2, Script.HAN: 2}
