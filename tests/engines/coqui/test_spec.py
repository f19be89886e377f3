"""What the service knows of a Coqui model without a worker."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from alltalk_plugin.domain.engines import NumberReading
from alltalk_plugin.domain.errors import ModelIncompatible, ModelNotFound
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import CPU, Device, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.engines.coqui.options import OPTIONS
from alltalk_plugin.engines.coqui.spec import MB, SPEC
from tests.engines.coqui.handmade import write_model, write_zip

REF = ModelRef("model")


def profile(path: Path | None, *, device: Device = CPU, **options: OptionValue) -> ModelProfile:
    return ModelProfile(REF, "coqui", path=path, device=device, options=options)


def reason(model: ModelProfile, language: str, speaker: str | None = None) -> str | None:
    voice = VoiceProfile(name=VoiceName("voice"), model=REF, speaker=speaker)
    return SPEC.speaks(model, voice, LanguageTag(language))


def test_describe_names_speakers_languages_and_files(tmp_path: Path) -> None:
    folder = write_model(
        tmp_path, use_speaker_embedding=True, speakers=["Ada", "Ben"], languages=["en", "fr-fr"]
    )
    described = SPEC.describe(profile(folder))
    assert described.kind == "vits"
    assert [(voice.speaker, voice.languages) for voice in described.voices] == [
        ("Ada", ("en", "fr-FR")),
        ("Ben", ("en", "fr-FR")),
    ]
    assert described.languages == ("en", "fr-FR")
    assert described.files == (folder / "config.json", folder / "model.pth")
    assert (described.sample_rate_hz, described.clones) == (22_050, False)
    assert SPEC.describe(profile(write_model(tmp_path / "x", model="xtts"))).clones


def test_describe_of_nothing_then_not_found(tmp_path: Path) -> None:
    for path in (None, tmp_path / "none"):
        with pytest.raises(ModelNotFound):
            SPEC.describe(profile(path))


def test_speaks_the_languages_of_its_files_in_any_region(tmp_path: Path) -> None:
    model = profile(write_model(tmp_path, languages=["en", "fr-fr"]))
    assert reason(model, "en-GB") is None
    assert reason(model, "fr-CA") is None
    assert "en, fr-FR" in (reason(model, "de") or "")


def test_speaks_anything_while_nobody_says_what_and_what_the_settings_say(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    assert reason(profile(folder), "de") is None
    assert reason(profile(folder, language="de-AT"), "de") is None
    assert reason(profile(folder, language="de"), "en")
    assert reason(profile(write_model(folder, languages=["en"]), language="de"), "de") is None


def test_speaks_not_with_a_speaker_it_lacks_nor_without_files(tmp_path: Path) -> None:
    folder = write_model(tmp_path, use_speaker_embedding=True, speakers=["Ada"])
    assert reason(profile(folder), "en", "Ada") is None
    assert "Zoe" in (reason(profile(folder), "en", "Zoe") or "")
    assert reason(profile(tmp_path / "none"), "en")
    assert reason(profile(folder, language="no tag"), "en")


def test_revision_changes_with_any_file_and_is_empty_without(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    first = SPEC.revision(profile(folder))
    assert first == SPEC.revision(profile(folder))
    write_model(folder, languages=["en"])
    second = SPEC.revision(profile(folder))
    write_zip(folder / "model.pth", pickle.dumps({"model": {}}, protocol=2), tensors=2_000)
    assert len({first, second, SPEC.revision(profile(folder))}) == 3
    assert SPEC.revision(profile(tmp_path / "none")) == ""


def test_numbers_by_kind(tmp_path: Path) -> None:
    def read(**config: Any) -> NumberReading:
        return SPEC.numbers(profile(write_model(tmp_path, **config)))

    assert read() is NumberReading.NONE
    assert read(use_phonemes=True, phoneme_language="de") is NumberReading.PLAIN
    assert read(model="xtts") is NumberReading.ALL
    assert SPEC.numbers(profile(None)) is NumberReading.NONE


def test_estimate_grows_with_the_weights_and_is_higher_at_the_peak(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    write_zip(folder / "model.pth", pickle.dumps({"model": {}}, protocol=2), tensors=40 * MB)
    estimate = SPEC.estimate(profile(folder))
    assert 40 * MB < estimate.steady_bytes < 100 * MB
    assert estimate.peak_bytes >= 80 * MB
    assert 200 * MB < estimate.context_bytes < 400 * MB
    on_device = SPEC.estimate(profile(folder, device=Device("cuda:0")))
    assert on_device.device == "cuda:0"
    assert on_device.steady_bytes == estimate.steady_bytes
    assert on_device.peak_bytes <= estimate.peak_bytes


def test_estimate_of_a_hifigan_counts_what_is_built_in_vain(tmp_path: Path) -> None:
    folder = write_model(tmp_path, model="glow_tts")
    write_zip(folder / "vocoder.pth", pickle.dumps({"model": {}}, protocol=2), tensors=80 * MB)
    loads = []
    for discriminator in ("melgan_multiscale_discriminator", "hifigan_discriminator"):
        vocoder = {"model": "hifigan", "discriminator_model": discriminator, "audio": {"sample_rate": 22_050}}
        vocoder["generator_model_params"] = {"upsample_initial_channel": 16}
        (folder / "vocoder_config.json").write_text(json.dumps(vocoder))
        loads.append(SPEC.estimate(profile(folder)).load_bytes)
    assert loads[1] - loads[0] == 283 * MB


def test_estimate_counts_the_longest_sentence_of_what_makes_the_sound(tmp_path: Path) -> None:
    folder = write_model(tmp_path, model="glow_tts")
    write_zip(folder / "vocoder.pth", pickle.dumps({"model": {}}, protocol=2))

    def speaking_mb(generator: str, **parameters: Any) -> int:
        vocoder = {"model": "gan", "generator_model": generator, "generator_model_params": parameters}
        (folder / "vocoder_config.json").write_text(json.dumps(vocoder))
        return SPEC.estimate(profile(folder)).peak_bytes // MB

    small = speaking_mb("hifigan_generator", upsample_initial_channel=32, upsample_factors=[8, 8, 2, 2])
    usual = speaking_mb("hifigan_generator", upsample_initial_channel=512, upsample_factors=[8, 8, 2, 2])
    melgan = speaking_mb("multiband_melgan_generator", upsample_factors=[8, 4, 2], upsample_initial_channel=9)
    whole = speaking_mb("univnet_generator")
    assert small < 66 < melgan < usual < 240 < whole
    assert speaking_mb("hifigan_generator") == usual


def test_estimate_of_a_tacotron_counts_no_longer_sentence_than_it_can_say(tmp_path: Path) -> None:
    peaks = []
    for steps in (60, 500, 5_000):
        folder = write_model(tmp_path / str(steps), model="tacotron2", max_decoder_steps=steps, r=2)
        write_zip(folder / "vocoder.pth", pickle.dumps({"model": {}}, protocol=2))
        vocoder = {"model": "melgan", "generator_model": "melgan_generator"}
        (folder / "vocoder_config.json").write_text(json.dumps(vocoder))
        peaks.append(SPEC.estimate(profile(folder)).peak_bytes)
    assert peaks[0] < 0.7 * peaks[1]
    assert peaks[1] == peaks[2]


def test_estimate_of_nothing_is_the_worker_alone(tmp_path: Path) -> None:
    estimate = SPEC.estimate(profile(tmp_path / "none"))
    assert (estimate.peak_bytes, estimate.steady_bytes) == (0, 0)
    assert estimate.context_bytes > 0


def test_the_options_of_both_kinds_of_model_are_known() -> None:
    assert set(OPTIONS) < set(SPEC.options)
    assert "temperature" in SPEC.options


def test_a_wrong_option_then_describe_says_which(tmp_path: Path) -> None:
    with pytest.raises(ModelIncompatible) as caught:
        SPEC.describe(profile(write_model(tmp_path), language="no tag"))
    assert caught.value.context["option"] == "language"


def test_the_lock_is_there_and_holds_every_step() -> None:
    assert SPEC.environment is not None
    locked = {line.partition("==")[0] for line in SPEC.environment.lock.read_text().splitlines()}
    wanted = {name for step in SPEC.environment.steps for name in step.requirements}
    assert wanted <= locked
