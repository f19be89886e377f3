"""What one text-generation-webui process needs to have its replies spoken.

Lives in sys.modules under its own name, because the host throws its extensions' modules away when it
restarts inside its process. Standard library only, the syntax of Python 3.9.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent
_BUDGET_S = 1.5  # the page waits for a reply's audio at most this long; a few milliseconds are normal
_GREETING_BUDGET_S = 0.5  # a page is being opened
_ANSWER_S = 0.4  # of that, kept for the answer of a service that had to be waited for
_FRESH_S = 120.0  # a player that nobody claimed by then is no news any more
_FRESH_MAX = 64
_PANEL_S = 3.0

_singleton: Host | None = None
_singleton_lock = threading.Lock()


def host() -> Host:
    """The one of this process, made at the first call. Raises: ValueError, ImportError, OSError."""
    global _singleton  # noqa: PLW0603 - the module is the only thing that outlives the host's restart
    with _singleton_lock:
        if _singleton is None:
            _singleton = Host(_config())
            atexit.register(close)
        return _singleton


def close() -> None:
    """The process ends, or a test does: take leave of the service."""
    global _singleton
    with _singleton_lock:
        found, _singleton = _singleton, None
    if found is not None:
        found.close()


def sibling(name: str) -> Any:
    """The module of that file name beside this one; the host does not put our folder on sys.path."""
    module = sys.modules.get(name)
    if module is None:
        spec = importlib.util.spec_from_file_location(name, str(_FOLDER / (name + ".py")))
        if spec is None or spec.loader is None:
            raise ImportError(name)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return module


def say(level: str, line: str) -> None:
    """A line in the host's log, by its own logger where it has one."""
    try:
        from modules.logging_colors import logger

        getattr(logger, level)("%s", line)
    except Exception:  # noqa: BLE001 - an older host: the line still has to be seen
        print(line, file=sys.stderr)  # noqa: T201 - see above


class Host:
    """The hooks' other side. Thread-safe: the host calls output from several threads at once."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._replies = sibling("alltalk_reply")
        self._bridge = sibling("alltalk_bridge")
        links = sibling("alltalk_link")
        self._api: str = links.HOST_API
        self.conditions = links.Conditions(say)
        self.link = links.Link(self._bridge, config, self.conditions, found=self._connected, say=say)
        self._keeper = sibling("alltalk_keeper").Keeper(
            self._bridge,
            folder=self._audio_folder,
            service=lambda: self.link.current,
            kept_path=self._api + "/kept",
            conditions=self.conditions,
        )
        self._lock = threading.Lock()
        self._fresh: dict[str, float] = {}
        self.autoplay = True
        self.closed = threading.Event()

    def start(self) -> None:
        """Look for the service in the background, unless there is no page to speak on."""
        if not getattr(getattr(_shared(), "args", None), "nowebui", False):
            self.link.connect()

    def close(self) -> None:
        """The process ends."""
        self.closed.set()
        self._keeper.close()
        self.link.close()

    def output(self, string: str, state: Any, is_chat: bool) -> str:
        """The host's text, with a player behind it if the reply is spoken. Blocks at most the budget."""
        began = time.monotonic()
        shared = _shared()
        if not isinstance(state, Mapping):
            return string
        if not self._replies.is_spoken(string, state, is_chat=is_chat, tool_calls=_tool_call_parser(state)):
            return string
        if getattr(shared, "stop_everything", False):
            self._stop(state.get("unique_id"))
            return string
        url = self._replies.media_url(self._replies.user_data_folder(shared))
        body = self._replies.output_body(string, state, media_url=url)
        budget_s = _GREETING_BUDGET_S if body["is_greeting"] else _BUDGET_S
        answer = self._ask_output(body, began + budget_s)
        spoken = answer.get("text")
        if not isinstance(spoken, str) or not spoken.startswith(string):
            return string  # whatever that is, it is not the host's text
        self._announce(answer.get("audio_file"), copied=self._replies.leaves_traces(state))
        return spoken

    def panel(self, character: str | None) -> dict[str, Any]:
        """Fields and state of the service. Raises: BridgeError."""
        from urllib.parse import urlencode

        query = "?" + urlencode({"character": character}) if character else ""
        return self._noting(self._service().request("GET", self._api + "/panel" + query, timeout_s=_PANEL_S))

    def change(self, values: Mapping[str, Any], character: str | None) -> dict[str, Any]:
        """The panel after `values` were saved. Raises: BridgeError."""
        body = {"values": dict(values), "character": character}
        return self._noting(self._service().request("PUT", self._api + "/settings", body, timeout_s=_PANEL_S))

    def test(self, text: str, character: str | None) -> dict[str, Any]:
        """Speaks the panel's sentence; the answer names its `audio_file`. Raises: BridgeError."""
        body = {"text": text, "character": character}
        service = self._service()
        answer: dict[str, Any] = service.request("POST", self._api + "/test", body, timeout_s=_PANEL_S)
        return answer

    def shown_character(self, mode: Any, character_menu: Any) -> str | None:
        """Whom the page is talking with, by the host's own two fields."""
        found: str | None = self._replies.shown_character(mode, character_menu)
        return found

    def claim(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that are new; each is new to one asker only, so that it starts by itself once."""
        with self._lock:
            oldest = time.monotonic() - _FRESH_S
            return [name for name in names if self._fresh.pop(name, oldest) > oldest]

    def page_script(self) -> str:
        """What the page runs; a function body of several extensions, so it starts and ends its own line."""
        return "\n;" + (_FOLDER / "alltalk.js").read_text(encoding="utf-8") + ";\n"

    def build_panel(self) -> None:
        """The host builds its page: our part of it, and our routes as soon as it is served."""
        shared = _shared()
        sibling("alltalk_web").mount_when_served(shared, self, say)
        try:
            sibling("alltalk_panel").build(self, shared)
        except Exception as error:  # noqa: BLE001 - a gradio without what we use: the page comes without us
            reason = f"{type(error).__name__}: {error}"
            self.conditions.bad("panel", reason, f"alltalk-plugin: no panel with this gradio ({reason})")

    def _service(self) -> Any:
        service = self.link.current
        if service is None:
            self.link.connect(now=True)
            why = self.conditions.words or "The speech service is starting."
            raise self._bridge.BridgeError("service_unreachable", why)
        return service

    def _noting(self, panel: dict[str, Any]) -> dict[str, Any]:
        self.autoplay = bool(panel.get("autoplay", self.autoplay))
        return panel

    def _ask_output(self, body: Mapping[str, Any], until: float) -> Mapping[str, Any]:
        """The service's answer; empty when it failed or is not there. A service that died is looked for
        and asked again within the time."""
        for again in (True, False):
            service = self.link.service(until - time.monotonic() - _ANSWER_S)
            left_s = until - time.monotonic()
            if service is None or left_s <= 0:
                return {}
            try:
                answer: Mapping[str, Any] = service.request(
                    "POST", self._api + "/output", body, timeout_s=left_s
                )
            except self._bridge.BridgeError as error:
                if error.code in ("service_unreachable", "token_required", "deadline_exceeded"):
                    self.link.drop(service, slow=error.code == "deadline_exceeded")
                    if again and error.code == "service_unreachable" and error.status is None:
                        continue
                line = f"alltalk-plugin: a reply is not spoken: {error.message} ({error.code}). {error.hint}"
                self.conditions.bad("output", error.code, line.strip())
            else:
                self.link.worked()
                self.conditions.good("output", "alltalk-plugin: replies are spoken again")
                return answer
        return {}

    def _announce(self, name: Any, *, copied: bool) -> None:
        if not isinstance(name, str) or not self._replies.AUDIO_FILE.fullmatch(name):
            return
        with self._lock:
            self._fresh[name] = time.monotonic()
            while len(self._fresh) > _FRESH_MAX:
                del self._fresh[next(iter(self._fresh))]
        self._keeper.keep([name], copied=copied)

    def _connected(self, answer: Mapping[str, Any]) -> None:
        missing = answer.get("missing") or ()
        self._keeper.keep(name for name in missing if self._replies.AUDIO_FILE.fullmatch(str(name)))
        with contextlib.suppress(self._bridge.BridgeError):  # the next change of a setting says it again
            self.panel(None)

    def _stop(self, chat_id: Any) -> None:
        """The user stopped the reply: what is being spoken in this chat stops, without the host waiting."""
        service = self.link.current
        if service is None or not isinstance(chat_id, str):
            return

        def tell() -> None:
            with contextlib.suppress(self._bridge.BridgeError):  # nothing speaks there then
                service.request("POST", self._api + "/stop", {"chat_id": chat_id}, timeout_s=_PANEL_S)

        threading.Thread(target=tell, name="alltalk-stop", daemon=True).start()

    def _audio_folder(self) -> Path:
        replies = self._replies
        folder: Path = replies.user_data_folder(_shared()) / "cache" / replies.CACHE_FOLDER
        return folder


def _config() -> dict[str, str]:
    """What 'host install' wrote beside this file."""
    path = _FOLDER / "alltalk_host.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {key: str(found[key]) for key in ("interpreter", "home", "version")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path.name} cannot be used ({error}); run 'alltalk-plugin host install' again"
        ) from error


def _shared() -> Any:
    """The host's own state, None outside a host."""
    try:
        from modules import shared
    except ImportError:
        return None
    return shared


def _tool_call_parser(state: Mapping[str, Any]) -> Any:
    if not state.get("tools"):
        return None
    try:
        from modules.tool_parsing import parse_tool_call
    except ImportError:
        return None
    return parse_tool_call
