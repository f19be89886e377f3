"""What a settings file means, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from alltalk_plugin.domain.errors import SettingsError
from alltalk_plugin.settings.load import load_settings, read_settings
from alltalk_plugin.settings.schema import Settings

FILE = Path("/somewhere/settings.yaml")


def read(text: str) -> Settings:
    return read_settings(text, FILE)


@pytest.mark.parametrize(
    "text", ["", "# nothing but a comment\n", "voices:\n  # none yet\ncharacters:\nspeech:\n"]
)
def test_file_when_it_says_nothing_then_defaults(text: str) -> None:
    assert read(text) == Settings()


def test_norwegian_when_unquoted_then_a_language_and_off_still_switches() -> None:
    settings = read(
        "speech: {activate: off, narrator: off}\n"
        "languages: {default: no, candidates: [no, en], voices: {no: default}}\n"
    )
    assert settings.languages.default == "no"
    assert settings.languages.voices == {"no": "default"}
    assert settings.languages.candidates == ("no", "en")
    assert settings.speech.activate is False
    assert settings.speech.narrator == "off"


def test_own_voice_when_added_then_the_builtin_ones_stay() -> None:
    settings = read("voices:\n  claire: {language: fr}\nmodels:\n  big: {engine: coqui}\n")
    assert set(settings.voices) == {"default", "narrator", "claire"}
    assert settings.models["espeak"].pinned
    assert read("voices: {narrator: {rate: 2}}").voices["narrator"].pitch_semitones == 0.0


def test_paths_when_relative_then_beside_the_settings_file() -> None:
    settings = read(
        "models: {m: {engine: e, path: models/m}}\nvoices: {a: {reference: [a.wav, /abs/b.wav, ~/c.wav]}}\n"
    )
    assert settings.models["m"].path == FILE.parent.absolute() / "models/m"
    assert settings.voices["a"].reference == (
        FILE.parent.absolute() / "a.wav",
        Path("/abs/b.wav"),
        Path("~/c.wav").expanduser(),
    )
    assert settings.audio.folder == Path("audio")


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("spech: {}\n", 1, "spech", "did you mean 'speech'?"),
        ("\nvoices:\n  a:\n    rte: 1\n", 4, "voices.a.rte", "did you mean 'rate'?"),
        (
            "characters:\n  A: {voice: default, narator: x}\n",
            2,
            "characters.A.narator",
            "did you mean 'narrator'?",
        ),
        ("voices:\n  a:\n    rate: 9\n", 3, "voices.a.rate", "less than or equal to 4, not 9"),
        ("speech:\n  narrator: onn\n", 2, "speech.narrator", "'on', 'off' or 'silent'"),
        ("voices:\n  a: {language: e}\n", 2, "voices.a.language", "not a BCP 47 language tag"),
        ("voices:\n  a: {speaker: 3}\n", 2, "voices.a.speaker", "write it in quotes: '3'"),
        ("voices:\n  a: 3\n", 2, "voices.a", "must be a section"),
        ("hosts: 3\n", 1, "hosts", "must be a section"),
        ("plugins: 3\n", 1, "plugins", "must be a section"),
        ("characters:\n  A:\n    aliases: [B]\n", 2, "characters.A.voice", "is missing"),
        ("models:\n  m: {engine: e, options: {a: [1]}}\n", 2, "models.m.options.a", "must be text, a number"),
        ("audio: {loudness_dbfs: nan}\n", 1, "audio.loudness_dbfs", "finite"),
        ("default_voice: defalt\n", 1, "default_voice", "did you mean 'default'?"),
        ("narrator_voice: nobody\n", 1, "narrator_voice", "there is no voice 'nobody'"),
        ("voices:\n  a:\n    model: espek\n", 3, "voices.a.model", "did you mean 'espeak'?"),
        ("voices:\n  a:\n    fallback: narator\n", 3, "voices.a.fallback", "did you mean 'narrator'?"),
        ("voices:\n  a: {fallback: b}\n  b: {fallback: a}\n", 2, "voices.a.fallback", "a > b > a"),
        ("voices:\n  a: {fallback: a}\n", 2, "voices.a.fallback", "a > a"),
        ("characters:\n  A:\n    voice: arai\nvoices: {aria: {}}\n", 3, "characters.A.voice", "'aria'"),
        ("characters: {A: {voice: default, narrator: x}}\n", 1, "characters.A.narrator", "no voice 'x'"),
        (
            "characters:\n A:\n  voice: default\n  languages:\n   fr: x\n",
            5,
            "characters.A.languages.fr",
            "'x'",
        ),
        ("languages:\n  voices:\n    no: x\n", 3, "languages.voices.no", "no voice 'x'"),
        (
            "characters:\n  A: {voice: default}\n  B: {voice: default, aliases: [a]}\n",
            3,
            "characters.B.aliases.0",
            "'A'",
        ),
    ],
)
def test_fault_when_in_the_file_then_told_with_line_key_and_nearest(
    text: str, line: int, key: str, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text)
    error = caught.value
    assert (error.context["line"], error.context["key"], error.context["faults"]) == (line, key, 1)
    assert error.message.startswith(f"{FILE}, line {line}: {key}: ")
    assert words in error.message


def test_faults_when_several_then_all_are_told_in_line_order_up_to_five() -> None:
    with pytest.raises(SettingsError) as caught:
        read("".join(f"bad{number}: 1\n" for number in range(7)))
    assert caught.value.context["faults"] == 7
    assert caught.value.message.index("bad0") < caught.value.message.index("bad4")
    assert caught.value.message.endswith("and 2 more")


def test_token_when_wrong_then_never_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        read("server: {token: hunter2}\n")
    assert "hunter2" not in caught.value.message


def test_missing_file_when_named_then_an_error_else_defaults(tmp_path: Path) -> None:
    missing = tmp_path / "settings.yaml"
    assert load_settings(missing) == Settings()
    with pytest.raises(SettingsError, match="there is no settings file"):
        load_settings(missing, must_exist=True)


def test_file_when_written_by_a_windows_editor_then_read_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes("\ufeffspeech:\r\n  activate: false\r\n".encode())
    assert load_settings(file).speech.activate is False


def test_file_when_not_text_then_a_settings_error(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(b"a: \xff\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)


class Whisper(BaseModel):
    strength: float = 0.5


def test_plugin_section_when_registered_then_checked_and_filled() -> None:
    sections = {"whisper": Whisper}
    given = read_settings("plugins: {whisper: {strength: 1}}", FILE, plugin_sections=sections)
    assert given.plugins == {"whisper": Whisper(strength=1)}
    assert given.model_dump(mode="json")["plugins"] == {"whisper": {"strength": 1.0}}
    assert read_settings("", FILE, plugin_sections=sections).plugins == {"whisper": Whisper()}
    with pytest.raises(SettingsError) as caught:
        read_settings("plugins:\n  whisper:\n    strength: loud", FILE, plugin_sections=sections)
    assert caught.value.context["line"] == 3
    assert caught.value.context["key"] == "plugins.whisper.strength"


def test_plugin_section_when_its_plugin_is_gone_then_speech_goes_on() -> None:
    assert read("plugins: {gone: {x: 1}}").plugins == {}
