from __future__ import annotations

from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import LanguageUnsupported
from alltalk_plugin.engines.piper.readable import readable
from tests.engines.piper.test_voice_files import IDS, config_of

UKRAINIAN = {letter: [number + 3] for number, letter in enumerate("абвгдежзиклмнопрстуфхцчшьюяі'́ .,!? -")}
LETTERS: dict[str, object] = {
    "phoneme_type": "text",
    "espeak": {"voice": "uk"},
    "phoneme_id_map": {**{mark: IDS[mark] for mark in "_^$"}, **UKRAINIAN},
}


@pytest.mark.parametrize(
    ("voice", "text", "read"),
    [
        ("en-us", "Hello 😀 *there*!", "Hello there !"),
        ("en-us", "Hello, Москва is big and 你 is you.", "Hello, is big and is you."),
        ("cmn", "你好。", "你好。"),
        ("ru", "Привет, мир", "Привет, мир"),
        ("gmw/en", "plain", "plain"),
        ("en-us", "[[h@l'oU]]", "h@l'oU"),
        ("en-us", "“…” — 😀", ""),
        # the two inputs that kill the library inside piper-tts, or its sister
        ("vi", '"-J', "-J"),
    ],
)
def test_text_is_what_the_voice_reads_as_words(tmp_path: Path, voice: str, text: str, read: str) -> None:
    spoken = readable(text, config_of(tmp_path, {"espeak": {"voice": voice}}))
    assert " ".join(spoken.split()) == read


@pytest.mark.parametrize(
    ("voice", "text"), [("en-us", "你好世界"), ("de", "🚼瓠䑻"), ("en-us", "Привет, мир"), ("ja", "日本")]
)
def test_script_of_another_language_then_unsupported(tmp_path: Path, voice: str, text: str) -> None:
    with pytest.raises(LanguageUnsupported):
        readable(text, config_of(tmp_path, {"espeak": {"voice": voice}}))


def test_voice_of_letters_reads_those_it_knows_in_small_ones(tmp_path: Path) -> None:
    config = config_of(tmp_path, LETTERS)
    assert readable("Привіт, Світ!", config) == "привіт, світ!"
    assert readable("прив\u0302іт", config) == "привіт"
    assert readable("...", config) == ""
    with pytest.raises(LanguageUnsupported):
        readable("Hello world", config)
