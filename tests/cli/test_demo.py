"""The demo: the main job, told as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from alltalk_plugin import bridge
from alltalk_plugin.audio.measure import read_audio, rms_dbfs
from alltalk_plugin.cli.demo.drawing import model_lanes, voice_colours, waveform
from alltalk_plugin.cli.demo.page import render_page
from alltalk_plugin.cli.demo.spoken import SpokenLine
from alltalk_plugin.cli.main import cli


def line(**changes: object) -> SpokenLine:
    clip = {
        "role": "character",
        "speaker": "<Ann>",
        "text": "Hi & bye",
        "language": "en",
        "voice": "v",
        "model": "m",
        "start_s": 0.0,
        "duration_s": 1.0,
    }
    spoken = {
        "clips": [clip],
        "skipped": [{"segment": {"text": "never"}, "message": "nobody can"}],
        "fallbacks": ["v failed: <why>"],
        "duration_s": 2.0,
        **changes,
    }
    return SpokenLine("<Ann>", "shows", "“Hi”", "1.mp3", [(-0.5, 0.5), (0.0, 0.0)], spoken)


def record(seq: int, kind: str, model: str | None, error: str | None = None) -> dict[str, object]:
    return {"seq": seq, "ts": 10.0 + seq, "kind": kind, "model": model, "cause": "api", "error": error}


def test_page_when_rendered_then_names_are_escaped_and_trouble_is_said() -> None:
    page = render_page([line()], [record(1, "boot", None)], "A <title>")
    assert "<Ann>" not in page
    assert "&lt;Ann&gt;" in page
    assert "v failed: &lt;why&gt;" in page
    assert "nobody can" in page
    assert 'src="1.mp3"' in page
    assert "http" not in page.split("</style>")[1], "the page needs nothing from outside"


def test_waveform_when_drawn_then_a_bar_per_bin_in_the_speakers_colour() -> None:
    drawn = line()
    colours = voice_colours([drawn])
    picture = waveform(drawn.envelope, drawn.spoken["clips"], 2.0, colours)
    assert picture.count(colours["v"]) == 2  # the bar inside the clip, and the strip
    assert picture.count("<rect") == 3


def test_lanes_when_a_load_fails_and_another_comes_back_then_both_are_marked() -> None:
    journal = [
        record(1, "load_start", "a"),
        record(2, "load_ok", "a"),
        record(3, "verify", "a"),
        record(4, "drain", "a"),
        record(5, "unload", "a"),
        record(6, "load_start", "b"),
        record(7, "load_failed", "b", "corrupt: x"),
        record(8, "rollback", "a", "corrupt: x"),
    ]
    picture = model_lanes(journal)
    assert "✕" in picture
    assert "↩" in picture
    assert re.findall(r"<title>(\w+) [\d.]+ to", picture) == [
        "loading",
        "checked",
        "ready",
        "draining",
        "loading",
    ]
    assert "empty" in model_lanes([])


@pytest.mark.slow
def test_demo_when_run_then_every_reply_is_audible_and_the_failed_switch_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--json", "demo", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    assert len(report["replies"]) == 6
    assert {clip["language"] for reply in report["replies"] for clip in reply["clips"]} == {"en", "fr", "de"}
    assert any("celine" in reason for reply in report["replies"] for reason in reply["fallbacks"])
    kinds = [one["kind"] for one in report["journal"]]
    assert kinds.count("commit") >= 2
    assert kinds.count("rollback") == 1
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    players = re.findall(r'<audio [^>]*src="([^"]+)"', page)
    assert len(players) == 6
    for player in players:
        audio = read_audio(tmp_path / player)
        assert audio.duration_s > 1
        assert rms_dbfs(audio.samples) > -35
    for child in bridge._children:
        assert child.wait(30) == 0, "the service did not end by itself once nobody needed it"
