"""The sample chat and the settings it is spoken with.

Three cast members have models of their own and memory for one of them, so voices really swap. The model of
the third is damaged on purpose: its load fails after another was released, which shows the way back.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

SETTINGS = """\
# Settings of the demo: one dedicated model fits beside the pinned one.
speech:
  look_ahead_segments: 2
default_voice: default
narrator_voice: narrator
voices:
  default: {model: espeak}
  narrator: {model: espeak, speaker: en-gb+m3, rate: 0.95, pitch_semitones: -3}
  aria: {model: aria-studio, speaker: f3}
  bram: {model: bram-studio, speaker: m7, pitch_semitones: -2}
  celine: {model: damaged-studio, speaker: f4, language: fr, fallback: celine-plain}
  celine-plain: {model: espeak, speaker: fr+f2, language: fr}
  emil: {model: espeak, speaker: de+m1, language: de}
characters:
  Aria: {voice: aria}
  Bram: {voice: bram}
  Celine: {voice: celine, default_language: fr, narrator: celine-plain}
  Emil: {voice: emil, default_language: de, narrator: emil}
languages:
  candidates: [en, fr, de]
  default: en
models:
  espeak: {engine: espeak, pinned: true}
  aria-studio: {engine: espeak}
  bram-studio: {engine: espeak}
  damaged-studio: {engine: espeak, path: damaged-model}
swap:
  budget_mb: {cpu: @BUDGET_MB@}
  min_interval_s: 0
audio:
  format: mp3
server:
  port: 0
  idle_exit_s: 3
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One reply of the chat and the sentence that says what it shows."""

    character: str
    text: str
    shows: str


CHAT = (
    Line(
        "Aria",
        "*The lamp flickers as Aria looks up from her map.* “You came. I wasn't sure you would.” "
        "*She pushes a chair towards you.* “Sit down, **please**. We have until dawn.”",
        "narrator and character, each in its own voice",
    ),
    Line(
        "Bram",
        "<think>The user is tired. Keep it short, and let Bram be gruff.</think>"
        "“Dawn? Make it *midnight*.” He drops a coin on the table. “The old woman at the gate said: "
        "« Ne revenez jamais par ici la nuit. » And I believe her.” 😬",
        "thoughts and emoji stay silent; French inside an English reply; the first swap",
    ),
    Line(
        "Aria",
        "Aria: Did you see the bridge?\nBram: I saw what is left of it.\nAria: Then we swim.\n"
        "Bram: *sighs* I knew you would say that.\nAria: You always do.",
        "two characters alternate on two models that do not fit together",
    ),
    Line(
        "Celine",
        "« Bonsoir. Je vous attendais depuis longtemps. » Elle ferme doucement la porte. "
        "« Personne ne sortira d'ici avant l'aube. »",
        "this voice's model is damaged: the load fails, the last good model comes back, the fallback speaks",
    ),
    Line(
        "Emil",
        "*Emil lächelt müde und hebt sein Glas.* „Auf die Brücke, die es nicht mehr gibt.“ "
        "„Und auf alle, die trotzdem hinübergehen.“",
        "German, by the character's own voice",
    ),
    Line(
        "Aria",
        "| Thing | Count |\n|---|---|\n| Rope | 2 |\n| Lamp oil | 1 |\n\n"
        "```python\nprint('not spoken')\n```\n"
        "“That is all we carry. See https://example.com/packing-list for the rest.”",
        "tables are read as cells, code is left out, an address is read as its host",
    ),
)


def write_home(home: Path, intact_model: Path, budget_mb: int) -> None:
    """Settings and the damaged model: a copy of an intact one with its phoneme table cut in half."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.yaml").write_text(SETTINGS.replace("@BUDGET_MB@", str(budget_mb)), encoding="utf-8")
    damaged = home / "damaged-model"
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(intact_model, damaged)
    table = damaged / "phontab"
    table.write_bytes(table.read_bytes()[: table.stat().st_size // 2])
