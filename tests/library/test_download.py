from __future__ import annotations

import hashlib
import io
import urllib.request
from http.client import HTTPMessage
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import (
    DownloadFailed,
    HashMismatch,
    InstallError,
    RequestError,
)
from alltalk_plugin.library.addresses import CarefulRedirects, check_address, open_address, shown
from alltalk_plugin.library.download import PART, TAG, Expected, fetch, size_of
from tests.fakes.file_server import FileServer

CONTENT = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


def test_file_when_fetched_then_whole_with_its_hash_and_nothing_besides(
    server: FileServer, tmp_path: Path
) -> None:
    told: list[int] = []
    url = server.put("/a.onnx", CONTENT)
    target = tmp_path / "new/a.onnx"
    fetched = fetch(url, target, Expected(len(CONTENT), SHA256, MD5.upper()), told.append)
    assert (fetched.path, fetched.size_bytes, fetched.sha256) == (target, len(CONTENT), SHA256)
    assert target.read_bytes() == CONTENT and sum(told) == len(CONTENT)
    assert [path.name for path in target.parent.iterdir()] == ["a.onnx"]


def test_file_when_cut_then_the_rest_alone_is_asked_for(server: FileServer, tmp_path: Path) -> None:
    told: list[int] = []
    url = server.put("/a", CONTENT, cut_after=[300_000, 100_000])
    assert fetch(url, tmp_path / "a", progress=told.append).sha256 == SHA256
    assert [asked[2] for asked in server.asked] == [None, "bytes=300000-", "bytes=400000-"]
    assert sum(told) == len(CONTENT)


def test_file_when_cut_for_good_then_the_next_call_goes_on(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", CONTENT, cut_after=[300_000, 0])
    with pytest.raises(DownloadFailed, match="broke off after 300000 bytes") as caught:
        fetch(url, tmp_path / "a")
    assert caught.value.context["got_bytes"] == 300_000
    assert not (tmp_path / "a").exists() and (tmp_path / f"a{PART}").exists()
    told: list[int] = []
    assert fetch(url, tmp_path / "a", progress=told.append).sha256 == SHA256
    assert server.asked[-1][2] == "bytes=300000-"
    assert told[0] == 300_000 and sum(told) == len(CONTENT)
    assert {path.name for path in tmp_path.iterdir()} == {"a"}


def test_file_when_it_breaks_again_and_again_then_given_up_in_the_end(
    server: FileServer, tmp_path: Path
) -> None:
    url = server.put("/a", CONTENT, cut_after=[10] * 50)
    with pytest.raises(DownloadFailed, match="broke off after 60 bytes"):
        fetch(url, tmp_path / "a")
    assert len(server.asked) == 6


def test_file_when_the_server_knows_no_ranges_then_from_the_start(server: FileServer, tmp_path: Path) -> None:
    told: list[int] = []
    url = server.put("/a", CONTENT, ranges=False, cut_after=[300_000])
    assert fetch(url, tmp_path / "a", progress=told.append).sha256 == SHA256
    assert -300_000 in told and sum(told) == len(CONTENT)


def test_file_when_changed_between_two_parts_then_from_the_start(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", CONTENT, cut_after=[300_000, 0])
    with pytest.raises(DownloadFailed):
        fetch(url, tmp_path / "a")
    other = CONTENT[::-1]
    server.put("/a", other, etag='"v2"')
    assert fetch(url, tmp_path / "a").path.read_bytes() == other


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_file_when_its_version_cannot_be_told_then_gone_on_with_only_under_a_promised_hash(
    server: FileServer, tmp_path: Path, etag: str | None
) -> None:
    url = server.put("/a", CONTENT, etag=etag, cut_after=[300_000])
    assert fetch(url, tmp_path / "a").sha256 == SHA256
    assert [asked[2] for asked in server.asked] == [None, None]
    server.asked.clear()
    server.put("/b", CONTENT, etag=etag, cut_after=[300_000])
    assert fetch(f"{server.url}/b", tmp_path / "b", Expected(sha256=SHA256)).sha256 == SHA256
    assert server.asked[1][2] == "bytes=300000-"


@pytest.mark.parametrize("faults", [{"goes_on_wrongly": True}, {}])
def test_file_when_the_rest_does_not_fit_then_from_the_start(
    server: FileServer, tmp_path: Path, faults: dict[str, bool]
) -> None:
    (tmp_path / f"a{PART}").write_bytes(CONTENT + b"too much" if not faults else CONTENT[:10])
    (tmp_path / f"a{TAG}").write_text('"v1"')
    url = server.put("/a", CONTENT, **faults)
    assert fetch(url, tmp_path / "a").sha256 == SHA256


def test_file_when_whole_already_but_not_named_then_not_asked_for_again(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / f"a{PART}").write_bytes(CONTENT)
    assert fetch(server.put("/a", CONTENT), tmp_path / "a", Expected(len(CONTENT), SHA256)).sha256 == SHA256
    assert fetch(f"{server.url}/a", tmp_path / "a", Expected(len(CONTENT), SHA256)).sha256 == SHA256
    assert server.asked == []


@pytest.mark.parametrize("expected", [Expected(sha256="0" * 64), Expected(md5="0" * 32)])
def test_file_when_not_what_was_promised_then_hash_mismatch_and_nothing_is_kept(
    server: FileServer, tmp_path: Path, expected: Expected
) -> None:
    with pytest.raises(HashMismatch) as caught:
        fetch(server.put("/a", CONTENT), tmp_path / "a", expected)
    assert caught.value.context["got_sha256"] == SHA256
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("faults", [{}, {"chunked": True}])
@pytest.mark.parametrize("size_bytes", [1_000, len(CONTENT) + 1])
def test_file_when_its_size_is_not_the_promised_one_then_refused(
    server: FileServer, tmp_path: Path, faults: dict[str, bool], size_bytes: int
) -> None:
    with pytest.raises(DownloadFailed) as caught:
        fetch(server.put("/a", CONTENT, **faults), tmp_path / "a", Expected(size_bytes))
    assert caught.value.context["want_bytes"] == size_bytes
    assert not (tmp_path / "a").exists()


def test_file_when_the_server_lies_about_its_length_then_cut_off(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="broke off"):
        fetch(server.put("/a", CONTENT, says_bytes=len(CONTENT) + 5, ranges=False), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_file_when_no_length_is_said_then_what_comes_is_the_file(server: FileServer, tmp_path: Path) -> None:
    assert fetch(server.put("/a", CONTENT, chunked=True), tmp_path / "a").sha256 == SHA256


def test_file_when_not_there_then_the_status_is_told_without_the_query(
    server: FileServer, tmp_path: Path
) -> None:
    with pytest.raises(DownloadFailed, match="404") as caught:
        fetch(f"{server.url}/none?signature=secret", tmp_path / "a")
    assert caught.value.context["status"] == 404 and "secret" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_file_when_nobody_answers_then_download_failed(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="cannot be reached"):
        fetch("http://127.0.0.1:9/a", tmp_path / "a")


def test_redirects_when_few_then_followed_and_when_endless_then_refused(
    server: FileServer, tmp_path: Path
) -> None:
    server.put("/a", CONTENT)
    server.put("/2", b"", location=f"{server.url}/a")
    server.put("/1", b"", location="/2")
    server.put("/loop", b"", location="/loop")
    assert fetch(f"{server.url}/1", tmp_path / "a").sha256 == SHA256
    with pytest.raises(DownloadFailed) as caught:
        fetch(f"{server.url}/loop", tmp_path / "b")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("location", ["http://example.com/a", "https://u:p@127.0.0.1/a", "ftp://127.0.0.1/a"])
def test_redirect_when_it_leads_to_what_may_not_be_asked_then_refused(
    server: FileServer, tmp_path: Path, location: str
) -> None:
    server.put("/a", b"", location=location)
    with pytest.raises(RequestError, match="not followed"):
        fetch(f"{server.url}/a", tmp_path / "a")


def test_redirect_when_it_leads_from_elsewhere_to_this_machine_then_refused() -> None:
    asked = urllib.request.Request("https://example.com/a")
    for here in ("http://127.0.0.1:7851/api", "https://[::1]/a", "http://localhost/a"):
        with pytest.raises(RequestError, match="leads back to this machine"):
            CarefulRedirects().redirect_request(asked, io.BytesIO(), 302, "Found", HTTPMessage(), here)
    onward = CarefulRedirects().redirect_request(
        asked, io.BytesIO(), 302, "Found", HTTPMessage(), "https://cdn.example.com/b"
    )
    assert onward is not None and onward.full_url == "https://cdn.example.com/b"


def test_redirect_when_it_leads_to_a_file_then_refused(server: FileServer, tmp_path: Path) -> None:
    server.put("/a", b"", location="file:///etc/passwd")
    with pytest.raises(DownloadFailed, match="not allowed"):
        fetch(f"{server.url}/a", tmp_path / "a")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://huggingface.co/a", True),
        ("http://127.0.0.1:80/a", True),
        ("http://[::1]/a", True),
        ("http://localhost/a", True),
        ("http://huggingface.co/a", False),
        ("http://127.0.0.1.example.com/a", False),
        ("http://localhost.example.com/a", False),
        ("ftp://127.0.0.1/a", False),
        ("file:///etc/passwd", False),
        ("https://user:word@huggingface.co/a", False),
        ("https:///a", False),
        ("https://a b/c", False),
        ("https://host:99999/a", False),
        ("https://[::1/a", False),
        ("C:\\models", False),
        ("", False),
    ],
)
def test_address_when_asked_for_then_https_or_this_machine_only(url: str, allowed: bool) -> None:
    if allowed:
        check_address(url)
    else:
        with pytest.raises(RequestError):
            check_address(url)


def test_address_when_shown_then_without_secrets() -> None:
    assert shown("https://u:p@host:8443/a/b?token=x#y") == "https://host:8443/a/b"


def test_size_when_asked_then_that_of_the_server_and_unknown_when_it_does_not_say(server: FileServer) -> None:
    assert size_of(server.put("/a", CONTENT)) == len(CONTENT)
    assert size_of(server.put("/b", CONTENT, chunked=True)) is None
    with pytest.raises(DownloadFailed):
        size_of(server.put("/c", CONTENT, head=False))


def test_file_when_the_folder_cannot_be_written_then_install_error(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InstallError, match="cannot be written") as caught:
        fetch(server.put("/a", CONTENT), tmp_path / "file/a")
    assert type(caught.value) is InstallError


def test_answer_when_closed_then_the_connection_is_too(server: FileServer) -> None:
    with open_address(server.put("/a", CONTENT)) as answer:
        assert answer.status == 200
    assert answer.closed
