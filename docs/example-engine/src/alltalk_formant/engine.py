"""The engine itself, imported in a worker only: this is where a heavy library would be imported.

Of alltalk_plugin a worker sees the package's own files, not its dependencies: `domain` is safe to use.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator

import numpy as np

from alltalk_formant.voices import ENGLISH, SAMPLE_RATE_HZ, SPEAKERS
from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import LanguageUnsupported, ModelIncompatible, VoiceNotFound
from alltalk_plugin.domain.language import same_language

PITCH_HZ = {"ada": 210.0, "otto": 110.0}
DEFAULT_SPEAKER = "ada"
LETTER_S, GAP_S = 0.08, 0.06
LEVEL = 0.2

# First and second formant in Hz (Peterson and Barney 1952, rounded); what is voiced but no vowel hums.
VOWELS = {"a": (730, 1090), "e": (530, 1840), "i": (270, 2290), "o": (570, 840), "u": (300, 870)}
HUMS = dict.fromkeys("mnlrwjvbdgyz", (250, 1200))
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LONGEST_WORD = 20


def create(request: LoadRequest) -> FormantEngine:
    """What `EngineSpec.entry` names. Loads the model; here there is none to load.

    Raises: ModelIncompatible.
    """
    breath = request.options.get("breath", 0.05)
    if not isinstance(breath, int | float) or not 0.0 <= breath <= 1.0:
        raise ModelIncompatible(f"the option breath must be a number from 0 to 1, not {breath!r}")
    return FormantEngine(float(breath))


class FormantEngine:
    """A loaded model: the worker calls it from one thread."""

    def __init__(self, breath: float) -> None:
        self._breath = breath
        self._noise = np.random.default_rng(1)

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        """One chunk a word, so that the first is heard at once and a cancel never waits."""
        if request.language is not None and not same_language(request.language, ENGLISH):
            reason = f"the formant engine speaks English, not {request.language}"
            raise LanguageUnsupported(reason, context={"language": request.language, "reason": reason})
        pitch_hz = _pitch_hz(request.speaker) * 2.0 ** (request.pitch_semitones / 12)
        for word in _words(request.text):
            if cancel.cancelled:
                return
            yield AudioChunk(self._say(word, pitch_hz, request.rate), SAMPLE_RATE_HZ)

    def close(self) -> None:
        """Nothing to let go of."""

    def _say(self, word: str, pitch_hz: float, rate: float) -> Samples:
        sounds = [self._sound(letter, pitch_hz, rate) for letter in word]
        gap = np.zeros(round(GAP_S / rate * SAMPLE_RATE_HZ), np.float32)
        return np.concatenate([*sounds, gap])

    def _sound(self, letter: str, pitch_hz: float, rate: float) -> Samples:
        count = round(LETTER_S / rate * SAMPLE_RATE_HZ)
        sound = self._breath * self._noise.standard_normal(count)
        formants = VOWELS.get(letter) or HUMS.get(letter)
        if formants is None:
            sound += 0.5 * self._noise.standard_normal(count)
        else:
            harmonics = pitch_hz * np.arange(1, int(4_000 / pitch_hz))
            weights = sum(np.exp(-(((harmonics - formant) / 180.0) ** 2)) for formant in formants)
            times = np.arange(count) / SAMPLE_RATE_HZ
            sound += weights @ np.sin(2 * np.pi * harmonics[:, None] * times)
        fade = np.sin(np.pi * (np.arange(count) + 0.5) / count)
        loudest = max(float(np.abs(sound).max()), 1e-9)
        return (LEVEL * fade * sound / loudest).astype(np.float32)


def _pitch_hz(speaker: str | None) -> float:
    found = PITCH_HZ.get(speaker or DEFAULT_SPEAKER)
    if found is None:
        nearest = difflib.get_close_matches(str(speaker), SPEAKERS, n=1)
        raise VoiceNotFound(
            f"the formant engine has no speaker {speaker!r}",
            hint=f"Did you mean {nearest[0]!r}?" if nearest else None,
            context={"voice": speaker, "nearest": nearest[0] if nearest else None},
        )
    return found


def _words(text: str) -> Iterator[str]:
    """What can be said of a text: words of a to z. An empty text is no error, it makes no sound.

    Raises: LanguageUnsupported, instead of speaking rubbish, when most letters are of another script.
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = [char for char in plain if unicodedata.category(char)[0] == "L"]
    foreign = sum(not char.isascii() for char in letters)
    if foreign > len(letters) / 3:
        reason = "the formant engine reads Latin letters only"
        raise LanguageUnsupported(reason, context={"language": ENGLISH, "reason": reason})
    for digit, name in enumerate(DIGITS):
        plain = plain.replace(str(digit), f" {name} ")
    for part in plain.replace("\0", " ").split():
        word = "".join(char for char in part if "a" <= char <= "z")
        yield from (word[start : start + LONGEST_WORD] for start in range(0, len(word), LONGEST_WORD))
