from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.engines.espeak import pitch, words_per_minute
from alltalk_plugin.engines.espeak_data import data_folder, read_data
from alltalk_plugin.engines.espeak_spec import SPEC
from alltalk_plugin.engines.specs import BUILT_IN

PROFILE = ModelProfile(ModelRef("espeak"), "espeak")


def voice(speaker: str | None, language: str | None = None) -> VoiceProfile:
    tag = None if language is None else LanguageTag(language)
    return VoiceProfile(name=VoiceName("v"), model=PROFILE.ref, speaker=speaker, language=tag)


@pytest.mark.parametrize(
    ("speaker", "language", "reason"),
    [
        (None, "en", None),
        (None, "de-AT", None),
        ("+f3", "fr", None),
        ("f3", "zh-Hans", None),
        ("en-us", "en-GB", None),
        ("en-us+f3", "en", None),
        ("cmn", "zh", None),
        ("nb", "no", None),
        ("de", "en", "German"),
        ("en-us", "de", "English"),
        (None, "km", "no voice for km"),
        (None, "fo", "no voice for fo"),
        (None, "ja", "kana only"),
        ("nobody", "en", "nobody"),
    ],
)
def test_speaks_says_why_not(speaker: str | None, language: str, reason: str | None) -> None:
    found = SPEC.speaks(PROFILE, voice(speaker), LanguageTag(language))
    assert (found is None) is (reason is None)
    assert reason is None or (found is not None and reason in found)


@pytest.mark.parametrize("asked", [voice("ja"), voice(None, "ja")])
def test_speaks_japanese_when_the_user_chose_it_for_that(asked: VoiceProfile) -> None:
    assert SPEC.speaks(PROFILE, asked, LanguageTag("ja")) is None


def test_spec_of_a_missing_folder_still_answers(tmp_path: Path) -> None:
    lost = ModelProfile(ModelRef("lost"), "espeak", path=tmp_path / "nowhere")
    assert SPEC.speaks(lost, voice(None), LanguageTag("en")) is not None
    assert SPEC.revision(lost) == ""
    assert SPEC.estimate(lost).held_bytes > 0


def test_revision_changes_when_a_file_does(tmp_path: Path) -> None:
    for name in ("phontab", "phondata", "phonindex", "intonations", "en_dict"):
        (tmp_path / name).write_bytes(b"1234")
    profile = ModelProfile(ModelRef("own"), "espeak", path=tmp_path)
    first = SPEC.revision(profile)
    assert first == SPEC.revision(profile) != ""
    os.utime(tmp_path / "en_dict", ns=(1, 1))
    second = SPEC.revision(profile)
    (tmp_path / "phondata").write_bytes(b"12345")
    assert len({first, second, SPEC.revision(profile), SPEC.revision(PROFILE)}) == 4


def test_voices_lists_every_full_voice_with_its_languages() -> None:
    listed = {one.speaker: one for one in SPEC.describe(PROFILE).voices}
    assert listed["en-us"].languages == ("en-US", "en")
    assert listed["en-gb-x-rp"].languages == ("en-GB", "en")
    assert "fo" not in listed
    assert len(listed) > 120


def test_every_listed_speaker_is_a_voice_of_its_own() -> None:
    data = read_data(data_folder(None))
    found = {data.speaker(one.speaker)[0] for one in SPEC.describe(PROFILE).voices}
    assert found == set(data.voices)


def test_names_of_built_in_engines_are_their_own() -> None:
    assert len({spec.name for spec in BUILT_IN}) == len(BUILT_IN)


def test_importing_the_specs_loads_neither_the_engine_nor_numpy_packages_beyond_numpy() -> None:
    script = (
        "import sys, alltalk_plugin.engines.specs\n"
        "from alltalk_plugin.domain.models import ModelProfile\n"
        "assert alltalk_plugin.engines.specs.BUILT_IN[0].describe(ModelProfile('own', 'espeak')).voices\n"
        "heavy = {'espeakng_loader', 'ctypes.util', 'soundfile', 'psutil', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("rate", "wpm"), [(1.0, 175), (0.5, 88), (2.0, 350), (0.25, 80), (4.0, 450), (0.95, 166)]
)
def test_rate_becomes_words_per_minute_within_limits(rate: float, wpm: int) -> None:
    assert words_per_minute(rate) == wpm


@pytest.mark.parametrize(("semitones", "value"), [(0, 50), (-3, 29), (3, 71), (-7, 0), (12, 99), (-12, 0)])
def test_semitones_become_a_pitch_within_limits(semitones: float, value: int) -> None:
    assert pitch(semitones) == value
