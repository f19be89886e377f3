"""Clients of the app and of a real server, for the tests here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI

from alltalk_plugin.http.app import create_app
from alltalk_plugin.http.server import SpeechServer
from alltalk_plugin.ownership import Ownership, own
from tests.fakes.runtime import FakeRuntime

TOKEN = "t" * 22
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


class AppClient:
    """Asks an app without a server or network, on one event loop. Answers come whole.

    Not starlette's own test client: its newest form wants another HTTP package than its older ones.
    """

    def __init__(
        self, runtime: FakeRuntime, *, bound_host: str = "127.0.0.1", with_token: bool = True
    ) -> None:
        self.app: FastAPI = create_app(runtime, token=TOKEN, bound_host=bound_host)
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://127.0.0.1:7851",
            headers=WITH_TOKEN if with_token else {},
        )

    def request(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self._runner.run(self._http.request(method, path, json=json, headers=headers))

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def head(self, path: str) -> httpx.Response:
        return self.request("HEAD", path)

    def post(
        self, path: str, json: object = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self.request("POST", path, json=json, headers=headers)

    def post_raw(self, path: str, body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return self._runner.run(self._http.post(path, content=body, headers=headers))

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()


class OwnedFake(FakeRuntime):
    """A runtime that owns a data folder."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.ownership: Ownership = own(home)


@dataclass(frozen=True)
class Running:
    """A server in a thread of this process."""

    runtime: OwnedFake
    server: SpeechServer
    thread: threading.Thread
    http: httpx.Client


@contextmanager
def running_server(
    home: Path, *, host: str = "127.0.0.1", started_by_program: bool = False, idle_exit_s: float = 60.0
) -> Iterator[Running]:
    runtime = OwnedFake(home)
    with closing(runtime.ownership):
        runtime.change_server(port=0, token=TOKEN, idle_exit_s=idle_exit_s)
        server = SpeechServer(runtime, host=host, started_by_program=started_by_program)
        thread = threading.Thread(target=server.run, name="server")
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=WITH_TOKEN) as http:
                yield Running(runtime, server, thread, http)
        finally:
            for speaking in runtime.speech.begun:
                if not speaking.job.done:
                    speaking.finish()
            server.stop()
            thread.join(20)
            assert not thread.is_alive()
