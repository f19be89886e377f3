"""A forced swap in the middle of a reply: what it cuts is spoken by the fallback, named as such."""

from __future__ import annotations

from alltalk_plugin.domain.errors import Superseded
from alltalk_plugin.domain.models import ModelRef
from tests.speech.studio import Studio


def test_speak_when_a_forced_swap_takes_the_model_then_the_rest_goes_on_in_the_fallback() -> None:
    studio = Studio(fallbacks={"taken": "plain"})
    studio.loader.script("taken").fail_texts["two"] = Superseded("a forced switch takes taken away")
    spoken = studio.speak("taken: one", "taken: two", "taken: three", "a: four")
    assert [clip.segment.text for clip in spoken.clips] == ["one", "two", "three", "four"]
    assert [clip.choice.voice.name for clip in spoken.clips] == ["taken", "plain", "plain", "a"]
    assert spoken.skipped == () and "a forced switch" in spoken.fallbacks[0]
    assert studio.pool.leased.count(ModelRef("taken")) == 1  # nobody asks for the old model back at once
    studio.service.close()
