"""What is asked of the pools. Times in seconds; the same numbers for every policy.

Loading takes 4 s, a sentence 0.75 s to make and 3 s to hear. A reply comes whole; its sentences are counted
as wanted 0.25 s apart, as fast as a model writes them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

LOAD_S = 4.0
SYNTHESIS_S = 0.75
AUDIO_S = 3.0
APART_S = 0.25
REPLY_EVERY_S = 90.0
"""Longer than the slowest policy needs for one reply."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A reply: when it comes, and the voice of each of its sentences."""

    at: float
    voices: tuple[str, ...]

    def wanted_at(self, index: int) -> float:
        return self.at + APART_S * index


@dataclass(frozen=True, slots=True)
class Workload:
    name: str
    what: str
    dialogues: tuple[Dialogue, ...]
    rare: str | None = None


def _replies(count: int, voices: str, *, beside: str | None = None) -> tuple[Dialogue, ...]:
    found = []
    for number in range(count):
        found.append(Dialogue(REPLY_EVERY_S * number, tuple(voices)))
        if beside is not None:
            found.append(Dialogue(REPLY_EVERY_S * number, tuple(beside)))
    return tuple(found)


def _four_characters() -> tuple[Dialogue, ...]:
    """Ten sentences a reply, nobody twice in a row."""
    choices = random.Random(4)
    found = []
    for number in range(10):
        voices = [choices.choice("ABCD")]
        while len(voices) < 10:
            voices.append(choices.choice([voice for voice in "ABCD" if voice != voices[-1]]))
        found.append(Dialogue(REPLY_EVERY_S * number, tuple(voices)))
    return tuple(found)


def _saturated() -> tuple[Dialogue, ...]:
    """One voice is asked for faster than it can speak, for three minutes; another three times."""
    busy = [Dialogue(0.6 * number, ("A",)) for number in range(300)]
    rare = [Dialogue(at, ("B",)) for at in (30.0, 90.0, 150.0)]
    return tuple(sorted(busy + rare, key=lambda dialogue: dialogue.at))


W1 = Workload("W1", "two characters alternate", _replies(10, "ABABABAB"))
W2 = Workload("W2", "narrator and two characters", _replies(10, "NANBNANB"))
W3 = Workload("W3", "two chats at once", _replies(5, "ABABABAB", beside="ACACACAC"))
W4 = Workload("W4", "four characters", _four_characters())
W5 = Workload("W5", "a saturated voice against a rare one", _saturated(), rare="B")
ALL = (W1, W2, W3, W4, W5)
