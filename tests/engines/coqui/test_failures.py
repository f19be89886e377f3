"""Every way in which a Coqui model or a request is known to fail, tried with the real library."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engines.coqui.handmade import Calls, flip, write_legacy, write_zip
from tests.neural import interpreter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

INSIDE = Path(__file__).with_name("inside.py")


@dataclass(frozen=True, slots=True)
class Case:
    """A model, what is done to it, what is asked of it, and what has to come of it (None: audio)."""

    name: str
    code: str | None
    model: str = "vits"
    spoil: Callable[[Path], object] = lambda _folder: None
    asked: Mapping[str, Any] = field(default_factory=dict)
    seconds: tuple[float, float] = (0.2, 30.0)


def config_with(*remove: str, **changes: Any) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        for key in remove:
            del config[key]
        config.update(changes)
        path.write_text(json.dumps(config))

    return spoil


def arguments_with(**changes: Any) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        config["model_args"].update(changes)
        config.update({key: value for key, value in changes.items() if key in config})
        path.write_text(json.dumps(config))

    return spoil


def weights_as(make: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: make(folder / "model.pth")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200_000])


def flipped(path: Path) -> None:
    """In the middle of a tensor."""
    raw = path.read_bytes()
    middle = len(raw) // 2
    flip(path, raw[middle : middle + 64])


def payload(mark: Path) -> bytes:
    return pickle.dumps({"model": Calls(os.mkdir, str(mark))}, protocol=2)


def malicious(path: Path) -> None:
    write_zip(path, payload(path.parent / "made"))


def malicious_legacy(path: Path) -> None:
    write_legacy(path, payload(path.parent / "made"))


SPEAKERS = ["Ada", "Ben", "Cleo", "Dan"]
CASES = (
    Case("whole", None),
    # Files
    Case("missing model", "not_found", spoil=shutil.rmtree),
    Case("no path", "not_found", asked={"path": None}),
    Case("missing config", "not_found", spoil=lambda folder: (folder / "config.json").unlink()),
    Case("missing weights", "not_found", spoil=lambda folder: (folder / "model.pth").unlink()),
    Case("bad JSON", "corrupt", spoil=lambda folder: (folder / "config.json").write_text("{,")),
    Case("empty file", "corrupt", spoil=weights_as(lambda path: path.write_bytes(b""))),
    Case("truncated", "corrupt", spoil=weights_as(cut)),
    Case("garbage", "corrupt", spoil=weights_as(lambda path: path.write_bytes(b"\x80\x02garbage" * 99))),
    Case("other pickle", "corrupt", spoil=weights_as(lambda path: path.write_bytes(pickle.dumps([1])))),
    Case("malicious", "unsafe_checkpoint", spoil=weights_as(malicious)),
    Case("malicious legacy", "unsafe_checkpoint", spoil=weights_as(malicious_legacy)),
    Case("flipped byte", "corrupt", spoil=weights_as(flipped)),
    Case(
        "flipped byte, unchecked", None, spoil=weights_as(flipped), asked={"options": {"check_files": False}}
    ),
    Case(
        "no PyTorch archive",
        "corrupt",
        spoil=weights_as(lambda path: write_zip(path, pickle.dumps({}, 2))),
    ),
    # Config against weights
    Case("no model key", "incompatible", spoil=config_with("model")),
    Case("unknown model", "incompatible", spoil=config_with(model="vits3")),
    Case("wrong architecture", "incompatible", spoil=config_with(model="glow_tts", model_args={})),
    Case("wrong width", "incompatible", spoil=arguments_with(hidden_channels=48)),
    Case(
        "speakers the weights lack",
        "incompatible",
        spoil=lambda folder: (
            arguments_with(use_speaker_embedding=True, num_speakers=2)(folder),
            config_with(speakers=["a", "b"], use_speaker_embedding=True)(folder),
        ),
    ),
    Case("too few speakers", "incompatible", "vits_speakers", config_with(speakers=["Ada"])),
    Case("speakers nowhere", "not_found", "vits_speakers", config_with(speakers=[])),
    Case("weights that are no numbers", "corrupt", "vits_nan"),
    Case("unknown cleaner", "incompatible", spoil=config_with(text_cleaner="none_such")),
    Case(
        "class from elsewhere",
        "unsafe_checkpoint",
        spoil=config_with(characters={"characters_class": "os.A"}),
    ),
    Case("unknown phonemizer", "incompatible", spoil=config_with(use_phonemes=True, phonemizer="none_such")),
    Case("vocoder missing", "not_found", "glow", asked={"options": {"vocoder": "/nowhere/vocoder.pth"}}),
    Case(
        "vocoder's config missing",
        None,
        "glow_melgan",
        lambda folder: (folder / "vocoder_config.json").unlink(),
    ),
    Case("safetensors", None, "vits_safetensors"),
    Case(
        "phonemes", None, "vits_phonemes", asked={"text": "Schöne Grüße, ein kurzer Test.", "language": "de"}
    ),
    Case("script that eSpeak spells", "language_unsupported", "vits_phonemes", asked={"text": "你好世界"}),
    Case("phonemes of emoji and words", None, "vits_phonemes", asked={"text": 'Ja 😀 gut -J "x'}),
    # Options and devices
    Case("no such device", "incompatible", asked={"device": "cuda:0"}),
    Case("nonsense device", "incompatible", asked={"device": "toaster"}),
    Case("half on cpu", "incompatible", asked={"options": {"half": True}}),
    Case("scale out of range", "incompatible", asked={"options": {"length_scale": 99.0}}),
    Case("scale nobody has", "incompatible", "tacotron2_melgan", asked={"options": {"length_scale": 1.1}}),
    Case(
        "unknown speaker in options", "incompatible", "vits_speakers", asked={"options": {"speaker": "Zoe"}}
    ),
    # Texts
    Case("empty text", None, asked={"text": ""}, seconds=(0, 0)),
    Case("spaces", None, asked={"text": "  \n "}, seconds=(0, 0)),
    Case("dots", None, asked={"text": "..."}, seconds=(0, 0)),
    Case("emoji only", None, asked={"text": "😀🎉"}, seconds=(0, 0)),
    Case("CJK only", "language_unsupported", asked={"text": "你好世界"}),
    Case("CJK in a sentence", None, asked={"text": "She said 你好 to all of them."}),
    Case("5,000 chars", None, asked={"text": "word " * 1_000}, seconds=(100, 600)),
    Case("one letter", None, asked={"text": "a"}, seconds=(0.02, 2)),
    # Voices and languages
    Case("speaker on a model without", "voice_not_found", asked={"speaker": "Ada"}),
    Case("no speaker", None, "vits_speakers"),
    Case("unknown speaker", "voice_not_found", "vits_speakers", asked={"speaker": "Bem"}),
    Case("language on a model of one", "language_unsupported", asked={"language": "de"}),
    Case("unknown language", "language_unsupported", "vits_languages", asked={"language": "ja"}),
    Case("no language", None, "vits_languages"),
    Case("reference audio", "reference_unusable", asked={"references": ["/nowhere/me.wav"]}),
)


@pytest.fixture(scope="module")
def outcomes(coqui: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What came of every case, all tried in one process: importing the library is most of the time."""
    root = tmp_path_factory.mktemp("spoilt")
    asked = []
    for number, case in enumerate(CASES):
        folder = root / str(number)
        shutil.copytree(coqui[case.model], folder)
        case.spoil(folder)
        asked.append({"path": str(folder), **case.asked})
    answer = root / "outcomes.json"
    subprocess.run(
        [str(interpreter("coqui")), "-I", str(INSIDE), str(answer)],
        input=json.dumps(asked).encode(),
        check=True,
        timeout=280,
    )
    assert not list(root.glob("*/made")), "a payload ran"
    return {case.name: one for case, one in zip(CASES, json.loads(answer.read_text()), strict=True)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_comes_of_a_model_or_a_request(case: Case, outcomes: Mapping[str, Any]) -> None:
    got = outcomes[case.name]
    assert got["error"] == case.code, got
    if case.code is None:
        shortest, longest = case.seconds
        assert shortest <= got["seconds"] <= longest
    else:
        assert got["hint"]
        text = str(case.asked.get("text", "")).strip()
        assert not text or text not in json.dumps(got, ensure_ascii=False)


def test_an_unknown_speaker_then_the_nearest_name(outcomes: Mapping[str, Any]) -> None:
    assert "Ben" in outcomes["unknown speaker"]["hint"]


def test_a_malicious_checkpoint_then_what_it_would_call(outcomes: Mapping[str, Any]) -> None:
    assert outcomes["malicious"]["context"]["global"].endswith("mkdir")


def test_a_flipped_byte_that_nobody_checks_then_it_speaks(outcomes: Mapping[str, Any]) -> None:
    """What the check is for: the library notices nothing."""
    assert outcomes["flipped byte, unchecked"]["seconds"] > 0.2


def test_safetensors_then_as_long_as_the_same_weights_in_a_pickle(outcomes: Mapping[str, Any]) -> None:
    assert outcomes["safetensors"]["seconds"] == pytest.approx(outcomes["whole"]["seconds"])


def test_a_long_text_then_many_pieces(outcomes: Mapping[str, Any]) -> None:
    assert outcomes["5,000 chars"]["pieces"] >= 25


READ = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import torch
from alltalk_plugin.domain.errors import ModelCorrupt
from alltalk_plugin.engines.coqui import failures
with failures.reading():
    try:
        torch.load(Path(sys.argv[2]))
    except ModelCorrupt as error:
        print(error.context["path"])
"""


def test_a_file_read_by_its_path_then_all_of_that_path_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "model.pth"
    bad.write_bytes(b"no weights")
    root = str(Path(__file__).resolve().parent.parent.parent.parent)
    ran = subprocess.run(
        [str(interpreter("coqui")), "-I", "-c", READ, root, str(bad)],
        check=True,
        timeout=100,
        capture_output=True,
    )
    assert ran.stdout.decode().strip() == str(bad)
