"""eSpeak NG in real workers: what is its own, beside the contract."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import ModelCorrupt, ModelIncompatible, ModelNotFound, WorkerCrashed
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.domain.reduce import reduce_text
from alltalk_plugin.engines.espeak_data import data_folder, read_data
from alltalk_plugin.engines.espeak_spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.workers.rude_spec import Deaths, load, rude_environment

pytestmark = pytest.mark.slow

UNFILTERED = replace(SPEC, name="unfiltered", entry="unfiltered:create")
CRASHES = [("vi", '"-J'), ("de", "🚼瓠䑻")]
TEXT = "The rain in Spain stays mainly in the plain."


@pytest.fixture(scope="module")
def loader() -> Iterator[WorkerLoader]:
    engines = {spec.name: spec for spec in (SPEC, UNFILTERED)}
    loader = WorkerLoader(engines, clock=SystemClock(), environment_of=rude_environment)
    yield loader
    loader.close()


@pytest.fixture(scope="module")
def espeak(loader: WorkerLoader) -> WorkerModel:
    model = load(loader, engine="espeak")
    assert isinstance(model, WorkerModel)
    return model


def say(model: object, request: SynthesisRequest) -> tuple[float, float]:
    """Seconds of audio and its level."""
    assert isinstance(model, WorkerModel)
    chunks = list(model.synthesize(request, CancelSource()))
    if not chunks:
        return 0.0, 0.0
    samples = np.concatenate([chunk.samples for chunk in chunks])
    return len(samples) / chunks[0].sample_rate_hz, float(samples.std())


@pytest.mark.parametrize(("speaker", "text"), CRASHES)
def test_text_that_kills_the_library_kills_its_worker_alone(
    loader: WorkerLoader, espeak: WorkerModel, speaker: str, text: str
) -> None:
    deaths = Deaths()
    victim = load(loader, engine="unfiltered", deaths=deaths)
    with pytest.raises(WorkerCrashed) as caught:
        say(victim, SynthesisRequest(text=text, speaker=speaker))
    assert caught.value.context["exit_code"] == -11
    assert "Segmentation fault" in str(caught.value.context["last_output"])
    deaths.wait()
    assert say(espeak, SynthesisRequest(text=TEXT))[0] > 1.0


@pytest.mark.parametrize(("speaker", "text"), [*CRASHES, ("vi", "“-J”"), ("en-us", '"-J'), ("cmn", "🚼瓠䑻")])
def test_the_same_text_through_our_filter_is_spoken_or_refused(
    espeak: WorkerModel, speaker: str, text: str
) -> None:
    for tried in (text, reduce_text(text)):
        try:
            say(espeak, SynthesisRequest(text=tried, speaker=speaker))
        except WorkerCrashed:
            raise
        except Exception as error:  # noqa: BLE001  # any typed refusal is fine here, a crash is not
            assert type(error).__name__ == "LanguageUnsupported"
    assert espeak.alive


def timbre(model: object, speaker: str | None) -> npt.NDArray[np.float64]:
    """The long-term spectrum of a speaker, in 64 bands, of length 1."""
    assert isinstance(model, WorkerModel)
    chunks = model.synthesize(SynthesisRequest(text=TEXT, speaker=speaker), CancelSource())
    samples = np.concatenate([chunk.samples for chunk in chunks])
    power = np.abs(np.fft.rfft(samples, 65_536))[:8_192].astype(np.float64)
    bands: npt.NDArray[np.float64] = power.reshape(64, -1).mean(axis=1)
    return bands / np.linalg.norm(bands)


def test_speaker_changes_the_sound_and_an_alias_does_not(espeak: WorkerModel) -> None:
    plain, alias, variant = (timbre(espeak, name) for name in ("en-us", "gmw/en-US", "en-us+f3"))
    assert plain @ alias > 0.98
    assert plain @ variant < 0.95


def test_variant_follows_the_language_of_the_segment(espeak: WorkerModel) -> None:
    german = say(
        espeak,
        SynthesisRequest(text="Guten Morgen, wie geht es Ihnen?", speaker="+f2", language=LanguageTag("de")),
    )
    russian = say(
        espeak, SynthesisRequest(text="Доброе утро, как дела?", speaker="f2", language=LanguageTag("ru"))
    )
    assert german[0] > 1.0
    assert russian[0] > 1.0


@pytest.mark.parametrize("tag", ["en-GB", "fr-FR", "zh"])
def test_languages_the_library_would_ignore_get_their_voice(espeak: WorkerModel, tag: str) -> None:
    # SetVoiceByName refuses these three and goes on with the voice before.
    text = {"zh": "你好，今天天气很好。"}.get(tag, "un deux trois quatre cinq six sept huit")
    lengths = []
    for before in ("hu", "vi"):
        say(espeak, SynthesisRequest(text="1 2 3", language=LanguageTag(before)))
        lengths.append(say(espeak, SynthesisRequest(text=text, language=LanguageTag(tag)))[0])
    assert abs(lengths[0] - lengths[1]) < 0.1 * lengths[0]


def test_pitch_moves_the_fundamental_by_about_the_semitones_asked(espeak: WorkerModel) -> None:
    low, normal, high = (fundamental_hz(espeak, shift) for shift in (-5.0, 0.0, 5.0))
    assert 0.65 < low / normal < 0.85
    assert 1.18 < high / normal < 1.55


def fundamental_hz(model: WorkerModel, semitones: float) -> float:
    request = SynthesisRequest(
        text="aaaah, ooooh, aaaah.", pitch_semitones=semitones, language=LanguageTag("en")
    )
    chunks = list(model.synthesize(request, CancelSource()))
    rate_hz = chunks[0].sample_rate_hz
    samples = np.concatenate([chunk.samples for chunk in chunks])
    lags = np.arange(rate_hz // 300, rate_hz // 50)
    found = []
    for start in range(0, len(samples) - 2_048, 1_024):
        frame = samples[start : start + 2_048]
        if frame.std() < 0.03:
            continue
        scores = [float(frame[:-lag] @ frame[lag:]) / (2_048 - lag) for lag in lags]
        found.append(rate_hz / lags[int(np.argmax(scores))])
    return float(np.median(found))


def test_every_voice_makes_sound_and_all_of_them_stay_within_the_estimate(espeak: WorkerModel) -> None:
    silent = []
    texts = {"iro/chr": "tsalagi", "trk/cv": "мама"}
    for voice in read_data(data_folder(None)).voices:
        text = texts.get(voice.identifier, "mama 1 2 3")
        seconds, level = say(espeak, SynthesisRequest(text=text, speaker=voice.identifier))
        if seconds < 0.05 or level < 0.005:
            silent.append(voice.identifier)
    assert silent == []
    estimate = SPEC.estimate(profile(None))
    assert espeak.resident_bytes()[estimate.device] <= estimate.held_bytes


def profile(path: Path | None) -> ModelProfile:
    return ModelProfile(ModelRef("espeak"), "espeak", path=path)


@pytest.fixture
def own_data(tmp_path: Path) -> Path:
    folder = tmp_path / "espeak-ng-data"
    shutil.copytree(data_folder(None), folder)
    return folder


def test_model_with_its_own_data_folder_speaks(loader: WorkerLoader, own_data: Path) -> None:
    model = load(loader, engine="espeak", path=own_data)
    assert say(model, SynthesisRequest(text=TEXT))[0] > 1.0
    model.unload()


def test_data_folder_with_a_very_long_path_speaks(
    loader: WorkerLoader, own_data: Path, tmp_path: Path
) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    for folder in (
        shutil.move(own_data, deep / "espeak-ng-data"),
        shutil.copytree(deep / "espeak-ng-data", deep / "other"),
    ):
        model = load(loader, engine="espeak", path=Path(folder))
        assert say(model, SynthesisRequest(text=TEXT))[0] > 1.0
        model.unload()


def test_model_whose_folder_is_missing_then_not_found(loader: WorkerLoader, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        load(loader, engine="espeak", path=tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["phontab", "phondata"])
def test_model_whose_file_is_cut_then_corrupt(loader: WorkerLoader, own_data: Path, name: str) -> None:
    raw = (own_data / name).read_bytes()
    (own_data / name).write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ModelCorrupt):
        load(loader, engine="espeak", path=own_data)


def test_option_voice_is_what_speaks_when_nothing_is_asked_for(
    loader: WorkerLoader, espeak: WorkerModel
) -> None:
    model = load(loader, engine="espeak", voice="de+f3")
    assert timbre(model, None) @ timbre(espeak, "de+f3") > 0.98
    assert timbre(model, None) @ timbre(espeak, None) < 0.95
    model.unload()


def test_option_voice_when_unknown_then_incompatible(loader: WorkerLoader) -> None:
    with pytest.raises(ModelIncompatible):
        load(loader, engine="espeak", voice="nobody")
