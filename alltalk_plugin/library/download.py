"""One file is fetched whole: goes on where it stopped, is checked, and gets its name last of all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Literal

from alltalk_plugin.domain.errors import DownloadFailed, HashMismatch, InstallError
from alltalk_plugin.library.addresses import open_address, shown
from alltalk_plugin.library.cards import Progress, no_progress

PART, TAG = ".part", ".part-tag"
"""After the name of a file that is not whole yet, and of the note which version of it that is."""
_BLOCK_BYTES = 262_144
_REQUESTS = 6
"""How often one call asks again after a cut; only while each brings something."""
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416


@dataclass(frozen=True, slots=True)
class Expected:
    """What a catalogue promises of a file; None where it says nothing."""

    size_bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is here now."""

    path: Path
    size_bytes: int
    sha256: str


NOTHING_PROMISED = Expected()


def fetch(
    url: str, target: Path, expected: Expected = NOTHING_PROMISED, progress: Progress = no_progress
) -> Fetched:
    """`url` as the file `target`, unless that is there already and as promised.

    `progress` also hears of what was there before, and a negative number when a server starts over. One
    process at a time for the same target; the caller sees to that.

    Raises: RequestError (an address that may not be asked), DownloadFailed, HashMismatch, InstallError.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and (there := _kept(target, expected)) is not None:
            progress(there.size_bytes)
            return there
        transfer = _Transfer(url, target, expected, progress)
        transfer.run()
        return transfer.finish()
    except OSError as error:
        raise InstallError(
            f"{target} cannot be written: {error.strerror or error}",
            hint="Check that the data folder is writable and the disk is not full.",
            context={"path": str(target), "errno": error.errno},
        ) from error


def size_of(url: str) -> int | None:
    """What the server says a file's size is, in bytes; None when it does not. Raises: as `fetch`."""
    with open_address(url, method="HEAD") as answer:
        return _length(answer)


class _CutOff(Exception):
    """The connection ended before the file did."""


class _Transfer:
    def __init__(self, url: str, target: Path, expected: Expected, progress: Progress) -> None:
        self._url = url
        self._target = target
        self._part = target.with_name(target.name + PART)
        self._tag = target.with_name(target.name + TAG)
        self._expected = expected
        self._progress = progress
        self._told = 0

    def run(self) -> None:
        """Raises: DownloadFailed, OSError."""
        for left in reversed(range(_REQUESTS)):
            before = self._size
            try:
                self._request()
            except _CutOff as cut:
                if left and self._size > before:
                    continue
                raise DownloadFailed(
                    f"{shown(self._url)} broke off after {self._size} bytes: {cut}",
                    context={
                        "url": shown(self._url),
                        "got_bytes": self._size,
                        "want_bytes": self._expected.size_bytes,
                    },
                ) from cut
            return

    def finish(self) -> Fetched:
        """Check what came and give it its name. Raises: HashMismatch, OSError."""
        sha256, md5 = _digests(self._part)
        wanted = self._expected
        for want, got in ((wanted.sha256, sha256), (wanted.md5, md5)):
            if want is not None and want.lower() != got:
                self._forget()
                raise HashMismatch(
                    f"{shown(self._url)} is not the file that was promised",
                    hint="Run the command again; if it repeats, the file or its catalogue was changed.",
                    context={"path": self._target.name, "want": want, "got": got, "got_sha256": sha256},
                )
        with self._part.open("rb+") as file:
            os.fsync(file.fileno())
        self._part.replace(self._target)
        self._tag.unlink(missing_ok=True)
        return Fetched(self._target, self._target.stat().st_size, sha256)

    @property
    def _size(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _request(self) -> None:
        """One question for what is missing. Raises: _CutOff, DownloadFailed, OSError."""
        if self._size and self._size == self._expected.size_bytes:
            self._tell(self._size)
            return
        with self._answer() as answer:
            goes_on = answer.status == _PARTIAL_CONTENT
            start = self._size if goes_on else 0
            rest = _length(answer)
            total = None if rest is None else start + rest
            self._write_tag(answer)
            self._tell(start)
            try:
                self._check_total(total)
                self._take(answer, "ab" if goes_on else "wb")
            except DownloadFailed:
                self._forget()
                raise
        if total is None:
            total = self._expected.size_bytes
        if total is not None and self._size < total:
            raise _CutOff("the server stopped sending")

    def _take(self, answer: HTTPResponse, mode: Literal["ab", "wb"]) -> None:
        with self._part.open(mode) as file:
            for block in _blocks(answer):
                file.write(block)
                self._tell(self._told + len(block))
                self._check_total(self._told, at_most=True)

    def _answer(self) -> HTTPResponse:
        """The rest where the server can send it, else the whole."""
        if self._size and (tag := self._read_tag()) is not None:
            wanted = {"Range": f"bytes={self._size}-", **({"If-Range": tag} if tag else {})}
            try:
                answer = open_address(self._url, wanted)
            except DownloadFailed as error:
                if error.context.get("status") != _RANGE_NOT_SATISFIABLE:
                    raise
            else:
                begins = (answer.headers.get("Content-Range") or "").startswith(f"bytes {self._size}-")
                if answer.status != _PARTIAL_CONTENT or begins:
                    return answer
                answer.close()
            self._forget()
        answer = open_address(self._url)
        if answer.status == _PARTIAL_CONTENT:
            answer.close()
            raise DownloadFailed(
                f"{shown(self._url)} sends a part of the file that nobody asked for",
                context={"url": shown(self._url)},
            )
        return answer

    def _check_total(self, total: int | None, *, at_most: bool = False) -> None:
        """Raises: DownloadFailed when the file is not as long as promised."""
        wanted = self._expected.size_bytes
        if wanted is None or total is None or total == wanted or (at_most and total < wanted):
            return
        raise DownloadFailed(
            f"{shown(self._url)} has {total} bytes{' or more' if at_most else ''}, {wanted} were promised",
            hint="The file or its catalogue was changed; nothing was kept.",
            context={"url": shown(self._url), "got_bytes": total, "want_bytes": wanted},
        )

    def _read_tag(self) -> str | None:
        """What names the version of the part that is here; "": a promised hash will tell; None: nothing."""
        with suppress(OSError, UnicodeDecodeError):
            if tag := self._tag.read_text(encoding="latin-1"):
                return tag
        return "" if self._expected.sha256 or self._expected.md5 else None

    def _write_tag(self, answer: HTTPResponse) -> None:
        tag = answer.headers.get("ETag") or ""
        if not tag or tag.startswith("W/"):  # a weak one may not go into If-Range
            tag = answer.headers.get("Last-Modified") or ""
        self._tag.write_text(tag, encoding="latin-1", errors="replace")

    def _tell(self, done: int) -> None:
        if done != self._told:
            self._progress(done - self._told)
            self._told = done

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)


def _blocks(answer: HTTPResponse) -> Iterator[bytes]:
    """Raises: _CutOff, so that a failing disk is not taken for a failing connection."""
    while True:
        try:
            block = answer.read(_BLOCK_BYTES)
        except (OSError, HTTPException) as error:
            raise _CutOff(str(error) or type(error).__name__) from error
        if not block:
            return
        yield block


def _length(answer: HTTPResponse) -> int | None:
    text = answer.headers.get("Content-Length") or ""
    return int(text) if text.isdecimal() else None


def _kept(target: Path, expected: Expected) -> Fetched | None:
    """A file that an earlier call brought; None when it is not what is wanted now."""
    sha256, md5 = _digests(target)
    there = Fetched(target, target.stat().st_size, sha256)
    wanted = (expected.size_bytes, expected.sha256, expected.md5)
    found = (there.size_bytes, sha256, md5)
    same = all(want is None or want == got for want, got in zip(wanted, found, strict=True))
    return there if same else None


def _digests(path: Path) -> tuple[str, str]:
    """SHA-256, and MD5, which is what some catalogues have."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            sha256.update(block)
            md5.update(block)
    return sha256.hexdigest(), md5.hexdigest()
