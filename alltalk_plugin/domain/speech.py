"""A reply, its segments, and what came of speaking them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from alltalk_plugin.domain.audio import AudioFormat, AudioId
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelKey
from alltalk_plugin.domain.voices import VoiceChoice

MessageId = NewType("MessageId", str)
ChatId = NewType("ChatId", str)


class SpeakerRole(StrEnum):
    """Who speaks: the reply's own character, the narrator, or another name of the roster."""

    CHARACTER = "character"
    NARRATOR = "narrator"
    OTHER = "other"


class Boundary(StrEnum):
    """What follows a segment; decides the pause after it."""

    NONE = "none"
    CLAUSE = "clause"
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Half-open range of code points in the reply's original text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyStyle:
    """What earlier replies of the same chat taught; the scanner's prior.

    `unmarked` says whose voice plain text is (None: not known yet); `language` the chat's language so
    far; `reasoning_open` that the prompt template already opened a thinking block.
    """

    unmarked: SpeakerRole | None = None
    language: LanguageTag | None = None
    reasoning_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """What surrounds a reply: who takes part, and which language the user asked for.

    `greeting` is the character's opening line; it shows how this character marks narration.
    """

    id: ChatId = ChatId("")
    roster: tuple[str, ...] = ()
    user_name: str | None = None
    language: LanguageTag | None = None
    greeting: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One generated reply, as plain text with the host's markup still in it (unescaped once).

    `voice` and `language` are the caller's explicit choices and beat everything detected.
    `default_language` is taken where detection is undecided. `languages` narrows the candidates for
    this reply (None: those of the settings). `speaker_languages` are the languages of others who may speak
    a line, by name; they beat `language` there.
    """

    text: str
    message_id: MessageId = MessageId("")
    character: str | None = None
    chat: Chat = field(default_factory=Chat)
    style: ReplyStyle = field(default_factory=ReplyStyle)
    voice: str | None = None
    language: LanguageTag | None = None
    default_language: LanguageTag | None = None
    languages: tuple[LanguageTag, ...] | None = None
    speaker_languages: tuple[tuple[str, LanguageTag], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a reply with one speaker and one language: what goes to an engine, and why.

    `text` is clean and non-empty; `span` covers its source in the original. `confidence` is the
    detector's probability for this piece (None: not asked or not sure), `inherited` says the language
    came from the reply or the default rather than from this piece. `voice` is the name that the reply
    itself chose (`[voice:NAME]`), if the settings allow that.
    """

    text: str
    role: SpeakerRole
    speaker: str | None
    span: TextSpan
    language: LanguageTag | None = None
    confidence: float | None = None
    inherited: bool = False
    boundary: Boundary = Boundary.SENTENCE
    why: str = ""
    voice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A spoken segment in the finished audio. Seconds; `start_s` is its place in the stream."""

    segment: Segment
    choice: VoiceChoice
    model: ModelKey
    start_s: float
    duration_s: float
    synthesis_s: float
    retried: bool = False


@dataclass(frozen=True, slots=True)
class SkippedSegment:
    """A segment that was not spoken, with the error's code, message and hint."""

    segment: Segment
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenReply:
    """What came of a reply: clips in reading order, what was skipped and why, and how fast it went."""

    audio_id: AudioId
    audio_format: AudioFormat
    clips: tuple[Clip, ...]
    skipped: tuple[SkippedSegment, ...]
    duration_s: float
    elapsed_s: float
    first_audio_s: float | None

    @property
    def real_time_factor(self) -> float | None:
        """Synthesis seconds per second of audio; None without audio."""
        if not self.duration_s:
            return None
        return sum(clip.synthesis_s for clip in self.clips) / self.duration_s

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Every reason why another voice than the expected one spoke, in order, each once."""
        reasons = (clip.choice.fallback_reason for clip in self.clips)
        return tuple(dict.fromkeys(reason for reason in reasons if reason))
