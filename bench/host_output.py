"""How long text-generation-webui waits for `output_modifier`, with the real service and adapter files."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

from alltalk_plugin import bridge
from alltalk_plugin.adapters.files import install
from alltalk_plugin.adapters.text_generation_webui import ADAPTER, FOLDER
from alltalk_plugin.cli.demo.host import HostDouble, make_host_folder
from bench.report import Table

_CALLS = 100
_TARGET_P95_MS = 50.0


def measure() -> Table:
    """Rows in milliseconds: every call, and the slowest one in twenty."""
    with tempfile.TemporaryDirectory() as folder:
        home, host_folder = Path(folder) / "home", Path(folder) / "host"
        home.mkdir()
        (home / "settings.yaml").write_text("server: {port: 0, idle_exit_s: 2}\n", encoding="utf-8")
        make_host_folder(host_folder)
        install(ADAPTER, host_folder, home=home, interpreter=Path(sys.executable))
        service = bridge.attach_or_start(home, interpreter=sys.executable, deadline_s=60)
        host = HostDouble(host_folder, (FOLDER,))
        try:
            host.start()
            chat = host.new_chat()
            host.send(chat, "Hi", "“The first reply finds everything warm.”")
            took_ms = []
            for number in range(_CALLS):
                text = f"*She looks up.* “Reply number {number}, and there is more of it.” " * 5
                began = time.perf_counter()
                shown = host.string_hook("output_modifier", text, chat, is_chat=True)
                took_ms.append((time.perf_counter() - began) * 1000)
                found = re.search("[0-9a-f]{32}", shown)
                if found is None:
                    raise SystemExit("a reply was not spoken")
                with service.stream("GET", f"/api/v1/audio/{found[0]}") as audio:
                    for _block in audio:  # the next reply comes when this one is spoken, as in a chat
                        pass
        finally:
            host.close()
    slowest = sorted(took_ms)[-_CALLS // 20 :]
    return {
        "output_modifier, ms": took_ms,
        f"output_modifier, slowest 5 % (target for the first of them: {_TARGET_P95_MS:.0f}), ms": slowest,
    }
