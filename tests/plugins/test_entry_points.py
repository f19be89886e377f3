"""A stranger's distribution, found by its entry point as pip would leave it."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from alltalk_plugin.domain.audio import AudioFormat, AudioId
from alltalk_plugin.domain.hosts import HostReply, SpeechTicket
from alltalk_plugin.domain.speech import Reply
from alltalk_plugin.plugins.manager import ENTRY_POINTS, Plugins

MODULE = """
from alltalk_plugin.domain.hosts import HostAdapter, Rendering, SettingField, SettingsHooks
from alltalk_plugin.domain.speech import Reply
from alltalk_plugin.plugins import hookimpl

values = {"speech.activate": True}


def output_modifier(host_reply, speaker):
    ticket = speaker.begin(Reply(text=host_reply.text, character=host_reply.character))
    return Rendering(host_reply.text, audio_id=ticket.audio_id)


@hookimpl
def alltalk_register_hosts(registry):
    fields = (SettingField("speech.activate", "Speak", bool),)
    settings = SettingsHooks(fields, read=lambda: dict(values), write=values.update)
    registry.register(HostAdapter(name="lamp", output_modifier=output_modifier, settings=settings))
"""


class Speaker:
    """Begins everything at once."""

    def __init__(self) -> None:
        self.begun: list[Reply] = []

    def begin(self, reply: Reply, *, audio_format: AudioFormat | None = None) -> SpeechTicket:
        self.begun.append(reply)
        return SpeechTicket(AudioId("0" * 32), audio_format or AudioFormat.WAV)


def install(folder: Path, name: str, source: str) -> None:
    """What pip leaves behind of a distribution with one module."""
    (folder / f"{name}.py").write_text(source)
    dist_info = folder / f"{name}-2.5.dist-info"
    dist_info.mkdir()
    (dist_info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.5\n")
    (dist_info / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{name} = {name}\n")


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[EntryPoint, ...]:
    install(tmp_path, "alltalk_lamp", MODULE)
    install(tmp_path, "alltalk_broken", "raise RuntimeError('no such library')")
    install(tmp_path, "alltalk_exits", "raise SystemExit(3)")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tuple(one for one in entry_points(group=ENTRY_POINTS) if one.name.startswith("alltalk_"))


def test_strangers_when_installed_then_the_good_one_works_and_the_broken_are_listed(
    strangers: tuple[EntryPoint, ...],
) -> None:
    plugins = Plugins()
    for entry_point in strangers:
        plugins.add_entry_point(entry_point)
    listed = {one.name: one for one in plugins.listing()}
    assert set(listed) == {"alltalk_lamp", "alltalk_broken", "alltalk_exits"}
    assert listed["alltalk_lamp"].error is None
    assert listed["alltalk_lamp"].version == "2.5"
    assert listed["alltalk_lamp"].hooks == ("alltalk_register_hosts",)
    assert listed["alltalk_broken"].error == "RuntimeError: no such library"
    assert listed["alltalk_exits"].error == "SystemExit: 3"
    assert list(plugins.hosts) == ["lamp"]


def test_strangers_host_when_driven_through_its_hooks_then_speaks_and_keeps_settings(
    strangers: tuple[EntryPoint, ...],
) -> None:
    plugins = Plugins()
    for entry_point in strangers:
        plugins.add_entry_point(entry_point)
    adapter = plugins.hosts["lamp"]
    speaker = Speaker()
    rendering = adapter.output_modifier(HostReply(text="*nods* Hi", character="Aria"), speaker)
    assert (rendering.text, rendering.audio_id) == ("*nods* Hi", "0" * 32)
    assert speaker.begun == [Reply(text="*nods* Hi", character="Aria")]
    assert adapter.settings is not None
    assert [field.key for field in adapter.settings.fields] == ["speech.activate"]
    assert adapter.settings.write is not None
    assert adapter.settings.read is not None
    adapter.settings.write({"speech.activate": False})
    assert adapter.settings.read() == {"speech.activate": False}
