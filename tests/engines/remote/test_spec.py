from __future__ import annotations

import pytest

from alltalk_plugin.domain.engines import EngineVoice
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import CPU, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.engines.remote.options import OPTIONS, read_options
from alltalk_plugin.engines.remote.spec import SPEC

ANYONE = VoiceProfile(name=VoiceName("any"), model=ModelRef("far"))


def profile(**options: OptionValue) -> ModelProfile:
    return ModelProfile(ModelRef("far"), "remote", options={"base_url": "http://10.0.0.2:8880", **options})


def test_spec_when_asked_then_nothing_needs_the_network() -> None:
    far = profile(languages="en de", voice="nova")
    assert SPEC.estimate(far).device == CPU
    assert SPEC.revision(far) == ""
    described = SPEC.describe(far)
    assert described.languages == ("en", "de")
    assert described.voices == (EngineVoice("nova", "nova", described.languages),)
    assert not described.files


@pytest.mark.parametrize(
    ("languages", "language", "speaks"),
    [
        ("", "km", True),
        ("en de", "de", True),
        ("en de", "de-CH", True),
        ("en de", "fr", False),
        ("no", "nb", True),
    ],
)
def test_language_when_asked_then_as_the_option_says(languages: str, language: str, speaks: bool) -> None:
    reason = SPEC.speaks(profile(languages=languages), ANYONE, LanguageTag(language))
    assert (reason is None) is speaks


def test_model_when_its_options_are_wrong_then_refused_early_and_said_so() -> None:
    wrong = ModelProfile(ModelRef("far"), "remote")
    with pytest.raises(ModelIncompatible, match="base_url"):
        SPEC.estimate(wrong)
    assert "base_url" in (SPEC.speaks(wrong, ANYONE, LanguageTag("en")) or "")


@pytest.mark.parametrize(("key_env", "count"), [("SPEECH_KEY", 1), ("", 0)])
def test_key_when_it_would_travel_unencrypted_then_a_caution(key_env: str, count: int) -> None:
    assert len(SPEC.cautions(profile(key_env=key_env))) == count


def test_options_when_they_have_defaults_then_these_are_what_is_read() -> None:
    defaults = {name: field.default for name, field in OPTIONS.items() if field.default is not None}
    assert read_options({"base_url": "http://h", **defaults}) == read_options({"base_url": "http://h"})
    assert all(isinstance(default, OPTIONS[name].kind) for name, default in defaults.items())
