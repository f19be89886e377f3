from __future__ import annotations

import pytest

from alltalk_plugin.audio.pauses import pause_after
from alltalk_plugin.domain.speech import Boundary, Segment, SpeakerRole, TextSpan
from alltalk_plugin.settings.schema import AudioSettings

SETTINGS = AudioSettings(pause_clause_s=0.1, pause_sentence_s=0.2, pause_speaker_s=0.4, pause_paragraph_s=0.6)


def said(boundary: Boundary, role: SpeakerRole = SpeakerRole.CHARACTER, speaker: str = "Ann") -> Segment:
    return Segment(text="x", role=role, speaker=speaker, span=TextSpan(0, 1), boundary=boundary)


@pytest.mark.parametrize(
    ("boundary", "same_s", "changes_s"),
    [
        (Boundary.NONE, 0.0, 0.4),
        (Boundary.CLAUSE, 0.1, 0.4),
        (Boundary.SENTENCE, 0.2, 0.4),
        (Boundary.PARAGRAPH, 0.6, 0.6),
    ],
)
def test_pause_follows_the_boundary_and_is_longer_where_the_speaker_changes(
    boundary: Boundary, same_s: float, changes_s: float
) -> None:
    same = said(Boundary.SENTENCE)
    narrator = said(Boundary.SENTENCE, SpeakerRole.NARRATOR)
    other = said(Boundary.SENTENCE, SpeakerRole.OTHER, "Bob")
    assert pause_after(said(boundary), same, SETTINGS) == same_s
    assert pause_after(said(boundary), narrator, SETTINGS) == changes_s
    assert pause_after(said(boundary), other, SETTINGS) == changes_s


def test_pause_at_the_end_of_the_reply_is_that_of_the_boundary() -> None:
    assert pause_after(said(Boundary.SENTENCE), None, SETTINGS) == 0.2
