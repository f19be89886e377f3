"""What text-generation-webui says about a reply, as the service wants to hear it. Pure.

The keys of `state` differ between the page, the API and versions of the host: nothing is taken for granted.
"""

from __future__ import annotations

import html
import json
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

AUDIO_FILE = re.compile(r"[0-9a-f]{32}\.(?:mp3|wav|flac|opus|ogg)")
CACHE_FOLDER = "alltalk_plugin"

_USER_MARKS = re.compile(r"<USER>|<user>|{{user}}")
_TOOL_MARKS = ("<tool_call>", "&lt;tool_call&gt;")

ToolCalls = Callable[[str, "list[str]"], Any]


def is_spoken(string: Any, state: Mapping[str, Any], *, is_chat: bool, tool_calls: ToolCalls | None) -> bool:
    """Whether this text is a reply that somebody reads on the page.

    `tool_calls` is the host's own parser: (text, tool names) -> the calls found; None when it has none.
    """
    if not is_chat or not isinstance(string, str) or not string.strip():
        return False
    # The API's state has neither key; its clients get no HTML and should not wait for speech.
    if "character_menu" not in state or "unique_id" not in state:
        return False
    if state.get("_skip_output_extensions"):
        return False
    return not _is_tool_call(string, state, tool_calls)


def output_body(string: str, state: Mapping[str, Any], *, media_url: str) -> dict[str, Any]:
    """The body of POST output. In instruct mode no character speaks, whatever the menu still shows."""
    mode = _text(state, "mode") or "instruct"
    plays = mode != "instruct"
    shown = _text(state, "name2")
    # The menu holds the character's file, which the user chose; name2 is a free field that may be stale.
    character = _text(state, "character_menu") or shown
    greeting = _greeting(state) if plays else None
    return {
        "text": string,
        "escaped": True,
        "character": character if plays else None,
        "user_name": _text(state, "name1"),
        "roster": [shown] if plays and shown else [],
        "chat_id": _text(state, "unique_id") or "",
        "message_id": uuid.uuid4().hex,
        "mode": mode,
        "final": True,
        "greeting": greeting,
        "is_greeting": greeting is not None and html.unescape(string).strip() == greeting.strip(),
        "continued": _continues(string, state),
        "media_url": media_url,
    }


def leaves_traces(state: Mapping[str, Any]) -> bool:
    """Whether the host itself keeps this chat: an incognito one must not stay behind as audio."""
    return not (_text(state, "unique_id") or "").startswith("incognito-")


def shown_character(mode: Any, character_menu: Any) -> str | None:
    """Whom the panel's "voice for this character" is about, by the host's own two fields."""
    return str(character_menu) if character_menu and mode and mode != "instruct" else None


def user_data_folder(shared: Any) -> Path:
    """The host's data folder; hosts of 2025 have one without saying where, older ones have none."""
    known = getattr(shared, "user_data_dir", None)
    if known:
        return Path(known)
    return Path("user_data") if Path("user_data").is_dir() else Path()


def media_url(user_data: Path) -> str:
    """Relative, so that sub-paths, share links and proxies keep working. A browser folds '..' away and the
    host would not find what is left: such a path is written out."""
    folder = user_data.resolve() if ".." in user_data.parts else user_data
    return "file/" + quote((folder / "cache" / CACHE_FOLDER).as_posix(), safe="/:")


def _text(state: Mapping[str, Any], key: str) -> str | None:
    found = state.get(key)
    return found if isinstance(found, str) and found.strip() else None


def _greeting(state: Mapping[str, Any]) -> str | None:
    greeting = _text(state, "greeting")
    if greeting is None:
        return None
    user, bot = _text(state, "name1") or "", _text(state, "name2") or ""
    for mark, name in (("{{user}}", user), ("{{char}}", bot), ("<USER>", user), ("<BOT>", bot)):
        greeting = greeting.replace(mark, name)
    return greeting


def _continues(string: str, state: Mapping[str, Any]) -> bool:
    """Whether this is the last reply of the history with more behind it ("Continue" hands over all of it)."""
    try:
        before = state["history"]["internal"][-1][1]
        before = html.escape(_USER_MARKS.sub(lambda _: _text(state, "name1") or "", before))
    except (KeyError, IndexError, TypeError, AttributeError):
        return False
    return bool(before.strip()) and len(string) > len(before) and string.startswith(before)


def _is_tool_call(string: str, state: Mapping[str, Any], tool_calls: ToolCalls | None) -> bool:
    if any(mark in string for mark in _TOOL_MARKS):
        return True
    try:
        names = [tool["function"]["name"] for tool in state.get("tools") or ()]
    except (KeyError, TypeError):
        names = []
    if not names:
        return False
    text = html.unescape(string)
    if tool_calls is not None:
        return bool(tool_calls(text, names))
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("name") in names
