"""Who speaks a segment, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    LanguageUnsupported,
    ModelCorrupt,
    SynthesisFailed,
    VoiceNotFound,
)
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.speech import Chat, Reply, Segment, SpeakerRole, TextSpan
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.voices.catalog import VoiceCatalog
from alltalk_plugin.voices.router import ChooseVoice, Router

CHARACTER, NARRATOR, OTHER = SpeakerRole.CHARACTER, SpeakerRole.NARRATOR, SpeakerRole.OTHER

SETTINGS = Settings.model_validate(
    {
        "voices": {
            "aria": {"model": "deep"},
            "anna": {"model": "deep", "language": "de"},
            "claire": {"model": "piper", "language": "fr-FR"},
            "benoit": {"model": "piper", "language": "fr", "fallback": "claire"},
            "bob": {"language": "en", "fallback": "amy"},
            "amy": {"model": "piper"},
            "teller": {"language": "de"},
        },
        "characters": {
            "Aria": {"voice": "aria", "languages": {"fr": "benoit"}, "aliases": ["The Captain"]},
            "Anna": {"voice": "anna", "narrator": "teller"},
            "Bob": {"voice": "bob"},
        },
        "languages": {"voices": {"fr": "claire", "de": "anna"}},
        "models": {"deep": {"engine": "coqui"}, "piper": {"engine": "piper"}},
    }
)


def segment(
    role: SpeakerRole = CHARACTER,
    language: str | None = "en",
    speaker: str | None = None,
    *,
    inherited: bool = False,
) -> Segment:
    tag = None if language is None else LanguageTag(language)
    return Segment(
        text="words", role=role, speaker=speaker, span=TextSpan(0, 5), language=tag, inherited=inherited
    )


def speaks(voice: VoiceProfile, language: LanguageTag) -> str | None:
    """The deep model has no Polish; nobody has Klingon."""
    if language == "tlh" or (language == "pl" and voice.model == "deep"):
        return f"the model '{voice.model}' has no {language}"
    return None


def router(settings: Settings = SETTINGS, choose_voice: ChooseVoice | None = None) -> Router:
    return Router(lambda: settings, VoiceCatalog(lambda: settings), speaks, choose_voice)


def reply(
    character: str | None = "Aria",
    voice: str | None = None,
    language: str | None = None,
    preferred: str | None = None,
) -> Reply:
    return Reply(
        text="words",
        character=character,
        voice=voice,
        language=None if language is None else LanguageTag(language),
        chat=Chat(language=None if preferred is None else LanguageTag(preferred)),
    )


@dataclass(frozen=True)
class Case:
    said: Segment
    within: Reply
    voice: str
    reason: str
    fallback: str | None = None


@pytest.mark.parametrize(
    "case",
    [
        Case(segment(), reply(), "aria", "Aria's voice"),
        Case(segment(), reply("aria"), "aria", "Aria's voice"),
        Case(segment(), reply("the captain"), "aria", "Aria's voice"),
        Case(segment(), reply("Nobody"), "default", "the default voice"),
        Case(segment(), reply(None), "default", "the default voice"),
        Case(segment(language=None), reply("Anna"), "anna", "Anna's voice"),
        Case(segment(), reply(voice="amy"), "amy", "asked for: voice 'amy'"),
        Case(segment(NARRATOR), reply(voice="amy"), "amy", "asked for: voice 'amy'"),
        Case(segment(language="fr"), reply(), "benoit", "Aria's voice for French"),
        Case(segment(language="fr-CA"), reply(), "benoit", "Aria's voice for French (fr-CA)"),
        Case(segment(language="fr"), reply("Nobody"), "claire", "detected French: voice 'claire'"),
        Case(
            segment(language="fr", inherited=True), reply("X"), "claire", "the reply's French: voice 'claire'"
        ),
        Case(segment(language="fr"), reply("X", language="fr"), "claire", "asked for French: voice 'claire'"),
        Case(
            segment(language="fr"),
            reply("X", preferred="fr"),
            "claire",
            "preferred language French: voice 'claire'",
        ),
        Case(segment(), reply("X", preferred="fr"), "default", "the default voice"),
        Case(
            segment(language=None),
            reply("X", preferred="fr"),
            "claire",
            "preferred language French: voice 'claire'",
        ),
        Case(segment(NARRATOR), reply(), "narrator", "the narrator's voice"),
        Case(segment(NARRATOR, "de"), reply("Anna"), "teller", "the narrator in Anna's replies"),
        Case(
            segment(NARRATOR, "fr"),
            reply("Anna"),
            "narrator",
            "the narrator's voice",
            "the narrator in Anna's replies was passed over: speaks German only, not French",
        ),
        Case(segment(OTHER, speaker="Bob"), reply(), "bob", "Bob's voice"),
        Case(segment(OTHER, speaker="Stranger"), reply(), "default", "the default voice"),
        Case(segment(OTHER), reply(), "default", "the default voice"),
        Case(
            segment(language="fr"),
            reply("Anna"),
            "claire",
            "detected French: voice 'claire'",
            "Anna's voice was passed over: speaks German only, not French",
        ),
        Case(
            segment(language="de"),
            reply("Bob"),
            "amy",
            "fallback of voice 'bob'",
            "Bob's voice was passed over: speaks English only, not German",
        ),
        Case(
            segment(language="pl"),
            reply(),
            "default",
            "the default voice",
            "Aria's voice was passed over: the model 'deep' has no pl",
        ),
        Case(
            segment(language="fr"),
            reply(voice="anna"),
            "benoit",
            "Aria's voice for French",
            "asked for: voice 'anna' was passed over: speaks German only, not French",
        ),
    ],
)
def test_route_when_several_have_a_claim_then_the_strongest_that_can(case: Case) -> None:
    choice = router().route(case.said, case.within)
    assert (choice.voice.name, choice.reason, choice.fallback_reason) == (
        case.voice,
        case.reason,
        case.fallback,
    )


def test_route_when_the_preference_is_in_the_settings_then_it_counts_and_the_chat_beats_it() -> None:
    voices = {
        "voices": {"a": {}, "b": {}},
        "languages": {"voices": {"de": "a", "fr": "b"}, "preference": "de"},
    }
    chooser = router(Settings.model_validate(voices))
    assert chooser.route(segment(language="en"), reply(None)).voice.name == "a"
    assert chooser.route(segment(language="en"), reply(None, preferred="fr")).voice.name == "b"


def test_route_when_a_voice_only_held_by_chance_then_passed_over_without_a_fallback_reason() -> None:
    choice = router().route(segment(), reply("X", preferred="fr"))
    assert [one.voice for one in choice.passed_over] == ["claire"]
    assert choice.fallback_reason is None


def test_route_when_no_configured_voice_can_then_one_that_follows_any_language_stands_in() -> None:
    only_german = Settings.model_validate(
        {"voices": {"anna": {"language": "de"}, "narrator": {"language": "de"}}, "default_voice": "anna"}
    )
    choice = router(only_german).route(segment(language="fr"), reply(None))
    assert choice.voice.name == "default"
    assert choice.fallback_reason == "the default voice was passed over: speaks German only, not French"


def test_route_when_nobody_can_then_the_error_has_every_reason() -> None:
    with pytest.raises(LanguageUnsupported) as caught:
        router().route(segment(language="tlh"), reply("Anna"))
    assert "'anna': speaks German only, not tlh" in caught.value.message
    assert "'default', 'narrator', 'espeak': the model 'espeak' has no tlh" in caught.value.message
    assert caught.value.context["language"] == "tlh"


def test_route_when_the_explicit_voice_is_unknown_then_not_found_with_the_nearest() -> None:
    with pytest.raises(VoiceNotFound) as caught:
        router().route(segment(), reply(voice="ana"))
    assert caught.value.context["nearest"] == "anna"


def test_route_when_a_language_has_two_names_then_they_are_one() -> None:
    norwegian = Settings.model_validate({"voices": {"kari": {"language": "nb"}}, "default_voice": "kari"})
    assert router(norwegian).route(segment(language="no"), reply(None)).fallback_reason is None


def test_plugin_when_it_chooses_then_it_is_asked_with_all_able_voices_ours_first() -> None:
    asked: list[tuple[str, ...]] = []

    def choose(said: Segment, candidates: tuple[VoiceProfile, ...]) -> VoiceProfile | None:
        asked.append(tuple(voice.name for voice in candidates))
        return candidates[-1]

    choice = router(choose_voice=choose).route(segment(language="pl"), reply("X"))
    assert asked == [("default", "narrator", "amy")]
    assert choice.voice.name == "amy"
    assert choice.reason == "chosen by a plugin instead of: the default voice"
    assert choice.fallback_reason is None


def test_plugin_when_it_has_no_opinion_or_the_caller_chose_then_ours_stands() -> None:
    asked: list[str] = []

    def choose(said: Segment, candidates: tuple[VoiceProfile, ...]) -> None:
        asked.append(candidates[0].name)

    chooser = router(choose_voice=choose)
    assert chooser.route(segment(), reply()).reason == "Aria's voice"
    assert chooser.route(segment(), reply(voice="amy")).voice.name == "amy"
    assert asked == ["aria"]


def chain(first: str, said: Segment, error: AlltalkError, settings: Settings = SETTINGS) -> list[str]:
    """Every voice that gets its turn when all fail with `error`."""
    chooser = router(settings)
    choice = chooser.route(said, reply(None, voice=first))
    names: list[str] = []
    while (after := chooser.fallback(choice, said, error)) is not None:
        names.append(after.voice.name)
        choice = after
    return names


@pytest.mark.parametrize(
    ("first", "said", "error", "names"),
    [
        (
            "benoit",
            segment(language="fr"),
            SynthesisFailed("no"),
            ["claire", "default", "narrator", "espeak"],
        ),
        ("benoit", segment(language="fr"), ModelCorrupt("no"), ["default"]),
        ("aria", segment(), ModelCorrupt("no"), ["default"]),
        ("default", segment(), SynthesisFailed("no"), ["narrator", "espeak"]),
        ("default", segment(), ModelCorrupt("no"), []),
    ],
)
def test_fallback_when_all_fail_then_each_voice_has_one_turn(
    first: str, said: Segment, error: AlltalkError, names: list[str]
) -> None:
    assert chain(first, said, error) == names


def test_fallback_when_the_settings_go_in_a_circle_then_it_still_ends() -> None:
    circle = Settings.model_validate({"voices": {"a": {"fallback": "b"}, "b": {"fallback": "a"}}})
    assert chain("a", segment(), SynthesisFailed("no"), circle)[:2] == ["b", "default"]


def test_fallback_when_the_next_voice_cannot_speak_the_language_then_passed_over_too() -> None:
    settings = Settings.model_validate({"voices": {"a": {"fallback": "g"}, "g": {"language": "de"}}})
    chooser = router(settings)
    first = chooser.route(segment(), reply(None, voice="a"))
    second = chooser.fallback(first, segment(), SynthesisFailed("no"))
    assert second is not None
    assert (second.voice.name, [one.voice for one in second.passed_over]) == ("default", ["a", "g"])


def test_fallback_when_it_speaks_then_the_failures_are_told_in_order() -> None:
    chooser = router()
    said = segment(language="fr")
    first = chooser.route(said, reply("Anna"))
    second = chooser.fallback(first, said, SynthesisFailed("the engine gave no audio"))
    assert second is not None
    assert second.voice.name == "default"
    assert second.fallback_reason == (
        "Anna's voice was passed over: speaks German only, not French; "
        "voice 'claire' failed: the engine gave no audio"
    )
    assert [one.voice for one in second.passed_over] == ["anna", "claire"]


def test_floor_when_every_voice_is_elsewhere_then_the_plain_voice_of_the_model() -> None:
    elsewhere = {
        "models": {"deep": {"engine": "coqui"}},
        "voices": {"default": {"model": "deep"}, "narrator": {"model": "deep"}},
    }
    floor = router(Settings.model_validate(elsewhere)).floor_voice()
    assert floor is not None
    assert (floor.name, floor.model, floor.language) == ("espeak", "espeak", None)
    assert router(Settings.model_validate({"models": {"espeak": {"engine": "coqui"}}})).floor_voice() is None
