"""XTTS in real workers, and from inside one: a model of the library's own making, with random weights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from alltalk_plugin.domain.audio import Samples
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef
from alltalk_plugin.engines.coqui.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.engines.coqui.test_references import speech
from tests.neural import environment_of, interpreter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

QUICK = {"threads": 1, "top_k": 1, "stream_chunk_size": 6}
"""The likeliest token always: the same words sound the same. One thread, or two busy cores wait for each
other in every layer."""
TEXT = "This is a short test of the voice."
INSIDE = Path(__file__).with_name("xtts_inside.py")


@pytest.fixture(scope="module")
def folder(xtts: Path) -> Path:
    return xtts


@pytest.fixture(scope="module")
def recordings(folder: Path) -> tuple[Path, Path]:
    """Two of one speaker."""
    paths = folder / "one.wav", folder / "two.wav"
    for path, seconds in zip(paths, (4.0, 3.0), strict=True):
        soundfile.write(path, speech(seconds, rate_hz=22_050), 22_050, subtype="FLOAT")
    return paths


@pytest.fixture(scope="module")
def loader() -> Iterator[WorkerLoader]:
    loader = WorkerLoader({"coqui": SPEC}, clock=SystemClock(), environment_of=environment_of)
    yield loader
    loader.close()


@pytest.fixture(scope="module")
def model(loader: WorkerLoader, folder: Path) -> WorkerModel:
    profile = ModelProfile(ModelRef("xtts"), "coqui", path=folder / "xtts", options=QUICK)
    key = ModelKey("coqui", profile.ref, "1")
    return loader.load(profile, key, CancelSource(), lambda _death: None)


def ask(text: str = TEXT, **how: Any) -> SynthesisRequest:
    return SynthesisRequest(**{"text": text, "language": LanguageTag("en"), **how})


def pieces(model: WorkerModel, request: SynthesisRequest) -> list[Samples]:
    chunks = list(model.synthesize(request, CancelSource()))
    assert {chunk.sample_rate_hz for chunk in chunks} <= {24_000}
    return [chunk.samples for chunk in chunks]


def say(model: WorkerModel, request: SynthesisRequest) -> Samples:
    return np.concatenate(pieces(model, request))


def failure(model: WorkerModel, request: SynthesisRequest) -> AlltalkError:
    with pytest.raises(AlltalkError) as caught:
        pieces(model, request)
    return caught.value


def test_loaded_model_passes_its_own_test(model: WorkerModel) -> None:
    model.verify(CancelSource())


def test_speech_comes_in_pieces_and_the_first_long_before_the_last(model: WorkerModel) -> None:
    begun = time.perf_counter()
    times, lengths = [], []
    for chunk in model.synthesize(ask(f"{TEXT} " * 12), CancelSource()):
        times.append(time.perf_counter() - begun)
        lengths.append(len(chunk.samples))
    assert len(lengths) >= 6  # three of each 250 characters
    assert times[0] < 0.5 * times[-1]


def test_pieces_are_float32_in_range_and_the_same_for_the_same_words(model: WorkerModel) -> None:
    one, other = pieces(model, ask()), pieces(model, ask())
    assert len(one) == 3
    assert {piece.dtype for piece in one} == {np.dtype(np.float32)}
    assert np.abs(np.concatenate(one)).max() <= 1.0
    assert np.array_equal(np.concatenate(one), np.concatenate(other))


def test_rate_makes_speech_shorter_or_longer(model: WorkerModel) -> None:
    normal, fast, slow = (len(say(model, ask(rate=rate))) for rate in (1.0, 2.0, 0.5))
    assert fast == pytest.approx(normal / 2, rel=0.15)  # half of 13 tokens are 6
    assert slow == pytest.approx(normal * 2, rel=0.1)


def test_cancel_between_pieces_ends_speech_and_the_next_request_is_whole(model: WorkerModel) -> None:
    whole = say(model, ask())
    cancel = CancelSource()
    stream = model.synthesize(ask(f"{TEXT} " * 200), cancel)
    next(stream)
    begun = time.perf_counter()
    cancel.cancel()
    assert list(stream) == []
    assert np.array_equal(say(model, ask()), whole)
    # 28 pieces of text were left to say; one utterance was said since.
    assert time.perf_counter() - begun < 20.0


def test_every_speaker_sounds_another_and_the_first_speaks_unasked(model: WorkerModel) -> None:
    unasked, ada, ben = (say(model, ask(speaker=name)) for name in (None, "Ada Frost", "Ben Hill"))
    assert np.array_equal(unasked, ada)
    assert not np.array_equal(ada, ben)


def test_recordings_make_a_voice_and_two_make_another(
    model: WorkerModel, recordings: tuple[Path, Path]
) -> None:
    built_in = say(model, ask())
    one = say(model, ask(reference_audio=recordings[:1]))
    both = say(model, ask(reference_audio=recordings, speaker="nobody asks for a name then"))
    assert one.std() > 0.001
    assert not np.array_equal(one, built_in)
    assert not np.array_equal(one, both)


def test_voice_of_a_recording_is_kept_until_the_file_changes(
    model: WorkerModel, recordings: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "voice.wav"
    shutil.copy(recordings[0], path)
    first = say(model, ask(reference_audio=(path,)))
    before = path.stat()
    path.write_bytes(b"\0" * before.st_size)  # it would be refused if it were read again
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert np.array_equal(say(model, ask(reference_audio=(path,))), first)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert failure(model, ask(reference_audio=(path,))).code == "reference_unusable"


@pytest.mark.parametrize("tag", ["de", "pt-BR", "ko", "hu"])
def test_other_languages_are_spoken(model: WorkerModel, tag: str) -> None:
    assert say(model, ask("Ein kurzer Test.", language=LanguageTag(tag))).std() > 0.001


@pytest.mark.parametrize("tag", ["zh", "zh-Hans", "zh-CN"])
@pytest.mark.parametrize(
    "text",
    [
        "你好，世界。",
        "我有12.5元，2026年11月22日。",
        "OK 王小明 said: 绿色 is nǚ'ér 绿 ü!",
        "﹁你好﹂ 　 😀",
        "〇一二㐀𠀀",
    ],
    ids=["plain", "numbers", "mixed", "signs", "rare"],
)
def test_chinese_is_spoken_whatever_is_mixed_into_it(model: WorkerModel, tag: str, text: str) -> None:
    assert say(model, ask(text, language=LanguageTag(tag))).std() > 0.001


def test_long_chinese_is_spoken_in_parts_without_a_space_to_cut_at(model: WorkerModel) -> None:
    said = say(model, ask("我们今天在这里读一本很长的书" * 20, language=LanguageTag("zh")))
    assert len(said) > 3 * len(say(model, ask()))


@pytest.mark.parametrize("text", ["", " ", "...", "😀", "\ud800"])
def test_text_with_nothing_to_say_then_no_sound_and_no_error(model: WorkerModel, text: str) -> None:
    assert pieces(model, ask(text)) == []


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ({"speaker": "Ada Frist"}, "voice_not_found", "Did you mean Ada Frost?"),
        ({"speaker": "../../etc/passwd"}, "voice_not_found", "It has: Ada Frost, Ben Hill."),
        ({"text": "a" * 500}, "text_too_long", "left out"),
        ({"text": "你好世界"}, "language_unsupported", "Han"),
        ({"language": "sv"}, "language_unsupported", "the model speaks en, es"),
        ({"language": "ja"}, "language_unsupported", "cutlet"),
        ({"reference_audio": (Path("/nowhere/voice.wav"),)}, "reference_unusable", "no such file"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_said_then_typed_with_advice_and_the_model_speaks_on(
    model: WorkerModel, how: Mapping[str, Any], code: str, said: str
) -> None:
    error = failure(model, ask(**how))
    assert error.code == code
    assert said in f"{error.message} {error.hint}"
    assert error.hint
    assert say(model, ask()).std() > 0.001


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"RIFF and nothing more", "no audio"), (None, "1 s are the least")],
    ids=["damaged", "short"],
)
def test_recording_that_cannot_be_cloned_then_its_path_and_the_reason(
    model: WorkerModel, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "voice.wav"
    if content is None:
        soundfile.write(path, speech(0.3), 16_000)
    else:
        path.write_bytes(content)
    error = failure(model, ask(reference_audio=(path,)))
    assert (error.code, error.context["path"]) == ("reference_unusable", str(path))
    assert reason in str(error.context["reason"])


def test_callers_at_the_same_time_each_get_their_own_words(model: WorkerModel) -> None:
    # The library mixes prompts up when it is called twice at once.
    requests = [ask("First words."), ask("And quite some other words."), ask("A third.", speaker="Ben Hill")]
    alone = [say(model, request) for request in requests]
    together: dict[int, Samples] = {}

    def work(index: int) -> None:
        together[index] = say(model, requests[index])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120.0)
    assert all(np.array_equal(together[index], words) for index, words in enumerate(alone))


def test_estimate_is_an_upper_bound_after_speaking_and_cloning(
    model: WorkerModel, folder: Path, recordings: tuple[Path, Path]
) -> None:
    say(model, ask(f"{TEXT} " * 6, reference_audio=recordings))
    profile = ModelProfile(ModelRef("xtts"), "coqui", path=folder / "xtts", options=QUICK)
    estimate = SPEC.estimate(profile)
    assert model.resident_bytes()[estimate.device] <= estimate.held_bytes <= estimate.load_bytes


def test_unload_ends_the_worker(loader: WorkerLoader, folder: Path) -> None:
    profile = ModelProfile(ModelRef("second"), "coqui", path=folder / "xtts", options=QUICK)
    second = loader.load(profile, ModelKey("coqui", profile.ref, "1"), CancelSource(), lambda _death: None)
    second.unload()
    assert not second.alive


@pytest.fixture(scope="module")
def inside(folder: Path, recordings: tuple[Path, Path]) -> Mapping[str, Any]:
    """What a look from inside the worker's process found."""
    good = folder / "xtts"
    published = (good / "model.pth").stat().st_mtime_ns
    bad = [
        spoiled(good, folder / name)
        for name in ("no_vocab", "bad_vocab", "bad_speakers", "no_model", "other_width")
    ]
    command = [str(interpreter("coqui")), "-I", str(INSIDE), str(good), str(folder / "xtts_alone")]
    ran = subprocess.run(
        [*command, str(recordings[0]), *map(str, bad)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3_000:]
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert (good / "model.pth").stat().st_mtime_ns == published
    return found


def spoiled(good: Path, folder: Path) -> Path:
    """A model with one fault, named as its folder."""
    folder.mkdir()
    for path in good.iterdir():
        (folder / path.name).symlink_to(path)
    match folder.name:
        case "no_vocab":
            (folder / "vocab.json").unlink()
        case "bad_vocab":
            replace(folder / "vocab.json", "{")
        case "bad_speakers":
            (folder / "speakers_xtts.pth").unlink()
            shutil.copy(good / "speakers_xtts.pth", folder)
            with (folder / "speakers_xtts.pth").open("r+b") as file:
                file.truncate(1_000)
        case "no_model":
            (folder / "model.pth").unlink()
            shutil.copy(good / "speakers_xtts.pth", folder / "model.pth")
        case "other_width":
            config = json.loads((good / "config.json").read_text(encoding="utf-8"))
            config["model_args"]["gpt_n_model_channels"] = 32
            replace(folder / "config.json", json.dumps(config))
    return folder


def replace(path: Path, content: str) -> None:
    path.unlink()
    path.write_text(content, encoding="utf-8")


def test_pieces_are_those_of_one_whole_decode(inside: Mapping[str, Any]) -> None:
    for case, found in inside["streaming"].items():
        assert found["pieces"] > 1, case
        assert found["lengths"][0] == found["lengths"][1], case
        assert found["difference"] < 1e-5 * found["loudest"], case


def test_shortest_word_at_the_highest_rate_is_heard(inside: Mapping[str, Any]) -> None:
    assert inside["shortest"] > 500


def test_speech_is_that_of_the_library_but_for_its_blending(inside: Mapping[str, Any]) -> None:
    assert inside["library"]["lengths"][0] == inside["library"]["lengths"][1]
    assert inside["library"]["likeness"] > 0.99


def test_recordings_are_heard_as_the_library_hears_them(inside: Mapping[str, Any]) -> None:
    assert inside["library"]["gpt"] < 1e-4
    assert inside["library"]["embedding"] < 1e-4


@pytest.mark.parametrize(
    ("case", "code", "said"),
    [
        ("no_vocab", "not_found", "vocab.json"),
        ("bad_vocab", "corrupt", "vocab.json"),
        ("bad_speakers", "corrupt", "speakers_xtts.pth"),
        ("no_model", "corrupt", "no part"),
        ("other_width", "incompatible", "config.json"),
        ("lacking", "incompatible", "config.json"),
        ("half", "incompatible", "half"),
        ("device", "incompatible", "cuda:7"),
        ("temperature", "incompatible", "temperature"),
        ("speaker", "incompatible", "Did you mean Ada Frost?"),
    ],
)
def test_model_that_cannot_be_loaded_then_typed_with_advice(
    inside: Mapping[str, Any], case: str, code: str, said: str
) -> None:
    error = inside["refusals"][case]
    assert error["code"] == code
    assert said in f"{error['message']} {error['hint']}"


def test_model_without_speakers_then_it_wants_a_recording_and_takes_one_beside_it(
    inside: Mapping[str, Any],
) -> None:
    assert inside["alone"]["refusal"]["code"] == "voice_not_found"
    assert "reference.wav" in inside["alone"]["refusal"]["hint"]
    assert inside["alone"]["spread"] > 0.001
