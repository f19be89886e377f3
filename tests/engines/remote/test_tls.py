"""The same over TLS, with an authority that exists for these tests only."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import RemoteUnavailable
from alltalk_plugin.domain.models import CPU
from alltalk_plugin.engines.remote.engine import RemoteEngine, create
from tests.engines.remote.running import SpeechServer, speech_server

HELLO = SynthesisRequest(text="Hello there.")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The authority's own certificate, and a server's with its key."""
    folder = tmp_path_factory.mktemp("tls")
    ours, its = folder / "authority.pem", folder / "server.pem"
    made = trustme.CA()
    made.cert_pem.write_to_path(ours)
    made.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(its)
    return ours, its


@pytest.fixture(scope="module")
def secure(authority: tuple[Path, Path]) -> Iterator[SpeechServer]:
    with speech_server(authority[1]) as server:
        yield server


def load(url: str, model: str = "fine") -> RemoteEngine:
    options: dict[str, str | float] = {"base_url": url, "model": model, "retries": 0}
    return create(LoadRequest(model="far", path=None, device=CPU, options=options))


@pytest.fixture
def trusted(authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))


@pytest.mark.usefixtures("trusted")
def test_speech_when_the_authority_is_trusted_then_heard_twice_over_one_connection(
    secure: SpeechServer,
) -> None:
    engine = load(secure.url)
    seconds = [sum(chunk.duration_s for chunk in engine.synthesize(HELLO, CancelSource())) for _ in range(2)]
    kept = engine._server.take()  # type: ignore[attr-defined]  # a Line has it
    assert seconds == [pytest.approx(0.72)] * 2
    assert kept[1]
    kept[0].close()


@pytest.mark.alone
@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("model", ["stall", "stall-late"])
def test_speech_when_cancelled_then_it_ends_at_once(secure: SpeechServer, model: str) -> None:
    engine, cancel = load(secure.url, model), CancelSource()
    timer = threading.Timer(0.1, cancel.cancel)
    begun = time.monotonic()
    timer.start()
    list(engine.synthesize(HELLO, cancel))
    assert time.monotonic() - begun < 0.4
    engine.close()


def test_load_when_the_authority_is_unknown_then_unavailable_and_what_to_do(secure: SpeechServer) -> None:
    with pytest.raises(RemoteUnavailable, match="certificate is not trusted") as caught:
        load(secure.url)
    assert "SSL_CERT_FILE" in caught.value.hint


def test_load_when_the_server_has_no_tls_then_said_so(server: SpeechServer) -> None:
    with pytest.raises(RemoteUnavailable, match="does not speak TLS"):
        load(server.url.replace("http:", "https:"))
