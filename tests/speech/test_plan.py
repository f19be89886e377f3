"""What is spoken next, and on which model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.domain.models import ModelRef
from alltalk_plugin.domain.speech import Segment, SpeakerRole, TextSpan
from alltalk_plugin.domain.voices import VoiceChoice, VoiceName, VoiceProfile
from alltalk_plugin.speech.plan import PlannedSegment, next_batch, runs_ahead


def planned(models: str) -> tuple[PlannedSegment, ...]:
    """One segment for each letter of `models`, the letter being its model."""
    return tuple(
        PlannedSegment(
            index,
            Segment(text=f"segment {index}", role=SpeakerRole.CHARACTER, speaker=None, span=TextSpan(0, 1)),
            VoiceChoice(VoiceProfile(name=VoiceName(model), model=ModelRef(model)), "test"),
        )
        for index, model in enumerate(models)
    )


def spoken_in_batches(models: str, *, fit_together: bool, look_ahead: int) -> list[str]:
    """The batches of a whole reply, each as the indices it speaks."""
    pending = list(planned(models))
    batches = []
    while pending:
        batch = next_batch(pending, fit_together=fit_together, look_ahead=look_ahead)
        batches.append("".join(str(item.index) for item in batch.items))
        done = {item.index for item in batch.items}
        pending = [item for item in pending if item.index not in done]
    return batches


@pytest.mark.parametrize(
    ("models", "fit_together", "look_ahead", "expected"),
    [
        ("a", True, 2, ["0"]),
        ("aaa", True, 2, ["012"]),
        ("abab", True, 2, ["0", "1", "2", "3"]),  # both resident: reading order costs nothing
        ("abab", False, 0, ["0", "1", "2", "3"]),  # nothing may be overtaken
        ("abab", False, 2, ["02", "13"]),
        ("ababababab", False, 2, ["024", "13579", "68"]),
        ("abca", False, 1, ["0", "1", "2", "3"]),
        ("abca", False, 2, ["03", "1", "2"]),
        ("aabbaa", False, 2, ["0145", "23"]),
    ],
)
def test_batches_when_models_alternate_then_grouping_is_bounded(
    models: str, fit_together: bool, look_ahead: int, expected: list[str]
) -> None:
    assert spoken_in_batches(models, fit_together=fit_together, look_ahead=look_ahead) == expected


@given(models=st.text("abc", min_size=1, max_size=9), fit=st.booleans(), look_ahead=st.integers(0, 4))
def test_batches_of_any_reply_speak_every_segment_once_and_start_with_the_next_to_be_heard(
    models: str, fit: bool, look_ahead: int
) -> None:
    pending = list(planned(models))
    spoken: list[int] = []
    while pending:
        batch = next_batch(pending, fit_together=fit, look_ahead=look_ahead)
        indices = [item.index for item in batch.items]
        assert indices[0] == pending[0].index
        assert {item.model for item in batch.items} == {batch.model}
        overtaken = [item for item in pending if item.index < indices[-1] and item.index not in indices]
        assert len(overtaken) <= (0 if fit else look_ahead)
        spoken += indices
        pending = [item for item in pending if item.index not in indices]
    assert sorted(spoken) == list(range(len(models)))


def test_next_batch_names_the_models_wanted_after_it_in_order() -> None:
    batch = next_batch(planned("abcab"), fit_together=True, look_ahead=2)
    assert batch.upcoming == ("b", "c")


def test_runs_ahead_when_an_earlier_segment_is_still_pending_then_true() -> None:
    first, second = planned("ab")
    assert runs_ahead(second, (first, second))
    assert not runs_ahead(first, (first, second))
    assert not runs_ahead(second, (second,))
