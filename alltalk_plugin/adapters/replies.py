"""From what a host hands over to a reply in our own words."""

from __future__ import annotations

import html

from alltalk_plugin.domain.hosts import HostReply
from alltalk_plugin.domain.speech import Chat, ChatId, MessageId, Reply


def reply_from(host_reply: HostReply) -> Reply:
    """The reply a host means; HTML escapes are undone exactly once."""
    text = html.unescape(host_reply.text) if host_reply.escaped else host_reply.text
    return Reply(
        text=text,
        message_id=MessageId(host_reply.message_id),
        character=host_reply.character or None,
        chat=Chat(
            id=ChatId(host_reply.chat_id),
            roster=host_reply.roster,
            user_name=host_reply.user_name or None,
            greeting=host_reply.greeting,
        ),
    )
