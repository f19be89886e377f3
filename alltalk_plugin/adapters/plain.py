"""The adapter for hosts that only want speech beside their text: no player, no panel, no files."""

from __future__ import annotations

from alltalk_plugin.adapters.replies import reply_from
from alltalk_plugin.domain.errors import NothingToSay, SpeechOff
from alltalk_plugin.domain.hosts import HostAdapter, HostReply, Rendering, ReplySpeaker


def output_modifier(host_reply: HostReply, speaker: ReplySpeaker) -> Rendering:
    """The text as it came, and the audio that begins to grow; no audio when there is nothing to say.

    Raises: TextTooLong, TooManyReplies, VoiceNotFound, StoreFailed.
    """
    try:
        ticket = speaker.begin(reply_from(host_reply))
    except NothingToSay as error:
        return Rendering(host_reply.text, notes=(error.message,))
    except SpeechOff:  # the user's own choice, no news to them
        return Rendering(host_reply.text)
    return Rendering(host_reply.text, audio_id=ticket.audio_id, notes=ticket.notes)


ADAPTER = HostAdapter(name="plain", output_modifier=output_modifier)
