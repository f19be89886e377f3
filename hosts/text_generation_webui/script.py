"""The hooks through which text-generation-webui's replies are spoken. No logic: see alltalk_host.py.

An exception that leaves a hook can stop the host from starting or lose a reply, so none does.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

params = {"display_name": "AllTalk", "is_tab": False}

_FOLDER = Path(__file__).resolve().parent
_said: set[tuple[str, str]] = set()


def setup() -> None:
    try:
        _host().start()
    except Exception as error:  # noqa: BLE001 - ModuleNotFoundError out of here stops the host
        _sorry("setup", error)


def ui() -> None:
    try:
        _host().build_panel()
    except Exception as error:  # noqa: BLE001 - anything out of here stops the host
        _sorry("ui", error)


def custom_js() -> str:
    try:
        script: str = _host().page_script()
    except Exception as error:  # noqa: BLE001 - anything out of here stops the host
        _sorry("custom_js", error)
        return ""
    return script


def output_modifier(string: str, state: Any, is_chat: bool = False) -> str:
    try:
        spoken: str = _host().output(string, state, is_chat)
    except Exception as error:  # noqa: BLE001 - anything out of here loses the reply
        _sorry("output_modifier", error)
        return string
    return spoken


def _host() -> Any:
    """The one host of this process. Its module stays when the host restarts inside the process, while
    this file is executed again if it lies in user_data/extensions."""
    name = "alltalk_host"
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
    return module.host()


def _sorry(hook: str, error: Exception) -> None:
    """One line for each kind of failure of a hook, by the host's own logger if it has one."""
    kind = (hook, type(error).__name__)
    if kind in _said:
        return
    _said.add(kind)
    reason = " ".join(str(error).split())[:200]
    line = f"alltalk-plugin: {hook} failed, the chat goes on without it ({kind[1]}: {reason})"
    try:
        from modules.logging_colors import logger

        logger.error("%s", line)
    except Exception:  # noqa: BLE001 - an older host, or none: the line still has to be seen
        print(line, file=sys.stderr)  # noqa: T201 - see above
