from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import LanguageUnsupported
from alltalk_plugin.engines.espeak_data import EspeakVoice, data_folder, read_data
from alltalk_plugin.engines.espeak_languages import _OWN, KANJI_REASON, scripts_of, without_strays
from alltalk_plugin.engines.scripts import Script


def voice(name: str) -> EspeakVoice:
    found = read_data(data_folder(None)).voice_named(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("speaker", "text"),
    [
        ("en-us", "Hello world, it costs 5 euros."),
        ("de", "The quick brown fox jumps over the lazy dog."),
        ("ru", "Привет, Max!"),
        ("ja", "こんにちは、カタカナ。"),
        ("cmn", "你好，world"),
        ("en-us", "Say 안녕하세요 or नमस्ते, α and β."),
        ("ar", "مرحبا"),
        ("fa", "سلام"),
        ("en-us", ""),
        ("en-us", "12 345"),
    ],
)
def test_text_in_a_script_of_the_voice_then_unchanged(speaker: str, text: str) -> None:
    assert without_strays(text, voice(speaker)) == text


@pytest.mark.parametrize(
    ("speaker", "text"),
    [
        ("en-us", "你好世界"),
        ("en-us", "مرحبا بالعالم"),
        ("en-us", "Привет мир"),
        ("en-us", "สวัสดี"),
        ("de", "これはペンです"),
        ("cmn", "これはペンです"),
        ("ja", "漢字かな"),
        ("ja", "これは長いひらがなのぶんしょうです"),
        ("ru", "שלום"),
        ("en-us", "សួស្តី"),
        ("en-us", "Max 你好"),
    ],
)
def test_text_the_voice_would_spell_then_refused_with_a_reason(speaker: str, text: str) -> None:
    with pytest.raises(LanguageUnsupported) as caught:
        without_strays(text, voice(speaker))
    assert caught.value.context["reason"]


def test_kanji_on_the_japanese_voice_says_why() -> None:
    with pytest.raises(LanguageUnsupported, match="kana only"):
        without_strays("東京へようこそ", voice("ja"))
    assert "Chinese letter" in KANJI_REASON


def test_few_foreign_letters_are_left_out() -> None:
    text = without_strays("My friend Иван said that Tokyo is written 東京 over there.", voice("en-us"))
    assert text.split() == ["My", "friend", "said", "that", "Tokyo", "is", "written", "over", "there."]


def test_every_voice_of_the_data_reads_some_script_as_words() -> None:
    bases = {base for one in read_data(data_folder(None)).voices for base in one.bases}
    unknown = {script: owners - bases for script, owners in _OWN.items() if owners - bases}
    assert unknown == {}
    assert Script.CYRILLIC in scripts_of(voice("uk"))
    assert Script.CYRILLIC not in scripts_of(voice("en-us"))
