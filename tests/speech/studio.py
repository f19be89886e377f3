"""A speech service whose text, models and store are fakes that the test commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from alltalk_plugin.audio.loudness import Leveler
from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import NumberReading, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError, LanguageUnsupported, ModelError, VoiceNotFound
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import LeaseRequest, ModelKey, ModelProfile, ModelRef
from alltalk_plugin.domain.ports import CancelToken, LoadedModel
from alltalk_plugin.domain.speech import (
    Boundary,
    Reply,
    ReplyStyle,
    Segment,
    SpeakerRole,
    SpokenReply,
    TextSpan,
)
from alltalk_plugin.domain.voices import VoiceChoice, VoiceName, VoiceProfile
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.speech.cache import UtteranceCache
from alltalk_plugin.speech.produce import Workshop
from alltalk_plugin.speech.service import SpeechService
from tests.fakes.clock import FakeClock
from tests.fakes.loader import FakeLoader
from tests.fakes.store import MemoryStore, MemoryStream


class LinesAsSegments:
    """A `TextPreparer`: each line `MODEL: text` is a segment that the voice MODEL speaks."""

    def __init__(self, language: LanguageTag | None = None) -> None:
        self._language = language
        self.styles_seen: list[ReplyStyle] = []

    def segments(self, reply: Reply) -> tuple[Segment, ...]:
        self.styles_seen.append(reply.style)
        return tuple(
            Segment(
                text=line.partition(": ")[2],
                role=SpeakerRole.CHARACTER,
                speaker=line.partition(": ")[0],
                span=TextSpan(0, len(line)),
                language=self._language,
                boundary=Boundary.SENTENCE,
            )
            for line in reply.text.splitlines()
            if line.partition(": ")[2].strip()
        )

    def style(self, reply: Reply) -> ReplyStyle:
        return ReplyStyle(unmarked=SpeakerRole.NARRATOR)


class SpeakersAsVoices:
    """A `VoiceRouter`: the speaker's name is voice and model; `fallbacks` names who answers for whom."""

    def __init__(self, fallbacks: dict[str, str]) -> None:
        self._fallbacks = fallbacks
        self.mute: set[str] = set()

    def route(self, segment: Segment, reply: Reply) -> VoiceChoice:
        if reply.voice is not None:
            raise VoiceNotFound(f"there is no voice {reply.voice!r}")
        if segment.speaker in self.mute:
            raise LanguageUnsupported("nobody speaks this")
        return VoiceChoice(profile(segment.speaker or ""), "its speaker")

    def fallback(self, choice: VoiceChoice, segment: Segment, error: AlltalkError) -> VoiceChoice | None:
        name = self._fallbacks.get(choice.voice.name)
        if name is None:
            return None
        return VoiceChoice(profile(name), "fallback", (), f"{choice.voice.name}: {error.message}")


def profile(name: str) -> VoiceProfile:
    return VoiceProfile(name=VoiceName(name), model=ModelRef(name))


@dataclass(slots=True)
class PoolOfFakes:
    """A `ModelPool` over a `FakeLoader`, as far as speech uses one. `room` models fit together."""

    loader: FakeLoader
    room: int = 9
    refuse: dict[str, list[ModelError]] = field(default_factory=dict)
    leased: list[ModelRef] = field(default_factory=list)
    requests: list[LeaseRequest] = field(default_factory=list)
    on_lease: Callable[[ModelRef], None] | None = None
    open_leases: int = 0
    _loaded: dict[ModelRef, LoadedModel] = field(default_factory=dict)

    @contextmanager
    def lease(self, request: LeaseRequest, cancel: CancelToken) -> Iterator[LeaseOfFakes]:
        self.requests.append(request)
        cancel.raise_if_cancelled()
        if errors := self.refuse.get(request.model):
            raise errors.pop(0)
        if self.on_lease is not None:
            self.on_lease(request.model)
        model = self._loaded.get(request.model)
        if model is None or not model.alive:
            key = ModelKey("fake", request.model, "1")
            model = self.loader.load(
                ModelProfile(ref=request.model, engine="fake"), key, CancelSource(), lambda _error: None
            )
            self._loaded[request.model] = model
        self.leased.append(request.model)
        self.open_leases += 1
        try:
            yield LeaseOfFakes(model)
        finally:
            self.open_leases -= 1

    def fit_together(self, models: Sequence[ModelRef]) -> bool:
        return len(models) <= self.room


@dataclass(frozen=True, slots=True)
class LeaseOfFakes:
    model: LoadedModel
    substitute_reason: str | None = None

    @property
    def key(self) -> ModelKey:
        return self.model.key

    def synthesize(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        return self.model.synthesize(request, cancel)


class Studio:
    """Everything a test of speech touches."""

    def __init__(
        self,
        *,
        room: int = 9,
        fallbacks: dict[str, str] | None = None,
        max_chars: int = 400,
        numbers: Callable[[ModelRef], NumberReading] = lambda _model: NumberReading.ALL,
        language: LanguageTag | None = None,
    ) -> None:
        self.numbers = numbers
        self.clock = FakeClock()
        self.loader = FakeLoader()
        self.pool = PoolOfFakes(self.loader, room)
        self.store = MemoryStore()
        self.router = SpeakersAsVoices(fallbacks or {})
        self.text = LinesAsSegments(language)
        self.settings = Settings()
        self.told: list[tuple[Reply, SpokenReply]] = []
        workshop = Workshop(
            router=self.router,
            pool=self.pool,  # type: ignore[arg-type]  # only what speech uses of a pool is faked
            store=self.store,
            clock=self.clock,
            leveler=Leveler(-20.0, 0.97),
            cache=UtteranceCache(10_000_000),
            settings=lambda: self.settings,
            max_chars=lambda _ref: max_chars,
            numbers=self._reads,
        )
        self.service = SpeechService(
            workshop,
            self.text,
            (lambda reply, result: self.told.append((reply, result)),),
            prepare_wait_s=10.0,  # a test wants the early answer, however busy the machine
        )

    def _reads(self, model: ModelRef) -> NumberReading:
        return self.numbers(model)

    def change(self, **speech: object) -> None:
        """Other speech settings from now on."""
        self.settings = self.settings.model_copy(
            update={"speech": self.settings.speech.model_copy(update=speech)}
        )

    def speak(self, *lines: str, **more: object) -> SpokenReply:
        """Speak the lines and wait for the end."""
        reply = replace(Reply(text="\n".join(lines)), **more)  # type: ignore[arg-type]  # tests name real fields
        return self.service.speak(reply)

    def stream(self, audio_id: str) -> MemoryStream:
        return self.store.get(audio_id)

    def spoken_texts(self, model: str) -> list[str]:
        """What a model's processes were asked to say, in order."""
        return [
            request.text
            for loaded in self.loader.loaded
            if loaded.key.model == model
            for request in loaded.spoken
        ]
