"""A page like the host's, with real gradio: a chat that is redrawn in place, and the adapter in it."""

from __future__ import annotations

import html
import itertools
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alltalk_plugin.cli.demo.host import HostDouble, State
from tests.hosts.conftest import USERS, put_into
from tests.hosts.fake_service import FakeService

# The host patches the page to the new HTML and asks each element first whether it is equal already.
REDRAW = """
function redrawn(from, to) {
  if (from.nodeType !== 1 || from.nodeName !== to.nodeName) {
    if (!from.isEqualNode(to)) from.replaceWith(to.cloneNode(true));
    return;
  }
  if (from.isEqualNode(to)) return;
  for (const name of from.getAttributeNames()) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const name of to.getAttributeNames()) {
    if (from.getAttribute(name) !== to.getAttribute(name)) from.setAttribute(name, to.getAttribute(name));
  }
  const olds = [...from.childNodes], news = [...to.childNodes];
  news.forEach((node, i) => olds[i] ? redrawn(olds[i], node) : from.appendChild(node.cloneNode(true)));
  olds.slice(news.length).forEach((node) => node.remove());
}
function redraw(markup) {
  const fresh = document.createElement("template");
  fresh.innerHTML = markup.trim();
  redrawn(document.getElementById("chat"), fresh.content.firstElementChild);
}
"""
GENERATING = "() => document.getElementById('chat-tab').classList.{}('_generating')"


class ChatPage:
    """The host with one chat, served on a port of this machine. `reply` is what the model says next."""

    def __init__(self, folder: Path, service: FakeService) -> None:
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        self.reply = "Hello there. <b>How</b> are you?"
        put_into(folder / USERS, service.home)
        self.host = HostDouble(folder, ("alltalk_plugin",), page=self._opened_page)
        self.cache = folder / "user_data" / "cache" / "alltalk_plugin"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/"
        self.chat: State = {}
        self._drawn = itertools.count()  # no two drawings are equal, or gradio would keep the second back
        self.host.start()
        self.chat = self.host.new_chat()
        self._serve()

    def restart(self) -> None:
        """ "Apply flags/extensions and restart"."""
        self._page().close(verbose=False)
        self.host.restart()
        self._serve()

    def forget_kept_audio(self) -> None:
        shutil.rmtree(self.cache)

    def close(self) -> None:
        self._page().close(verbose=False)
        self.host.close()

    def _page(self) -> Any:
        return self.host.shared.gradio["interface"]

    def _opened_page(self) -> Any:
        """Blocks that are still being built: the host calls ui() inside."""
        import gradio as gr

        blocks = gr.Blocks(head=f"<script>{REDRAW}</script>", analytics_enabled=False)
        blocks.__enter__()
        with gr.Column(elem_id="chat-tab"):
            shown = gr.HTML(self._markup)
            drawn = gr.Textbox(visible=False)
            said = gr.Textbox(elem_id="chat-input", label="Message")
            again = gr.Button("Redraw", elem_id="redraw")
            gr.Button("Stop", elem_id="stop")
        mode = gr.Textbox("chat", visible=False)
        character = gr.Dropdown(["Mira", "Tom"], value="Mira", label="Character", elem_id="character-menu")
        self.host.shared.gradio.update(mode=mode, character_menu=character, display=shown)
        said.submit(lambda: None, None, None, js=GENERATING.format("add")).then(
            self._answered, said, [drawn, said]
        ).then(None, None, None, js=GENERATING.format("remove"))
        again.click(self._markup, None, drawn)
        drawn.change(None, drawn, None, js="(markup) => { redraw(markup); }")
        return blocks

    def _serve(self) -> None:
        import gradio as gr

        blocks = self._page()
        blocks.load(None, None, None, js=f"() => {{ {self.host.js} }}")
        blocks.__exit__()
        gr.Blocks.queue(blocks).launch(
            server_name="127.0.0.1",
            server_port=self.port,
            prevent_thread_lock=True,
            quiet=True,
            show_api=False,
            allowed_paths=[str(self.cache.parent)],
        )
        self._wait_until_mounted(blocks)

    @staticmethod
    def _wait_until_mounted(blocks: Any) -> None:
        pause = threading.Event()
        for _ in range(100):
            if any(getattr(one, "path", "") == "/alltalk_plugin/state" for one in blocks.app.router.routes):
                return
            pause.wait(0.05)
        raise AssertionError("the adapter's paths were not added")

    def _answered(self, said: str) -> Iterator[tuple[str, str]]:
        """The reply word by word, then what the hooks make of it."""
        words = self.reply.split(" ")
        for count in range(1, len(words) + 1):
            yield self._markup(said, html.escape(" ".join(words[:count]))), ""
        self.host.send(self.chat, said, self.reply)
        yield self._markup(), ""

    def _markup(self, said: str | None = None, partial: str = "") -> str:
        rows = list(self.chat["history"]["visible"]) if self.chat else []
        if said is not None:
            rows.append([html.escape(said), partial])
        messages = [
            f'<div class="message"><div class="message-body"><p>{_rendered(text)}</p></div></div>'
            for row in rows
            for text in row
        ]
        drawn = f'<div class="messages" data-drawn="{next(self._drawn)}">{"".join(messages)}</div>'
        return f'<div class="chat" id="chat">{drawn}</div>'


def _rendered(text: str) -> str:
    return re.sub(r"\n\n+", "</p><p>", text)
