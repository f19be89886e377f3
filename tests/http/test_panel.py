"""The settings a host shows, and what a change of one means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from alltalk_plugin.adapters.text_generation_webui import PANEL
from alltalk_plugin.domain.errors import RequestError
from alltalk_plugin.domain.hosts import SettingField, SettingsHooks, SettingValue
from alltalk_plugin.http.panel import changes, slots
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.settings.store import SettingsStore

SETTINGS = Settings.model_validate(
    {
        "voices": {"aria": {}, "claire": {"language": "fr"}},
        "characters": {"Aria": {"voice": "aria", "aliases": ["Ari"]}, "Bram": {"voice": "aria"}},
        "languages": {"candidates": ["en", "fr"], "voices": {"fr": "claire"}},
        "hosts": {"text_generation_webui": {"autoplay": False}},
        "lexicon": {"languages": {"en-US": {"v1.2": "one"}}, "voices": {"claire": {"a b": "ab", "c": "see"}}},
    }
)


def values_shown(character: str | None) -> dict[str, SettingValue]:
    return {slot.key: slot.value for slot in slots(PANEL, SETTINGS, character)}


def test_slots_when_a_host_has_no_entry_of_its_own_then_defaults_are_shown() -> None:
    shown = values_shown("Aria")
    assert shown["hosts.text_generation_webui.autoplay"] is False
    assert shown["hosts.text_generation_webui.activate"] is True
    assert shown["hosts.text_generation_webui.greeting"] is False
    assert shown["speech.narrator"] == "on"


def test_slots_when_there_is_a_character_then_its_voice_is_shown_by_any_of_its_names() -> None:
    assert values_shown("aria")["characters.{character}.voice"] == "aria"
    assert values_shown("ARI")["characters.{character}.voice"] == "aria"
    assert values_shown("Stranger")["characters.{character}.voice"] is None
    assert "characters.{character}.voice" not in values_shown(None)
    labels = [slot.label for slot in slots(PANEL, SETTINGS, "aria")]
    assert "Voice of Aria" in labels


def test_slots_for_languages_are_one_for_each_candidate() -> None:
    shown = values_shown(None)
    assert shown["languages.voices.fr"] == "claire"
    assert shown["languages.voices.en"] is None
    assert "languages.voices.de" not in shown


def test_slots_with_voices_offer_every_voice_and_nothing_where_that_is_allowed() -> None:
    by_key = {slot.key: slot for slot in slots(PANEL, SETTINGS, "Aria")}
    assert set(by_key["default_voice"].choices) == {"aria", "claire", "default", "narrator"}
    assert by_key["languages.voices.en"].choices[0] == ""


@pytest.mark.parametrize(
    ("character", "values", "expected"),
    [
        ("ari", {"characters.{character}.voice": "claire"}, {("characters", "Aria", "voice"): "claire"}),
        ("V1.2", {"characters.{character}.voice": "aria"}, {("characters", "V1.2", "voice"): "aria"}),
        ("Bram", {"characters.{character}.voice": ""}, {("characters", "Bram"): None}),
        (None, {"languages.voices.fr": ""}, {("languages", "voices", "fr"): None}),
        (None, {"speech.narrator": "silent"}, {("speech", "narrator"): "silent"}),
        (
            None,
            {"hosts.text_generation_webui.autoplay": True},
            {("hosts", "text_generation_webui", "autoplay"): True},
        ),
    ],
)
def test_changes_when_a_field_is_set_then_the_path_in_the_file(
    character: str | None, values: Mapping[str, SettingValue], expected: dict[tuple[str, ...], SettingValue]
) -> None:
    assert changes(PANEL, SETTINGS, character, values) == expected


@pytest.mark.parametrize(
    ("character", "values"),
    [
        (None, {"server.token": "stolen-stolen-stolen"}),
        (None, {"speech.narrator": "loud"}),
        (None, {"default_voice": "nobody"}),
        (None, {"characters.{character}.voice": "aria"}),
        ("Aria", {"characters.{character}.voice": ""}),  # it has aliases too, which would be lost
    ],
)
def test_changes_when_not_offered_then_refused(
    character: str | None, values: Mapping[str, SettingValue]
) -> None:
    with pytest.raises(RequestError):
        changes(PANEL, SETTINGS, character, values)


def test_slots_when_an_adapter_reads_its_own_values_then_those_are_shown() -> None:
    hooks = SettingsHooks((SettingField("loud", "Loud", bool),), read=lambda: {"loud": True})
    assert [(slot.key, slot.value) for slot in slots(hooks, SETTINGS, None)] == [("loud", True)]


def test_slots_for_words_are_one_for_each_language_and_voice_with_what_there_is() -> None:
    by_key = {slot.key: slot for slot in slots(PANEL, SETTINGS, None) if slot.kind == "entries"}
    assert [key for key in by_key if "languages" in key] == [
        "lexicon.languages.en",
        "lexicon.languages.fr",
        "lexicon.languages.en-US",
    ]
    assert by_key["lexicon.languages.en"].value == {}
    assert by_key["lexicon.languages.en-US"].value == {"v1.2": "one"}
    assert by_key["lexicon.voices.claire"].value == {"a b": "ab", "c": "see"}
    assert (by_key["lexicon.voices.aria"].label, by_key["lexicon.voices.aria"].choices) == ("Voice aria", ())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"lexicon.voices.claire": {"a b": "abby", "c": "see", "d.e": "dee"}},
            {
                ("lexicon", "voices", "claire", "a b"): "abby",
                ("lexicon", "voices", "claire", "d.e"): "dee",
            },
        ),
        ({"lexicon.voices.claire": {"c": None}}, {("lexicon", "voices", "claire", "c"): None}),
        ({"lexicon.voices.claire": {"a b": None, "c": None}}, {("lexicon", "voices", "claire"): None}),
        ({"lexicon.voices.aria": {"c": None}}, {}),
        ({"lexicon.languages.en": {"c": "see"}}, {("lexicon", "languages", "en", "c"): "see"}),
    ],
)
def test_changes_of_words_name_each_word_by_itself(
    values: Mapping[str, SettingValue], expected: dict[tuple[str, ...], SettingValue]
) -> None:
    assert changes(PANEL, SETTINGS, None, values) == expected


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lexicon.languages.en": {"c": "see", "!!": "x"}}, "'!!' cannot be an entry: an entry is a word"),
        ({"lexicon.languages.en": {"a" * 101: "x"}}, "at most 100 characters"),
        ({"lexicon.languages.en": {"a*b*c*": "x"}}, "at most two"),
        ({"lexicon.languages.en": "c = see"}, "not the kind of value"),
        ({"default_voice": {"c": "see"}}, "not the kind of value"),
        ({"lexicon.voices.nobody": {"c": "see"}}, "no setting"),
    ],
)
def test_changes_when_a_word_cannot_be_an_entry_then_refused_in_words(
    values: Mapping[str, SettingValue], said: str
) -> None:
    with pytest.raises(RequestError, match=re.escape(said)):
        changes(PANEL, SETTINGS, None, values)


def test_words_when_written_to_a_file_then_its_comments_and_other_lines_stay(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(
        "# mine\nlexicon:\n  languages:\n    en:  # English\n      nguyen: win  # a friend\n"
        "      cash: kash\n  voices:\n    narrator: {lead: led}\n",
        encoding="utf-8",
    )
    store = SettingsStore(file)
    values: dict[str, SettingValue] = {
        "lexicon.languages.en": {"nguyen": "when", "cash": None, "A.I. v1.2": "a i"},
        "lexicon.voices.narrator": {"lead": None},
    }
    store.update(changes(PANEL, store.current, None, values))
    assert file.read_text(encoding="utf-8") == (
        "# mine\nlexicon:\n  languages:\n    en:  # English\n      nguyen: when  # a friend\n"
        "      A.I. v1.2: a i\n  voices:\n"
    )
    assert store.current.lexicon.languages == {"en": {"nguyen": "when", "A.I. v1.2": "a i"}}
    assert store.current.lexicon.voices == {}
