"""Plugins good and bad, each behind its own guard. A test's plugin is a class's instance with hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import pytest
from pydantic import BaseModel

from alltalk_plugin.domain.audio import AudioFormat, AudioId, Samples
from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import PluginError, SettingsError
from alltalk_plugin.domain.filters import AudioEffect, TextFilter
from alltalk_plugin.domain.hosts import HostAdapter, Rendering
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import CPU, MemoryEstimate, ModelRef, SwapRecord
from alltalk_plugin.domain.ports import DetectedLanguage, LanguageDetector
from alltalk_plugin.domain.speech import Reply, Segment, SpeakerRole, SpokenReply, TextSpan
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.plugins import hookimpl
from alltalk_plugin.plugins.manager import Plugins
from alltalk_plugin.plugins.registries import NamedRegistrar, Registrar

RECORD = SwapRecord(seq=1, ts=0.0, mono=0.0, txn="t", kind="commit")
REPLY = Reply(text="words")
RESULT = SpokenReply(
    audio_id=AudioId("0" * 32),
    audio_format=AudioFormat.WAV,
    clips=(),
    skipped=(),
    duration_s=0.0,
    elapsed_s=0.0,
    first_audio_s=None,
)
SEGMENT = Segment(text="words", role=SpeakerRole.CHARACTER, speaker=None, span=TextSpan(0, 5))
ANNA = VoiceProfile(name=VoiceName("anna"), model=ModelRef("m"))
BOB = VoiceProfile(name=VoiceName("bob"), model=ModelRef("m"))


def engine(name: str) -> EngineSpec:
    return EngineSpec(
        name=name,
        entry="package.module:factory",
        distributions=(),
        max_chars=100,
        estimate=lambda profile: MemoryEstimate(CPU, 1, 1),
        revision=lambda profile: "",
        speaks=lambda profile, voice, language: None,
    )


def loaded(*plugins: object) -> Plugins:
    """Plugins by the names p0, p1, …"""
    made = Plugins()
    for number, plugin in enumerate(plugins):
        made.add(f"p{number}", plugin, "1.0")
    return made


def errors(plugins: Plugins) -> list[str | None]:
    return [listed.error for listed in plugins.listing()]


class OffersEngine:
    def __init__(self, *names: str) -> None:
        self.names = names

    @hookimpl
    def alltalk_register_engines(self, registry: Registrar[EngineSpec]) -> None:
        for name in self.names:
            registry.register(engine(name))


def test_plugin_when_good_then_listed_with_its_hooks() -> None:
    plugins = loaded(OffersEngine("a", "b"))
    (listed,) = plugins.listing()
    assert (listed.name, listed.version, listed.hooks) == ("p0", "1.0", ("alltalk_register_engines",))
    assert listed.error is None
    assert list(plugins.engines) == ["a", "b"]


def test_engine_when_the_name_is_taken_then_refused_naming_both_and_nothing_of_it_counts() -> None:
    plugins = loaded(OffersEngine("a"), OffersEngine("b", "a"), OffersEngine("c"))
    assert errors(plugins) == [None, "engine 'a' of plugin 'p1' is taken by plugin 'p0'", None]
    assert list(plugins.engines) == ["a", "c"]


def test_engine_when_offered_twice_by_one_plugin_then_refused() -> None:
    plugins = loaded(OffersEngine("a", "a"))
    assert errors(plugins) == ["plugin 'p0' registers 'a' twice"]
    assert not plugins.engines


def test_item_when_of_the_wrong_kind_then_refused() -> None:
    class Wrong:
        @hookimpl
        def alltalk_register_engines(self, registry: Registrar[object]) -> None:  # type: ignore[type-var]  # the fault
            registry.register(TextFilter("x", 0, str.upper))

    class Nameless:
        @hookimpl
        def alltalk_register_engines(self, registry: Registrar[object]) -> None:  # type: ignore[type-var]  # the fault
            registry.register(3)

    assert errors(loaded(Wrong(), Nameless())) == [
        "engine 'x' must be EngineSpec, not TextFilter",
        "engine needs a name, not ''",
    ]


def test_hook_when_one_registration_raises_then_the_plugins_others_still_count() -> None:
    class Half(OffersEngine):
        @hookimpl
        def alltalk_register_text_filters(self, registry: Registrar[TextFilter]) -> None:
            registry.register(TextFilter("loud", 0, str.upper))
            raise RuntimeError("boom")

    plugins = loaded(Half("a"))
    assert errors(plugins) == ["RuntimeError: boom"]
    assert list(plugins.engines) == ["a"]
    assert plugins.text_filters.in_order() == ()


def test_hook_when_misspelt_then_the_nearest_is_named_and_the_rest_works() -> None:
    class Misspelt(OffersEngine):
        @hookimpl
        def alltalk_registr_hosts(self) -> None: ...

    plugins = loaded(Misspelt("a"))
    assert errors(plugins) == [
        "there is no hook alltalk_registr_hosts; did you mean 'alltalk_register_hosts'?"
    ]
    assert list(plugins.engines) == ["a"]


def test_hook_when_optional_then_it_may_be_unknown() -> None:
    class Ahead:
        @hookimpl(optionalhook=True)
        def alltalk_of_a_later_version(self) -> None: ...

    assert errors(loaded(Ahead())) == [None]


def test_hook_when_not_marked_then_said_so() -> None:
    class Unmarked:
        def alltalk_reply_spoken(self) -> None: ...

    assert errors(loaded(Unmarked())) == [
        "alltalk_reply_spoken is not marked with @hookimpl and is never called"
    ]


class Async:
    @hookimpl
    async def alltalk_reply_spoken(self) -> None: ...


class Generator:
    @hookimpl
    def alltalk_reply_spoken(self) -> Iterator[None]:
        yield


class Wrapper:
    @hookimpl(wrapper=True)
    def alltalk_choose_voice(self) -> Iterator[None]:
        return (yield)


class WrongParameter:
    @hookimpl
    def alltalk_model_state_changed(self, record: SwapRecord) -> None: ...

    @hookimpl
    def alltalk_reply_spoken(self, answer: object) -> None: ...


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (Async(), "async"),
        (Generator(), "generator"),
        (Wrapper(), "wrapper"),
        (WrongParameter(), "answer"),
    ],
)
def test_plugin_when_it_could_not_be_called_then_refused_whole(plugin: object, words: str) -> None:
    plugins = loaded(plugin)
    (listed,) = plugins.listing()
    assert listed.hooks == ()
    assert words in str(listed.error)
    plugins.reply_spoken(REPLY, RESULT)
    assert not plugins._manager.get_plugins()


def test_plugin_when_its_name_is_taken_then_refused_and_the_first_stays() -> None:
    plugins = Plugins()
    plugins.add("same", OffersEngine("a"))
    plugins.add("same", OffersEngine("b"))
    assert list(plugins.engines) == ["a"]
    assert "loaded already" in str(errors(plugins)[1])


def test_observers_when_one_raises_then_all_others_are_told() -> None:
    told: list[str] = []

    class Watcher:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        def alltalk_reply_spoken(self, result: SpokenReply, reply: Reply) -> None:
            told.append(f"{self.name} {reply.text}")
            if self.name == "b":
                raise RuntimeError("boom")

        @hookimpl
        def alltalk_model_state_changed(self, record: SwapRecord) -> None:
            told.append(f"{self.name} {record.kind}")
            if self.name == "b":
                raise RuntimeError("boom")

    plugins = loaded(Watcher("a"), Watcher("b"), Watcher("c"))
    plugins.reply_spoken(REPLY, RESULT)
    plugins.model_state_changed(RECORD)
    assert sorted(told) == ["a commit", "a words", "b commit", "b words", "c commit", "c words"]


class Chooses:
    def __init__(self, voice: VoiceProfile | Exception | None) -> None:
        self.voice = voice

    @hookimpl
    def alltalk_choose_voice(self, candidates: tuple[VoiceProfile, ...]) -> VoiceProfile | None:
        if isinstance(self.voice, Exception):
            raise self.voice
        return self.voice


@pytest.mark.parametrize(
    ("opinions", "chosen"),
    [
        ([], None),
        ([None], None),
        ([BOB], BOB),
        ([ANNA, BOB], BOB),  # the plugin loaded last is asked first
        ([BOB, None], BOB),
        ([BOB, RuntimeError("boom")], BOB),
        ([BOB, VoiceProfile(name=VoiceName("made up"), model=ModelRef("m"))], BOB),
    ],
)
def test_choose_voice_when_several_have_a_say_then_the_first_usable_opinion_counts(
    opinions: list[VoiceProfile | Exception | None], chosen: VoiceProfile | None
) -> None:
    assert loaded(*map(Chooses, opinions)).choose_voice(SEGMENT, (ANNA, BOB)) == chosen


def test_hosts_when_registered_then_found_by_name() -> None:
    adapter = HostAdapter(name="lamp", output_modifier=lambda said, speaker: Rendering(said.text))

    class Host:
        @hookimpl
        def alltalk_register_hosts(self, registry: Registrar[HostAdapter]) -> None:
            registry.register(adapter)

    assert loaded(Host()).hosts == {"lamp": adapter}


def _double_wide(samples: Samples, sample_rate_hz: int) -> Samples:
    wide: Any = samples.astype(np.float64) * 2  # another width than ours is converted
    return cast("Samples", wide)


class Filters:
    @hookimpl
    def alltalk_register_text_filters(self, registry: Registrar[TextFilter]) -> None:
        registry.register(TextFilter("z", 1, str.upper))
        registry.register(TextFilter("breaks", 2, lambda text: text[99]))
        registry.register(TextFilter("lies", 2, lambda text: 3))  # type: ignore[arg-type,return-value]  # the fault
        registry.register(TextFilter("a", 2, lambda text: text + "!"))

    @hookimpl
    def alltalk_register_audio_effects(self, registry: Registrar[AudioEffect]) -> None:
        registry.register(AudioEffect("half", 0, lambda samples, rate: samples * np.float32(0.5)))
        registry.register(AudioEffect("breaks", 1, lambda samples, rate: samples[None, 99]))
        registry.register(AudioEffect("stereo", 1, lambda samples, rate: np.stack([samples, samples])))
        registry.register(AudioEffect("nan", 1, lambda samples, rate: samples * np.float32("nan")))
        registry.register(AudioEffect("wide", 2, _double_wide))


def test_filters_when_some_fail_then_the_others_still_change_the_text_in_order() -> None:
    text = "words"
    filters = loaded(Filters()).text_filters.in_order()
    assert [one.name for one in filters] == ["z", "a", "breaks", "lies"]
    for one in filters:
        text = one.apply(text)
    assert text == "WORDS!"


def test_effects_when_some_fail_then_the_others_still_change_the_speech() -> None:
    samples: Samples = np.ones(4, dtype=np.float32)
    for effect in loaded(Filters()).audio_effects.in_order():
        samples = effect.apply(samples, 24000)
    assert samples.dtype == np.float32
    assert samples.tolist() == [1.0] * 4


class Knows:
    def __init__(self) -> None:
        self.warmed = 0

    def warm(self) -> None:
        self.warmed += 1

    def detect(self, text: str, candidates: Sequence[LanguageTag]) -> DetectedLanguage | None:
        return DetectedLanguage(candidates[0], 1.0)


class Detectors:
    @hookimpl
    def alltalk_register_language_detectors(
        self, registry: NamedRegistrar[Callable[[], LanguageDetector]]
    ) -> None:
        def broken() -> LanguageDetector:
            raise RuntimeError("boom")

        def lacking() -> LanguageDetector:
            raise SettingsError("a package is missing")

        registry.register("lacking", lacking)
        registry.register("knows", Knows)
        registry.register("broken", broken)


def test_detector_when_it_fails_then_it_has_no_opinion() -> None:
    detectors = loaded(Detectors()).language_detectors
    good = detectors.get("knows")()
    good.warm()
    assert good.detect("x", [LanguageTag("fr")]) == DetectedLanguage(LanguageTag("fr"), 1.0)
    assert good.detect("x", []) is None  # an IndexError of the plugin's
    broken = detectors.get("broken")()
    broken.warm()
    assert broken.detect("x", [LanguageTag("fr")]) is None


def test_detector_when_it_says_what_is_missing_then_that_is_told() -> None:
    with pytest.raises(SettingsError, match="a package is missing"):
        loaded(Detectors()).language_detectors.get("lacking")()


def test_detector_when_the_settings_name_an_unknown_one_then_the_nearest_is_told() -> None:
    with pytest.raises(SettingsError, match="did you mean 'knows'"):
        loaded(Detectors()).language_detectors.get("know")


class Good(BaseModel):
    strength: float = 0.5


class Demanding(BaseModel):
    strength: float


class Sections:
    def __init__(self, schema: object) -> None:
        self.schema = schema

    @hookimpl
    def alltalk_register_settings(self, registry: NamedRegistrar[object]) -> None:
        registry.register("whisper", self.schema)


def test_settings_when_registered_then_only_schemas_with_defaults_count() -> None:
    plugins = loaded(Sections(Demanding), Sections("text"), Sections(Good))
    assert plugins.settings_sections == {"whisper": Good}
    assert errors(plugins) == [
        "settings section 'whisper' must have a default for every key",
        "settings section 'whisper' must be a pydantic model class",
        None,
    ]


def test_registration_when_refused_then_a_plugin_can_catch_it_as_a_typed_error() -> None:
    caught: list[PluginError] = []

    class Careful:
        @hookimpl
        def alltalk_register_engines(self, registry: Registrar[EngineSpec]) -> None:
            registry.register(engine("mine"))
            try:
                registry.register(engine("mine"))
            except PluginError as error:
                caught.append(error)

    assert list(loaded(Careful()).engines) == ["mine"]
    assert caught[0].context == {"plugin": "p0"}
