"""A model's folder, understood without loading it."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    ModelCorrupt,
    ModelIncompatible,
    ModelNotFound,
    UnsafeCheckpoint,
)
from alltalk_plugin.engines.coqui.checkpoint import read_checkpoint
from tests.engines.coqui.handmade import Calls, global_pickle, write_model, write_zip

SPEAKERS: dict[str, Any] = {"use_speaker_embedding": True}


def test_a_folder_and_its_weights_file_are_the_same_model(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "vits", languages=["en", "de"])
    read = read_checkpoint(folder)
    assert read == read_checkpoint(folder / "model.pth")
    assert (read.kind, read.sample_rate_hz, read.languages) == ("vits", 22_050, ("en", "de"))
    assert read.weights == (folder / "model.pth",)
    assert read.weights_bytes == 1_000
    assert read.files == (folder / "config.json", folder / "model.pth")
    assert read.speakers == ()
    assert read.vocoder is None


def test_safetensors_are_preferred(tmp_path: Path) -> None:
    folder = write_model(tmp_path, weights="model.safetensors")
    write_model(folder)
    assert read_checkpoint(folder).weights == (folder / "model.safetensors",)


@pytest.mark.parametrize(
    "name", ["speakers.pth", "vocoder.pth", "model_se.pth.tar", "dvae.pth", "d_vectors.pth"]
)
def test_files_beside_the_weights_are_not_taken_for_them(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path, weights="G_100.pth")
    write_zip(folder / name, pickle.dumps({}, protocol=2))
    assert read_checkpoint(folder).weights == (folder / "G_100.pth",)


def test_several_checkpoints_of_a_training_then_the_usual_name_or_a_question(tmp_path: Path) -> None:
    folder = write_model(tmp_path, weights="checkpoint_1000.pth")
    write_model(folder, weights="checkpoint_2000.pth")
    with pytest.raises(ModelIncompatible) as caught:
        read_checkpoint(folder)
    assert "checkpoint_1000.pth" in caught.value.hint
    assert read_checkpoint(folder / "checkpoint_2000.pth").weights == (folder / "checkpoint_2000.pth",)
    write_model(folder, weights="best_model.pth")
    assert read_checkpoint(folder).weights == (folder / "best_model.pth",)


def no_model(_folder: Path) -> None:
    pass


def no_config(folder: Path) -> None:
    write_model(folder)
    (folder / "config.json").unlink()


def no_weights(folder: Path) -> None:
    write_model(folder)
    (folder / "model.pth").unlink()


def garbled_config(folder: Path) -> None:
    write_model(folder)
    (folder / "config.json").write_text("{")


def without(key: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        write_model(folder)
        config = json.loads((folder / "config.json").read_text())
        del config[key]
        (folder / "config.json").write_text(json.dumps(config))

    return spoil


def with_config(**config: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_model(folder, **config)

    return write


def with_weights(spoil: Callable[[Path], object]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_model(folder)
        spoil(folder / "model.pth")

    return write


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (no_model, ModelNotFound),
        (no_config, ModelNotFound),
        (no_weights, ModelNotFound),
        (garbled_config, ModelCorrupt),
        (without("model"), ModelIncompatible),
        (with_config(model=7), ModelIncompatible),
        (with_config(model="bark"), ModelIncompatible),
        (with_config(model="vitz"), ModelIncompatible),
        (with_config(**SPEAKERS), ModelNotFound),
        (with_config(**SPEAKERS, speakers_file="speakers.pth"), ModelNotFound),
        (with_config(characters={"characters_class": "os.path.Letters"}), UnsafeCheckpoint),
        (with_weights(lambda path: path.write_bytes(b"")), ModelCorrupt),
        (with_weights(lambda path: path.write_bytes(os.urandom(99))), ModelCorrupt),
        (with_weights(lambda path: path.write_bytes(path.read_bytes()[:-70])), ModelCorrupt),
        (with_weights(lambda path: write_zip(path, global_pickle("os", "getcwd"))), UnsafeCheckpoint),
    ],
)
def test_what_is_no_model_then_a_typed_error_with_a_hint(
    tmp_path: Path, spoil: Callable[[Path], None], error: type[AlltalkError]
) -> None:
    spoil(tmp_path / "model")
    with pytest.raises(error) as caught:
        read_checkpoint(tmp_path / "model")
    assert type(caught.value) is error
    assert caught.value.hint


def test_an_architecture_almost_named_then_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ModelIncompatible) as caught:
        read_checkpoint(write_model(tmp_path, model="glow_tss"))
    assert "glow_tts" in caught.value.hint


def test_speakers_are_listed_or_in_a_file(tmp_path: Path) -> None:
    listed = write_model(tmp_path / "a", **SPEAKERS, speakers=["Ada", "Ben"])
    assert read_checkpoint(listed).speakers == ("Ada", "Ben")
    filed = write_model(tmp_path / "b", **SPEAKERS, speakers_file="/far/speakers.pth")
    write_zip(filed / "speakers.pth", pickle.dumps({"Cleo": 0, "Dan": 1}, protocol=2))
    read = read_checkpoint(filed)
    assert read.speakers == ("Cleo", "Dan")
    assert filed / "speakers.pth" in read.files
    vectors = write_model(tmp_path / "c", use_d_vector_file=True, d_vector_file="speakers.json")
    (vectors / "speakers.json").write_text(json.dumps({"1.wav": {"name": "Eve"}, "2.wav": {"name": "Eve"}}))
    assert read_checkpoint(vectors).speakers == ("Eve",)


def test_a_payload_in_any_file_of_a_model_then_unsafe_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "made"
    call = Calls(os.mkdir, str(mark))
    speakers = write_model(tmp_path / "a", **SPEAKERS, speakers_file="speakers.pth")
    write_zip(speakers / "speakers.pth", pickle.dumps({"Ada": call}, protocol=2))
    statistics = write_model(tmp_path / "b", audio={"sample_rate": 22_050, "stats_path": "stats.npy"})
    np.save(statistics / "stats.npy", np.array({"mel_mean": call}, dtype=object), allow_pickle=True)
    vocoder = two_parts(tmp_path / "c")
    write_zip(vocoder / "vocoder.pth", pickle.dumps(call, protocol=2))
    encoder = write_model(tmp_path / "d", model_args={"speaker_encoder_model_path": "model_se.pth"})
    write_zip(encoder / "model_se.pth", pickle.dumps(call, protocol=2))
    for folder in (speakers, statistics, vocoder, encoder):
        with pytest.raises(UnsafeCheckpoint):
            read_checkpoint(folder)
    assert not mark.exists()


def two_parts(folder: Path) -> Path:
    write_model(folder, model="glow_tts")
    (folder / "vocoder_config.json").write_text(
        json.dumps({"generator_model": "melgan_generator", "audio": {"sample_rate": 24_000}})
    )
    write_zip(folder / "vocoder.pth", pickle.dumps({"model": {}}, protocol=2), tensors=500)
    return folder


def test_a_vocoder_beside_the_model_or_named_is_found_and_counted(tmp_path: Path) -> None:
    folder = two_parts(tmp_path / "a")
    read = read_checkpoint(folder)
    assert read.vocoder is not None
    assert read.vocoder.weights == folder / "vocoder.pth"
    assert (read.sample_rate_hz, read.weights_bytes) == (24_000, 1_500)
    assert {folder / "vocoder.pth", folder / "vocoder_config.json"} < set(read.files)
    other = write_model(tmp_path / "b" / "vocoder", model="gan", weights="model_file.pth")
    own = read_checkpoint(folder, other).vocoder
    assert own is not None
    assert own.weights == other / "model_file.pth"
    beside = write_model(tmp_path / "b", model="glow_tts")
    found = read_checkpoint(beside).vocoder
    assert found is not None
    assert found.weights == other / "model_file.pth"
    assert read_checkpoint(write_model(tmp_path / "c", model="glow_tts")).vocoder is None
    assert read_checkpoint(two_parts(tmp_path / "d") / "model.pth").vocoder is not None


def test_a_named_vocoder_that_is_none_then_a_typed_error(tmp_path: Path) -> None:
    folder = two_parts(tmp_path / "a")
    with pytest.raises(ModelNotFound):
        read_checkpoint(folder, tmp_path / "nowhere")
    other = write_model(tmp_path / "b", model=None)
    (other / "config.json").write_text("{}")
    with pytest.raises(ModelIncompatible):
        read_checkpoint(folder, other)


def test_a_model_of_one_part_ignores_a_vocoder(tmp_path: Path) -> None:
    folder = two_parts(tmp_path)
    write_model(folder, model="vits")
    assert read_checkpoint(folder).vocoder is None


def test_the_published_xtts_carries_its_configuration_as_objects(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "a", model="xtts", languages=["en", "zh-cn"])
    write_zip(folder / "model.pth", global_pickle("TTS.tts.configs.xtts_config", "XttsConfig"))
    write_zip(folder / "speakers_xtts.pth", pickle.dumps({"Ada": 0}, protocol=2))
    read = read_checkpoint(folder)
    assert (read.kind, read.speakers, read.languages) == ("xtts", ("Ada",), ("en", "zh-CN"))
    other = write_model(tmp_path / "b")
    write_zip(other / "model.pth", global_pickle("TTS.tts.configs.xtts_config", "XttsConfig"))
    with pytest.raises(UnsafeCheckpoint):
        read_checkpoint(other)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    folder = write_model(tmp_path, languages=["en"])
    assert read_checkpoint(folder).languages == ("en",)
    write_model(folder, languages=["de", "fr"])
    assert read_checkpoint(folder).languages == ("de", "fr")
    write_zip(folder / "model.pth", global_pickle("os", "getcwd"))
    with pytest.raises(UnsafeCheckpoint):
        read_checkpoint(folder)
