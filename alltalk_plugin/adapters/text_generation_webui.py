"""The service side of text-generation-webui: a player behind the host's text, and the panel's fields."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path

from alltalk_plugin.adapters.replies import reply_from
from alltalk_plugin.domain.errors import NothingToSay, SpeechOff
from alltalk_plugin.domain.hosts import (
    HostAdapter,
    HostReply,
    Rendering,
    ReplySpeaker,
    SettingField,
    SettingsHooks,
    SpeechTicket,
)

NAME = "text_generation_webui"
FOLDER = "alltalk_plugin"
SWITCH_ON = (
    f"Start the host with '--extensions {FOLDER}' (to keep it: write that into user_data/CMD_FLAGS.txt),"
    f" or restart it and tick {FOLDER} on its Session tab."
)


def output_modifier(host_reply: HostReply, speaker: ReplySpeaker) -> Rendering:
    """The host's text exactly as it came, and a player after it once speech has begun.

    After, because the host's renderer drops what stands before a thinking block. In instruct mode no
    character speaks, whatever the host's menu still shows.
    Raises: TextTooLong, TooManyReplies, VoiceNotFound, StoreFailed.
    """
    spoken = replace(host_reply, character=None) if host_reply.mode == "instruct" else host_reply
    try:
        ticket = speaker.begin(reply_from(spoken))
    except NothingToSay as error:
        return Rendering(host_reply.text, notes=(error.message,))
    except SpeechOff:  # the user's own choice, no news to them
        return Rendering(host_reply.text)
    text = f"{host_reply.text}\n\n{player(ticket, host_reply.media_url)}"
    return Rendering(text, audio_id=ticket.audio_id, notes=ticket.notes)


def player(ticket: SpeechTicket, media_url: str) -> str:
    """The stored player: plain enough to work without us, and never starting by itself in an old chat."""
    file = f"{ticket.audio_id}.{ticket.audio_format}"
    return (
        f'<audio class="alltalk-player" data-alltalk="{file}" src="{escape(media_url)}/{file}" '
        'controls preload="none"></audio>'
    )


def place(folder: Path) -> Path | None:
    """Where our folder belongs in the host at `folder` (its own folder, or a portable build around it)."""
    for root in (folder, folder / "app", folder / "textgen", folder / "text-generation-webui"):
        extensions = root / "modules" / "extensions.py"
        if (root / "server.py").is_file() and extensions.is_file():
            # Hosts before 2025 load extensions from one place only.
            user_data = root / "user_data"
            knows_user_place = "user_ext_" in extensions.read_text(encoding="utf-8", errors="replace")
            return (user_data if knows_user_place and user_data.is_dir() else root) / "extensions" / FOLDER
    return None


PANEL = SettingsHooks(
    (
        SettingField(f"hosts.{NAME}.activate", "Speak replies", bool),
        SettingField(f"hosts.{NAME}.autoplay", "Start playing by itself", bool),
        SettingField(f"hosts.{NAME}.greeting", "Speak the greeting of a new chat", bool),
        SettingField(
            "speech.narrator",
            "Narrator",
            str,
            choices=("on", "off", "silent"),
            help="on: its own voice; off: the character reads narration; silent: narration is not spoken",
        ),
        SettingField("characters.{character}.voice", "Voice of {character}", str, choices_from="voices"),
        SettingField("default_voice", "Voice of everybody else", str, choices_from="voices"),
        SettingField("narrator_voice", "Voice of the narrator", str, choices_from="voices"),
        SettingField("languages.voices.*", "Voice for {language}", str, choices_from="voices"),
        SettingField("lexicon.languages.*", "Language {language}", dict),
        SettingField("lexicon.voices.{voice}", "Voice {voice}", dict),
    )
)

ADAPTER = HostAdapter(
    name=NAME,
    output_modifier=output_modifier,
    files=(
        "script.py",
        "alltalk.js",
        "alltalk_host.py",
        "alltalk_keeper.py",
        "alltalk_link.py",
        "alltalk_panel.py",
        "alltalk_reply.py",
        "alltalk_web.py",
    ),
    place=place,
    switch_on=SWITCH_ON,
    settings=PANEL,
)
