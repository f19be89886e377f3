from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alltalk_plugin.domain.engines import NumberReading
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.engines.kokoro.spec import SPEC
from tests.checkpoints.write_kokoro import write_model


def profile(folder: Path, **options: str) -> ModelProfile:
    return ModelProfile(ModelRef("kokoro"), "kokoro", path=folder, options=options)


def speaking_as(speaker: str | None) -> VoiceProfile:
    return VoiceProfile(name=VoiceName("v"), model=ModelRef("kokoro"), speaker=speaker)


@pytest.fixture
def model(tmp_path: Path) -> ModelProfile:
    return profile(write_model(tmp_path, ("am_adam", "af_heart", "ff_siwis", "zf_001")))


@pytest.mark.parametrize(
    ("speaker", "language", "reason"),
    [
        (None, "en", None),
        (None, "fr", None),
        (None, "de", "speaks en-US, not de"),
        (None, "zh", "no phonemes for zh"),
        ("am_adam", "en-GB", None),
        ("am_adam", "fr", "speaks en-US, not fr"),
        ("zf_001", "zh", "no phonemes for zh"),
        ("nobody", "en", "no voice 'nobody'"),
    ],
)
def test_speaks_says_why_not(
    model: ModelProfile, speaker: str | None, language: str, reason: str | None
) -> None:
    found = SPEC.speaks(model, speaking_as(speaker), LanguageTag(language))
    assert (found is None) is (reason is None)
    assert reason is None or (found is not None and reason in found)


def test_describe_lists_the_voices_that_can_be_heard(model: ModelProfile) -> None:
    found = SPEC.describe(model)
    assert [(one.speaker, one.languages) for one in found.voices] == [
        ("am_adam", ("en-US",)),
        ("af_heart", ("en-US",)),
        ("ff_siwis", ("fr-FR",)),
    ]
    assert found.languages == ("en-US", "fr-FR")
    assert [path.name for path in found.files] == ["model.onnx", "voices.bin"]
    assert found.sample_rate_hz == 24_000


def test_spec_of_a_missing_model_still_answers(tmp_path: Path) -> None:
    lost = profile(tmp_path / "nowhere")
    assert SPEC.speaks(lost, speaking_as(None), LanguageTag("en")) is not None
    assert SPEC.revision(lost) == ""
    assert SPEC.estimate(lost).held_bytes > 0
    assert SPEC.numbers(lost) is NumberReading.PLAIN


def test_revision_changes_with_either_file(model: ModelProfile) -> None:
    assert model.path is not None
    first = SPEC.revision(model)
    assert first == SPEC.revision(model) != ""
    os.utime(model.path / "voices.bin", ns=(1, 1))
    second = SPEC.revision(model)
    os.utime(model.path / "model.onnx", ns=(1, 1))
    assert len({first, second, SPEC.revision(model)}) == 3


def test_spec_needs_nothing_but_the_standard_library() -> None:
    script = (
        "import sys, alltalk_plugin.engines.kokoro.spec\n"
        "heavy = {'onnxruntime', 'kokoro_onnx', 'phonemizer', 'pydantic', 'emoji'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
