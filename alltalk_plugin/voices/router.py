"""Who speaks a segment: the strongest claim whose voice can speak its language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from alltalk_plugin.domain.errors import (
    AlltalkError,
    LanguageUnsupported,
    ModelError,
    SynthesisFailed,
    WorkerCrashed,
)
from alltalk_plugin.domain.language import LanguageTag, same_language
from alltalk_plugin.domain.models import ModelRef
from alltalk_plugin.domain.speech import Reply, Segment
from alltalk_plugin.domain.voices import PassedOver, VoiceChoice, VoiceName, VoiceProfile
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.voices.catalog import VoiceCatalog
from alltalk_plugin.voices.claims import Claim, claims
from alltalk_plugin.voices.names import language_name

FLOOR_ENGINE = "espeak"  # the engine that is always there and speaks most languages

Speaks = Callable[[VoiceProfile, LanguageTag], str | None]
"""Why a voice cannot speak a language; None when it can."""

ChooseVoice = Callable[[Segment, tuple[VoiceProfile, ...]], VoiceProfile | None]
"""A plugin's opinion: one of the voices that can speak the segment, our own choice first, or None."""


class Router:
    """Implements the port `VoiceRouter`. Thread-safe; reads the settings anew for each call."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        catalog: VoiceCatalog,
        speaks: Speaks,
        choose_voice: ChooseVoice | None = None,
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._speaks = speaks
        self._choose_voice = choose_voice

    def route(self, segment: Segment, reply: Reply) -> VoiceChoice:
        """The voice for a segment, with the reason.

        A voice that cannot speak the segment's language is passed over for its own fallback, then for the
        next claim; the choice says so.

        Raises: VoiceNotFound for an explicit voice that does not exist, LanguageUnsupported when no voice
        at all can speak the segment's language; context: language, reason.
        """
        settings = self._settings()
        choice = self._own_choice(segment, reply, settings)
        if self._choose_voice is None or reply.voice is not None:
            return choice
        others = (voice for voice in self._catalog.at(settings).all() if voice.name != choice.voice.name)
        able = (choice.voice, *(voice for voice in others if self._objection(voice, segment) is None))
        chosen = self._choose_voice(segment, able)
        if chosen is None or chosen == choice.voice:
            return choice
        return VoiceChoice(chosen, f"chosen by a plugin instead of: {choice.reason}")

    def fallback(self, choice: VoiceChoice, segment: Segment, error: AlltalkError) -> VoiceChoice | None:
        """The next voice after `choice` failed with `error`: its own fallbacks, the default voice, then
        whatever speaks the language on the engine that is always there. None when all had their turn."""
        settings = self._settings()
        failed = choice.voice
        passed = (*choice.passed_over, PassedOver(failed.name, f"failed: {error.message}"))
        tried = {one.voice for one in passed}
        reason = f"voice '{failed.name}' failed: {error.message}"
        if choice.fallback_reason is not None:
            reason = f"{choice.fallback_reason}; {reason}"
        ranked = (*_fallbacks(failed.name, settings), Claim(settings.default_voice, "the default voice"))
        for profile, claim in self._profiles(ranked, settings):
            if profile.name in tried or (profile.model == failed.model and _whole_model(error)):
                continue
            if (objection := self._objection(profile, segment)) is not None:
                passed = (*passed, PassedOver(profile.name, objection))
                continue
            return VoiceChoice(profile, claim.reason, passed, reason)
        return None

    def floor_voice(self) -> VoiceProfile | None:
        """A voice on the engine that is always there and follows the language; None without the engine."""
        return next(self._floor(self._settings()), None)

    def _own_choice(self, segment: Segment, reply: Reply, settings: Settings) -> VoiceChoice:
        passed: list[PassedOver] = []
        disappointed: str | None = None
        ranked = (
            one
            for claim in claims(segment, reply, settings)
            for one in (claim, *_fallbacks(claim.voice, settings))
        )
        for profile, claim in self._profiles(ranked, settings):
            objection = self._objection(profile, segment)
            if objection is None:
                return VoiceChoice(profile, claim.reason, tuple(passed), disappointed)
            passed.append(PassedOver(profile.name, objection))
            if claim.expected and disappointed is None:
                disappointed = f"{claim.reason} was passed over: {objection}"
        language = segment.language
        reasons = _grouped(passed)
        raise LanguageUnsupported(
            f"no voice can speak {language_name(language) if language else 'this'}: {reasons}",
            context={"language": language, "reason": reasons},
        )

    def _profiles(self, ranked: Iterable[Claim], settings: Settings) -> Iterator[tuple[VoiceProfile, Claim]]:
        """Each voice once, at its strongest claim; last whoever is on the engine that is always there."""
        catalog = self._catalog.at(settings)
        seen: set[VoiceName] = set()
        for claim in ranked:
            profile = catalog.get(claim.voice)
            if profile.name not in seen:
                seen.add(profile.name)
                yield profile, claim
        for profile in self._floor(settings):
            if profile.name not in seen:
                seen.add(profile.name)
                yield profile, Claim(profile.name, "stands in: it follows any language", expected=False)

    def _floor(self, settings: Settings) -> Iterator[VoiceProfile]:
        on_engine = (name for name, model in settings.models.items() if model.engine == FLOOR_ENGINE)
        pinned_first = sorted(on_engine, key=lambda name: not settings.models[name].pinned)
        for model in pinned_first:
            for voice in self._catalog.at(settings).all():
                if voice.model == model and voice.language is None:
                    yield voice
        if pinned_first:
            # Every voice may be on another engine; the plain voice of this one needs no entry.
            yield VoiceProfile(name=VoiceName(pinned_first[0]), model=ModelRef(pinned_first[0]))

    def _objection(self, voice: VoiceProfile, segment: Segment) -> str | None:
        language = segment.language
        if language is None:
            return None
        if voice.language is not None and not same_language(voice.language, language):
            return f"speaks {language_name(voice.language)} only, not {language_name(language)}"
        return self._speaks(voice, language)


def _fallbacks(name: str, settings: Settings) -> Iterator[Claim]:
    """The fallbacks that follow a voice; they stand in, so missing one of them disappoints nobody."""
    seen = {name}
    while (voice := settings.voices.get(name)) is not None and voice.fallback is not None:
        if voice.fallback in seen:
            return
        reason = f"fallback of voice '{name}'"
        name = voice.fallback
        seen.add(name)
        yield Claim(name, reason, expected=False)


def _whole_model(error: AlltalkError) -> bool:
    """Whether every voice on the same model would fail alike; a crash or a refusal is about one text."""
    return isinstance(error, ModelError) and not isinstance(error, WorkerCrashed | SynthesisFailed)


def _grouped(passed: Iterable[PassedOver]) -> str:
    """Each reason once, behind the voices it holds for."""
    voices: dict[str, list[str]] = {}
    for one in passed:
        voices.setdefault(one.reason, []).append(f"'{one.voice}'")
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in voices.items())
