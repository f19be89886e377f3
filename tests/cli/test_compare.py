"""The comparison: pictures, page and the whole command."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from alltalk_plugin.audio.measure import read_audio, rms_dbfs
from alltalk_plugin.cli.compare.page import render_page, rows
from alltalk_plugin.cli.compare.pictures import png_data_url, spectrogram, waveform_svg
from alltalk_plugin.cli.compare.trial import Spoken, Trial, run_trial
from alltalk_plugin.cli.main import cli
from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.errors import AlltalkError, LanguageUnsupported, ModelTooBig, TextTooLong
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.engines import espeak_spec
from tests.fakes.loader import FakeLoader
from tests.fakes.memory import FakeMemory

RATE_HZ = 16_000
EN = LanguageTag("en")


def tone(hertz: float, seconds: float = 1.0) -> AudioChunk:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return AudioChunk((0.5 * np.sin(2 * np.pi * hertz * at_s)).astype(np.float32), RATE_HZ)


def trial(name: str = "<a>", *, error: AlltalkError | None = None) -> Trial:
    done = Trial(ModelProfile(ModelRef(name), "espeak"), kind="vits", load_s=1.5, peak_bytes=50_000_000)
    done.spoken = [Spoken("Hi & bye", tone(440), 0.1, 0.25)] if error is None else []
    done.error = error
    return done


@pytest.mark.parametrize(("hertz", "row"), [(1_000, 139), (4_000, 80), (7_000, 20)])
def test_spectrogram_when_a_tone_sounds_then_its_row_is_the_loudest(hertz: float, row: int) -> None:
    image = spectrogram(tone(hertz))
    assert image.shape == (160, 600)
    assert abs(int(image[:, 300].argmax()) - row) <= 1
    assert image[abs(row - 60), 300] < 100


@pytest.mark.parametrize("samples", [0, 1, 5, 400])
def test_pictures_when_there_is_hardly_any_audio_then_they_are_drawn_all_the_same(samples: int) -> None:
    audio = AudioChunk(np.zeros(samples, np.float32), RATE_HZ)
    assert not spectrogram(audio).any()
    assert waveform_svg(audio).count("<rect") == 300


def test_spectrogram_when_the_rate_is_low_then_the_top_is_dark() -> None:
    noise = np.random.default_rng(1).standard_normal(8_000).astype(np.float32) * 0.1
    image = spectrogram(AudioChunk(noise, 8_000))
    assert not image[:78].any()
    assert image[90:].mean() > 100


def test_png_holds_the_image_under_its_palette() -> None:
    image = spectrogram(tone(1_000))
    raw = base64.b64decode(png_data_url(image).removeprefix("data:image/png;base64,"))
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", raw[16:24]) == (600, 160)
    at, parts = 8, {}
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        name, body = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        assert struct.unpack(">I", raw[at + 8 + length : at + 12 + length]) == (zlib.crc32(name + body),)
        parts[name] = body
        at += 12 + length
    assert len(parts[b"PLTE"]) == 768
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(160, 601)
    assert (lines[:, 1:] == image).all()


def test_page_when_rendered_then_names_are_escaped_and_nothing_comes_from_outside() -> None:
    bad = trial("bad", error=ModelTooBig("too <big>"))
    page = render_page([trial(), bad], ["Hi & bye"], {("<a>", "Hi & bye"): "1.wav"}, "Two <models>")
    assert "<a>" not in page.replace("<audio", "")
    assert "too &lt;big&gt; [too_big]" in page
    assert "Hi &amp; bye" in page
    assert page.count('src="1.wav"') == 1
    assert "http" not in page.split("</style>")[1]


def test_rows_when_a_model_failed_then_its_row_says_why_and_has_no_times() -> None:
    good, bad = rows([trial(), trial(error=LanguageUnsupported("no"))])
    assert good[:6] == ("<a>", "espeak vits", 1.5, 100.0, 0.25, 1.0)
    assert bad[3:6] == (None, None, None)
    assert bad[-1] == "no [language_unsupported]"


def test_trial_when_memory_is_short_then_nothing_is_loaded() -> None:
    loader = FakeLoader()
    done = run_trial(
        ModelProfile(ModelRef("a"), "espeak"),
        espeak_spec.SPEC,
        loader,
        memory=FakeMemory(1_000_000),
        sentences=["Hello."],
        language=EN,
    )
    assert isinstance(done.error, ModelTooBig)
    assert loader.load_calls == []


def test_trial_when_a_line_is_too_long_then_the_others_are_spoken() -> None:
    done = run_trial(
        ModelProfile(ModelRef("a"), "espeak"),
        espeak_spec.SPEC,
        FakeLoader(),
        memory=FakeMemory(1_000_000_000),
        sentences=["a" * 2_000, "Hello."],
        language=EN,
    )
    assert [one.text for one in done.spoken] == ["Hello."]
    assert [type(error) for _, error in done.failures] == [TextTooLong]


def test_trial_when_the_model_lacks_the_language_then_it_says_so() -> None:
    done = run_trial(
        ModelProfile(ModelRef("a"), "espeak"),
        espeak_spec.SPEC,
        FakeLoader(),
        memory=FakeMemory(1_000_000_000),
        sentences=["Hello."],
        language=LanguageTag("km"),
    )
    assert isinstance(done.error, LanguageUnsupported)


@pytest.mark.slow
def test_compare_when_run_then_page_table_and_audio_agree_and_a_broken_model_is_told(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        "models:\n  plain: {engine: espeak}\n  gone: {engine: espeak, path: nowhere}\n", encoding="utf-8"
    )
    text, out = tmp_path / "lines.txt", tmp_path / "out"
    text.write_text("Hello there.\n\nHow are you today?\n", encoding="utf-8")
    arguments = ["compare", "plain", "gone", "--text-file", str(text), "--out", str(out)]
    result = CliRunner().invoke(cli, ["--json", "--home", str(tmp_path), *arguments])
    assert result.exit_code == 0, result.output
    good, bad = json.loads(result.output)
    assert 5 < good["peak MB"] < good["predicted MB"]
    assert good["real-time factor"] > 0
    assert "not_found" in bad["error"]
    players = re.findall(r'<audio [^>]*src="([^"]+)"', (out / "index.html").read_text(encoding="utf-8"))
    assert len(players) == 2
    seconds = 0.0
    for player in players:
        audio = read_audio(out / player)
        assert rms_dbfs(audio.samples) > -40
        seconds += audio.duration_s
    assert seconds == pytest.approx(good["audio s"], abs=0.01)


@pytest.mark.slow
def test_compare_when_a_model_is_unknown_then_the_nearest_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "compare", "espaek", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "espeak" in result.output
    assert "[not_found]" in result.output
