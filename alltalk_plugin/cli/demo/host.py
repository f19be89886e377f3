"""A text-generation-webui without a model: how that host loads extensions, calls their hooks and restarts.

From what is known of the real one, standard library only. What it does when a hook raises is the real
host's behaviour too: nothing is caught here that is not caught there.
"""

from __future__ import annotations

import copy
import html
import importlib
import importlib.util
import itertools
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from inspect import signature
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

State = dict[str, Any]

GREETING_ROW = "<|BEGIN-VISIBLE-CHAT|>"

_OURS = tuple(f"alltalk_{name}" for name in ("bridge", "host", "keeper", "link", "panel", "reply", "web"))


def make_host_folder(folder: Path) -> None:
    """As much of a host as an installation looks at."""
    (folder / "modules").mkdir(parents=True, exist_ok=True)
    (folder / "user_data" / "extensions").mkdir(parents=True, exist_ok=True)
    (folder / "server.py").write_text('"""A stand-in."""\n', encoding="utf-8")
    (folder / "modules" / "extensions.py").write_text('PREFIX = "user_ext_"\n', encoding="utf-8")


class HostLog:
    """The host's logger: `logger.warning("%s", line)` and its kin, kept as (level, line)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def _write(self, level: str, message: str, *values: object) -> None:
        self.lines.append((level, message % values if values else message))

    def info(self, message: str, *values: object) -> None:
        self._write("info", message, *values)

    def warning(self, message: str, *values: object) -> None:
        self._write("warning", message, *values)

    def error(self, message: str, *values: object) -> None:
        self._write("error", message, *values)

    def exception(self, message: str, *values: object) -> None:
        self._write("error", message, *values)


class HostDouble:
    """One host process: `start`, chats, `restart`; `close` takes its modules out of this interpreter.

    `folder` holds `extensions/` and `user_data/`; `settings` is what settings.yaml had at process start;
    `page` makes what stands for gradio's Blocks, at each build of the page.
    """

    def __init__(
        self,
        folder: Path,
        extensions: tuple[str, ...],
        *,
        settings: Mapping[str, Any] | None = None,
        user_data_dir: Path | None = None,
        page: Callable[[], Any] = lambda: SimpleNamespace(is_running=False),
    ) -> None:
        self.folder = folder
        self._page = page
        self.log = HostLog()
        self.shared = ModuleType("modules.shared")
        vars(self.shared).update(
            user_data_dir=user_data_dir or folder / "user_data",
            stop_everything=False,
            generation_lock=threading.Lock(),
            gradio={},
            settings=dict(settings or {}),
            args=SimpleNamespace(extensions=list(extensions), nowebui=False, multi_user=False),
            processing_message="*Is typing...*",
        )
        logging_colors = ModuleType("modules.logging_colors")
        vars(logging_colors).update(logger=self.log)
        modules = ModuleType("modules")
        vars(modules).update(shared=self.shared, logging_colors=logging_colors, __path__=[])
        self._modules = {
            "modules": modules,
            "modules.shared": self.shared,
            "modules.logging_colors": logging_colors,
        }
        self._known_before = set(sys.modules)
        sys.modules.update(self._modules)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        # Looked up once, at process start: a folder that comes later is unknown until the next start.
        self.available = {path.parent.name for path in self._scripts()}
        self._setup_called: set[ModuleType] = set()
        self.loaded: dict[str, ModuleType] = {}
        self._chat_number = itertools.count(1)

    def close(self) -> None:
        host = sys.modules.get("alltalk_host")
        if host is not None:
            host.close()
        for name in set(sys.modules) - self._known_before:
            first = name.partition(".")[0]
            if first in ("modules", "extensions") or first.startswith(("user_ext_", *_OURS)):
                del sys.modules[name]
        sys.path.remove(str(self.folder))

    # The interface

    def start(self) -> None:
        """Import, settings, setup(), css and js, ui()."""
        self._load()
        self.css = self._joined("custom_css")
        self.js = self._joined("custom_js")
        self.shared.gradio["interface"] = self._page()
        for extension in self.loaded.values():
            if hasattr(extension, "ui"):
                extension.ui()

    def restart(self) -> None:
        """ "Apply flags/extensions and restart": inside the process."""
        self.shared.gradio["interface"].is_running = False
        self.start()

    def _scripts(self) -> Iterator[Path]:
        for place in ("extensions", "user_data/extensions"):
            yield from sorted((self.folder / place).glob("*/script.py"))

    def _load(self) -> None:
        self.loaded = {}
        for name in self.shared.args.extensions:
            if name not in self.available:
                continue  # not even a line in the log
            try:
                module = self._imported(name)
                if module not in self._setup_called:
                    self._apply_settings(module, name)
                    if hasattr(module, "setup"):
                        module.setup()
                    self._setup_called.add(module)
                self.loaded[name] = module
            except ModuleNotFoundError:
                self.log.exception("Could not import the requirements")
                raise  # the host does not start
            except Exception:
                self.log.exception("Failed to load the extension %s", name)

    def _imported(self, name: str) -> ModuleType:
        users = self.folder / "user_data" / "extensions" / name / "script.py"
        if not users.exists():
            return importlib.import_module(f"extensions.{name}.script")
        spec = importlib.util.spec_from_file_location(f"user_ext_{name}", str(users))
        if spec is None or spec.loader is None:
            raise ImportError(name)
        module = importlib.util.module_from_spec(spec)  # a new one each time, also at a restart
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    def _apply_settings(self, module: ModuleType, name: str) -> None:
        for param in getattr(module, "params", {}):
            if f"{name}-{param}" in self.shared.settings:
                module.params[param] = self.shared.settings[f"{name}-{param}"]

    def _joined(self, hook: str) -> str:
        return "".join(getattr(one, hook)() for one in self.loaded.values() if hasattr(one, hook))

    # Hooks

    def string_hook(self, hook: str, text: str, state: State, *, is_chat: bool) -> str:
        """Called with as many positional arguments as it declares besides `is_chat`."""
        for extension in self.loaded.values():
            function = getattr(extension, hook, None)
            if function is None:
                continue
            names = list(signature(function).parameters)
            positional = [name for name in names if name != "is_chat"]
            values = [text, state] if len(positional) == 2 else [text]
            text = function(*values, **({"is_chat": is_chat} if "is_chat" in names else {}))
        return text

    # Chats

    def new_chat(self, **fields: Any) -> State:
        """The state that the page hands over; the greeting is shown, and modified, before anybody writes."""
        state: State = {
            "name1": "You",
            "name2": "Mira",
            "character_menu": "Mira",
            "mode": "chat",
            "unique_id": f"20260101-00-00-{next(self._chat_number):02}",
            "greeting": "",
            "context": "",
            "stream": True,
            "start_with": "",
            "history": {"internal": [], "visible": [], "metadata": {}},
            **fields,
        }
        if state["mode"] != "instruct" and state["greeting"]:
            greeting = state["greeting"]
            for mark, name in (
                ("{{user}}", "name1"),
                ("{{char}}", "name2"),
                ("<USER>", "name1"),
                ("<BOT>", "name2"),
            ):
                greeting = greeting.replace(mark, state[name])
            shown = self.string_hook("output_modifier", html.escape(greeting), state, is_chat=True)
            state["history"]["internal"].append([GREETING_ROW, greeting])
            state["history"]["visible"].append(["", shown])
        return state

    def send(self, state: State, text: str, reply: str) -> str:
        """What the page shows of the reply."""
        return self._generated(state, [text, reply], html.escape(text))

    def regenerate(self, state: State, reply: str) -> str:
        history = state["history"]
        asked, shown = history["internal"][-1][0], history["visible"][-1][0]
        return self._generated(state, [asked, reply], shown, replace=True)

    def go_on(self, state: State, more: str) -> str:
        """ "Continue": the hook gets the whole text again, old and new."""
        history = state["history"]
        asked, before = history["internal"][-1]
        return self._generated(state, [asked, before + more], history["visible"][-1][0], replace=True)

    def stop(self, state: State, text: str, partial: str) -> str:
        """Stop: the hook is called with what is there, the lock held."""
        vars(self.shared)["stop_everything"] = True
        try:
            with self.shared.generation_lock:
                return self._generated(state, [text, partial], html.escape(text))
        finally:
            vars(self.shared)["stop_everything"] = False  # the next generation does it

    def api_chat(self, reply: str, **fields: Any) -> str:
        """What a client of the chat API gets: never the hook's HTML, but it waits for the hook."""
        state = {"name1": "You", "name2": "AI", "mode": "chat", "character": None, "stream": False, **fields}
        state["history"] = {"internal": [], "visible": [], "messages": []}
        self.string_hook("output_modifier", html.escape(reply), state, is_chat=True)
        return reply

    def complete(self, text: str) -> str:
        """/v1/completions and the notebook: raw text, no chat, hardly any state."""
        with self.shared.generation_lock:
            return self.string_hook(
                "output_modifier", text, {"stream": False, "max_new_tokens": 512}, is_chat=False
            )

    def _generated(self, state: State, row: list[str], asked_shown: str, *, replace: bool = False) -> str:
        history = copy.deepcopy(state["history"])
        if replace:
            history["internal"].pop()
            history["visible"].pop()
        reply = re.sub("<USER>|<user>|{{user}}", state["name1"], row[1])
        shown = self.string_hook("output_modifier", html.escape(reply), state, is_chat=True)
        history["internal"].append(row)
        history["visible"].append([asked_shown, shown])
        state["history"] = history
        return shown
