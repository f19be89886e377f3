from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from alltalk_plugin.domain.engines import NumberReading
from alltalk_plugin.domain.errors import ModelNotFound
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.engines.piper.spec import SPEC
from tests.checkpoints.write_piper import voice_model
from tests.engines.piper.test_readable import LETTERS
from tests.engines.piper.test_voice_files import config_file


def profile(folder: Path | None) -> ModelProfile:
    return ModelProfile(ModelRef("voice"), "piper", path=folder)


@pytest.fixture
def voice(tmp_path: Path) -> ModelProfile:
    """A voice with two speakers, by its folder."""
    config_file(tmp_path, speakers=("anna", "zoe"))
    save(voice_model(many=True), str(tmp_path / "voice.onnx"))
    return profile(tmp_path)


def speaking_as(speaker: str | None) -> VoiceProfile:
    return VoiceProfile(name=VoiceName("v"), model=ModelRef("voice"), speaker=speaker)


@pytest.mark.parametrize(
    ("speaker", "language", "reason"),
    [
        (None, "en", None),
        ("zoe", "en-GB", None),
        ("1", "en", None),
        (None, "de", "speaks en-US, not de"),
        ("nobody", "en", "no speaker 'nobody'"),
    ],
)
def test_speaks_says_why_not(
    voice: ModelProfile, speaker: str | None, language: str, reason: str | None
) -> None:
    found = SPEC.speaks(voice, speaking_as(speaker), LanguageTag(language))
    assert (found is None) is (reason is None)
    assert reason is None or (found is not None and reason in found)


def test_voice_whose_language_is_unknown_may_speak_any(tmp_path: Path) -> None:
    config_file(tmp_path, {"espeak": {"voice": "gmw/en"}})
    save(voice_model(many=False), str(tmp_path / "voice.onnx"))
    assert SPEC.speaks(profile(tmp_path), speaking_as(None), LanguageTag("de")) is None
    assert SPEC.describe(profile(tmp_path)).languages == ()


def test_describe_lists_speakers_languages_and_files(voice: ModelProfile) -> None:
    found = SPEC.describe(voice)
    assert [(one.speaker, one.name, one.languages) for one in found.voices] == [
        ("anna", "anna", ("en-US",)),
        ("zoe", "zoe", ("en-US",)),
    ]
    assert [path.name for path in found.files] == ["voice.onnx", "voice.onnx.json"]
    assert (found.languages, found.sample_rate_hz, found.clones) == (("en-US",), 22_050, False)


def test_describe_calls_the_speaker_of_a_single_voice_like_its_file(tmp_path: Path) -> None:
    config_file(tmp_path)
    save(voice_model(many=False), str(tmp_path / "voice.onnx"))
    assert [(one.speaker, one.name) for one in SPEC.describe(profile(tmp_path)).voices] == [("0", "voice")]


def test_describe_of_a_missing_voice_then_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        SPEC.describe(profile(tmp_path))


def test_spec_of_a_missing_voice_still_answers(tmp_path: Path) -> None:
    lost = profile(tmp_path / "nowhere.onnx")
    assert SPEC.speaks(lost, speaking_as(None), LanguageTag("en")) is not None
    assert SPEC.revision(lost) == ""
    assert SPEC.estimate(lost).held_bytes > 0
    assert SPEC.numbers(lost) is NumberReading.PLAIN


def test_revision_changes_with_either_file(voice: ModelProfile) -> None:
    assert voice.path is not None
    first = SPEC.revision(voice)
    assert first == SPEC.revision(voice) != ""
    os.utime(voice.path / "voice.onnx", ns=(1, 1))
    second = SPEC.revision(voice)
    config_file(voice.path, {"espeak": {"voice": "en-gb"}}, speakers=("anna", "zoe"))
    assert len({first, second, SPEC.revision(voice)}) == 3


def test_numbers_of_a_voice_of_letters_are_written_out_before(tmp_path: Path, voice: ModelProfile) -> None:
    assert SPEC.numbers(voice) is NumberReading.PLAIN
    config_file(tmp_path, LETTERS)
    assert SPEC.numbers(voice) is NumberReading.NONE


def test_estimate_grows_with_the_weights_and_with_the_widest_layer(voice: ModelProfile) -> None:
    assert voice.path is not None
    plain = SPEC.estimate(voice).held_bytes
    wide = numpy_helper.from_array(np.zeros((8, 32, 4), np.float32), "up")
    model = voice_model(many=True)
    model.graph.initializer.append(wide)
    # It makes no sense as a network; its header says what a real one's would.
    model.graph.node.append(helper.make_node("ConvTranspose", ["waves", "up"], ["unused"], strides=[4]))
    save(model, str(voice.path / "voice.onnx"))
    assert 300_000_000 < SPEC.estimate(voice).held_bytes - plain < 400_000_000
    model.graph.initializer.append(
        helper.make_tensor("weights", TensorProto.UINT8, [10_000_000], b"\0" * 10_000_000, raw=True)
    )
    before = SPEC.estimate(voice).held_bytes
    save(model, str(voice.path / "voice.onnx"))
    assert SPEC.estimate(voice).held_bytes - before == pytest.approx(15_000_000, rel=0.01)


def test_spec_and_header_need_nothing_but_the_standard_library() -> None:
    script = (
        "import sys, alltalk_plugin.engines.piper.spec\n"
        "heavy = {'onnx', 'onnxruntime', 'piper', 'pydantic', 'emoji'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
