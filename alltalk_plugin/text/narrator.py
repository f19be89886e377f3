"""Who speaks: quotes, asterisks and dialogue dashes, kept as a stack of what is open.

| innermost open mark | speaks |
| --- | --- |
| quote | the line's speaker |
| `*narration*` | the narrator |
| dialogue dash | the line's speaker, the narrator between inner dashes |
| none | narrator if the reply has dialogue, else the line's speaker |

Unclosed marks end at the blank line; stray closers are dropped; nothing literal is spoken.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from alltalk_plugin.domain.speech import SpeakerRole
from alltalk_plugin.settings.schema import Narration, Unmarked
from alltalk_plugin.text.marks import is_cjk
from alltalk_plugin.text.sentences import Voice

_SHORT_QUOTE_WORDS = 5


class Mark(StrEnum):
    QUOTE = "quote"
    NARRATION = "narration"
    EMPHASIS = "emphasis"
    DASH = "dash"
    ASIDE = "aside"


@dataclass(slots=True)
class Frame:
    """An open mark. `closers` end it.

    `spaces` counts the gaps between words it holds (two Han or kana characters count as one; exact up to
    the limit of a short quote), `said` that it holds a word at all.
    """

    mark: Mark
    char: str
    closers: str
    mid_sentence: bool = False
    spaces: float = 0.0
    said: bool = False
    speech: bool = True
    evidence: bool = False


class Narrator:
    """The stack of open marks, and what it has learnt about the reply. One thread."""

    def __init__(
        self,
        unmarked: SpeakerRole | None,
        *,
        narration: Narration,
        policy: Unmarked,
        speaker: str | None,
        certain: bool,
    ) -> None:
        self._narration = narration
        self._policy = policy
        self._prior = unmarked
        self._certain = certain
        self._own_name = speaker
        self._voices: dict[tuple[str, str | None], Voice] = {}
        self._narrators: dict[str, Voice] = {}
        self.frames: list[Frame] = []
        # The depths of what is open, so that nesting however deep is never searched: by kind of mark, by
        # kind and character, and by what can close a quote.
        self._depths: defaultdict[str, list[int]] = defaultdict(list)
        self._speaking: list[Frame] = []
        self.start_over()

    def start_over(self) -> None:
        """Forget everything seen, as if the reply began here."""
        self.frames.clear()
        self._depths.clear()
        self._speaking.clear()
        self._line_speaker: str | None = None
        self._plain_line = False
        self._unmarked = self._prior or SpeakerRole.CHARACTER
        self.dialogue_seen = False
        self.narration_seen = False

    @property
    def unmarked_is_narrated(self) -> bool:
        """Whether plain text is the narrator's at this point."""
        match self._policy:
            case Unmarked.AUTO:
                return self._unmarked is SpeakerRole.NARRATOR
            case Unmarked.NARRATOR:
                return True
            case _:
                return False

    @property
    def voice(self) -> Voice:
        """Whose words follow now."""
        if self._speaking:
            frame = self._speaking[-1]
            match frame.mark:
                case Mark.QUOTE:
                    return self._line_voice("in quotes")
                case Mark.NARRATION:
                    return self._narrator_voice("asterisk narration")
                case Mark.ASIDE:
                    return self._narrator_voice("in parentheses")
                case Mark.DASH if frame.speech:
                    return self._line_voice("dialogue after a dash")
                case _:
                    return self._narrator_voice("narration between dashes")
        if self._plain_line:
            return self._line_voice("speaker line")
        if self._policy is Unmarked.SILENT:
            return Voice(SpeakerRole.CHARACTER, self._own_name, "unmarked text, silent", spoken=False)
        if self.unmarked_is_narrated:
            fixed = self._policy is not Unmarked.AUTO
            return self._narrator_voice(
                "unmarked text, by setting" if fixed else "unmarked text, reply has dialogue"
            )
        return self._line_voice("unmarked text, no dialogue")

    def _line_voice(self, why: str) -> Voice:
        key = why, self._line_speaker
        if key not in self._voices:
            own = self._line_speaker is None
            self._voices[key] = (
                Voice(SpeakerRole.CHARACTER, self._own_name, why)
                if own
                else Voice(SpeakerRole.OTHER, self._line_speaker, why)
            )
        return self._voices[key]

    def _narrator_voice(self, why: str) -> Voice:
        voice = self._narrators.get(why)
        if voice is None:
            voice = self._narrators[why] = self._as_narrator(why)
        return voice

    def _as_narrator(self, why: str) -> Voice:
        match self._narration:
            case Narration.ON:
                return Voice(SpeakerRole.NARRATOR, None, why)
            case Narration.OFF:
                return Voice(SpeakerRole.CHARACTER, self._own_name, f"{why}, narrator is off")
            case Narration.SILENT:
                return Voice(SpeakerRole.NARRATOR, None, why, spoken=False)

    # --- lines --------------------------------------------------------------------------------------

    def speaker_line(self, name: str, *, quoted: bool) -> None:
        """A line begins with a name of the roster; `quoted` says that the line has quotes of its own."""
        self.close(0, "")
        own = self._own_name is not None and name.casefold() == self._own_name.casefold()
        self._line_speaker = None if own else name
        self._plain_line = not quoted

    def new_line(self, last_solid: str) -> None:
        """A line ends: so does dialogue that a dash began."""
        self._plain_line = False
        dashes = self._depths.get(Mark.DASH)
        if dashes:
            frame = self.frames[dashes[0]]
            ended = not last_solid.isalnum() and frame.char != "–"
            frame.evidence = frame.evidence or ended
            self.close(dashes[0], last_solid)

    def blank_line(self, last_solid: str) -> None:
        """A paragraph ends: nothing stays open."""
        self.new_line(last_solid)
        self.close(0, last_solid)
        guessed = self._prior is SpeakerRole.NARRATOR and not self._certain
        if guessed and self.narration_seen and not self.dialogue_seen:
            # The chat quoted its dialogue; this reply marks its narration instead.
            self._unmarked = SpeakerRole.CHARACTER

    def _learn(self, frame: Frame, last_solid: str) -> None:
        match frame.mark:
            case Mark.NARRATION:
                self.narration_seen = True
            case Mark.DASH if frame.evidence:
                self._dialogue()
            case Mark.QUOTE:
                short = frame.spaces < _SHORT_QUOTE_WORDS
                if frame.said and not (frame.mid_sentence and short and last_solid.isalnum()):
                    self._dialogue()
            case _:
                pass

    def _dialogue(self) -> None:
        self.dialogue_seen = True
        self._unmarked = SpeakerRole.NARRATOR

    def heard(self, text: str) -> None:
        """Text was spoken inside the open marks."""
        quotes = self._depths.get(Mark.QUOTE)
        if not quotes:
            return
        frame = self.frames[quotes[0]]
        if frame.said and frame.spaces >= _SHORT_QUOTE_WORDS:
            return
        # Sums over characters, so that it does not matter in which pieces the text came.
        frame.said = frame.said or any(map(str.isalnum, text))
        frame.spaces += text.count(" ")
        if not text.isascii():
            frame.spaces += sum(map(is_cjk, text)) / 2

    # --- marks --------------------------------------------------------------------------------------

    def find(self, mark: Mark, char: str = "") -> int | None:
        """Depth of the innermost open frame of that kind (and mark character)."""
        depths = self._depths.get(mark + char)
        return depths[-1] if depths else None

    def closed_by(self, char: str) -> int | None:
        """Depth of the innermost open quote that `char` can close."""
        depths = self._depths.get(char)
        return depths[-1] if depths else None

    def open(self, mark: Mark, char: str, *, closers: str = "", mid_sentence: bool = False) -> None:
        depth = len(self.frames)
        frame = Frame(mark, char, closers, mid_sentence)
        self.frames.append(frame)
        for key in (mark, mark + char, *closers):
            self._depths[key].append(depth)
        if mark is not Mark.EMPHASIS:
            self._speaking.append(frame)

    def close(self, depth: int, last_solid: str) -> None:
        """Close the frame at `depth` and whatever is still open inside it, after `last_solid`."""
        while len(self.frames) > depth:
            frame = self.frames.pop()
            for key in (frame.mark, frame.mark + frame.char, *frame.closers):
                self._depths[key].pop()
            if frame.mark is not Mark.EMPHASIS:
                self._speaking.pop()
            self._learn(frame, last_solid)
