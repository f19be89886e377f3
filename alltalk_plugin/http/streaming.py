"""Stored and growing audio over HTTP.

| stream | asked for | answer |
| --- | --- | --- |
| growing | all, `bytes=0-`, `bytes=a-` | 200 in chunks, from byte 0, no length |
| growing | `bytes=a-b` | 206 `a-min(b, end)/*`, once byte a is there |
| complete | all; a range; one outside | 200; 206; 416; with length and ETag |

A growing stream never answers an open range by a 206 that ends at "so far" or guesses a total: browsers
end or fail there (tried in Chromium). Every wait is a coroutine's, so listeners hold no threads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from fastapi import Request
from loguru import logger
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.ports import AudioStream, SpoolReader
from alltalk_plugin.http.audience import GRACE_S, Audience
from alltalk_plugin.http.ranges import ByteRange, matches, parse_range, slice_of
from alltalk_plugin.http.threads import Threads
from alltalk_plugin.http.waiting import ClientGone, until, while_there

_BLOCK_BYTES = 64 * 1024
_KEPT_S = 24 * 3600  # audio behind an id never changes


class Follower:
    """Reads a stream from a place on, as it grows."""

    def __init__(self, stream: AudioStream, offset: int, threads: Threads) -> None:
        self._stream = stream
        self._threads = threads
        self._reader: SpoolReader = stream.open(offset)

    async def next(self, size: int = _BLOCK_BYTES) -> bytes:
        """The next bytes, waited for; empty at the end. Raises: the producer's error."""
        if self._stream.complete:  # nothing to wait for, but a disk to read
            found = await self._threads.run(self._reader.read, size, 0.0)
            if found is not None:
                return found
        return await until(lambda: self._reader.read(size, 0.0))

    def close(self) -> None:
        self._reader.close()


@dataclass(frozen=True, slots=True)
class Listening:
    """What serving audio needs from the app."""

    threads: Threads
    audience: Audience


class AudioResponse(Response):
    """Sends what a follower reads, up to `limit` bytes; ends as soon as the client goes.

    While it runs, it is one of the audience. A stream that breaks off ends without HTTP's proper end, so
    that nobody takes it for the whole.
    """

    def __init__(
        self,
        follower: Follower,
        first: bytes,
        *,
        audio_id: str,
        app: Listening,
        status: int,
        headers: Mapping[str, str],
        media_type: str,
        limit: int | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        super().__init__(status_code=status, headers=dict(headers), media_type=media_type)
        if limit is None:
            del self.headers["content-length"]
        else:
            self.headers["content-length"] = str(limit)
        self._follower = follower
        self._first = first
        self._audio_id = audio_id
        self._app = app
        self._limit = limit
        self._grace_s = grace_s

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        try:
            with self._app.audience.listening(self._audio_id, grace_s=self._grace_s):
                await send(start)
                await while_there(receive, self._send_body(send))
        except ClientGone:
            return
        except AlltalkError as error:
            logger.warning("audio broke off", audio=self._audio_id, code=error.code, reason=error.message)
        finally:
            self._follower.close()

    async def _send_body(self, send: Send) -> None:
        async for block in self._blocks():
            await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _blocks(self) -> AsyncIterator[bytes]:
        left = self._limit
        block = self._first
        while block and left != 0:
            if left is not None:
                block = block[:left]
                left -= len(block)
            yield block
            block = b"" if left == 0 else await self._follower.next()


async def serve_audio(stream: AudioStream, request: Request, app: Listening) -> Response:
    """The answer to GET or HEAD of a stream. Raises: the producer's error, while that still has a status."""
    wanted = parse_range(request.headers.get("range"))
    if stream.complete:
        return await _complete(stream, app, wanted, method=request.method, conditions=request.headers)
    if "if-range" in request.headers:
        wanted = None  # what grows has no ETag to match
    if request.method == "HEAD":
        return _head(200, {"Cache-Control": "no-store"}, stream.media_type, None)
    try:
        return await while_there(request.receive, _growing(stream, app, wanted))
    except ClientGone:
        return Response(status_code=499)  # nobody reads it; nginx's word for a client that left


async def follow(
    stream: AudioStream, app: Listening, *, headers: Mapping[str, str], grace_s: float
) -> AudioResponse:
    """The whole stream as it grows, its first bytes taken already. Raises: the producer's error."""
    follower = Follower(stream, 0, app.threads)
    try:
        first = await follower.next()
    except BaseException:
        follower.close()
        raise
    return AudioResponse(
        follower,
        first,
        audio_id=stream.audio_id,
        app=app,
        status=200,
        headers={"Cache-Control": "no-store", **headers},
        media_type=stream.media_type,
        grace_s=grace_s,
    )


async def serve_whole(stream: AudioStream, app: Listening, *, headers: Mapping[str, str]) -> Response:
    """A complete stream, with its length."""
    answer = await _complete(stream, app, None, method="GET", conditions={})
    answer.headers.update(headers)
    return answer


async def _growing(stream: AudioStream, app: Listening, wanted: ByteRange | None) -> Response:
    # Waiting for the first bytes is listening too: leaving then must stop the work as well.
    with app.audience.listening(stream.audio_id):
        if wanted is None or wanted.first is None or wanted.last is None:
            return await follow(stream, app, headers={}, grace_s=GRACE_S)
        return await _growing_part(stream, app, wanted.first, wanted.last)


async def _growing_part(stream: AudioStream, app: Listening, first: int, last: int) -> Response:
    follower = Follower(stream, first, app.threads)
    try:
        block = await follower.next(min(_BLOCK_BYTES, last + 1 - first))
    except BaseException:
        follower.close()
        raise
    complete, size = stream.complete, stream.size_bytes
    if not block:
        follower.close()
        return _outside(size)
    end = min(last + 1, max(size, first + len(block)))
    return AudioResponse(
        follower,
        block,
        audio_id=stream.audio_id,
        app=app,
        status=206,
        headers={
            "Cache-Control": "no-store",
            "Content-Range": f"bytes {first}-{end - 1}/{size if complete else '*'}",
        },
        media_type=stream.media_type,
        limit=end - first,
    )


async def _complete(
    stream: AudioStream,
    app: Listening,
    wanted: ByteRange | None,
    *,
    method: str,
    conditions: Mapping[str, str],
) -> Response:
    size = stream.size_bytes
    etag = stream.etag or ""
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": f"private, max-age={_KEPT_S}"}
    if matches(conditions.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if conditions.get("if-range", etag) != etag:
        wanted = None
    start, end, status = 0, size, 200
    if wanted is not None:
        part = slice_of(wanted, size)
        if part is None:
            return _outside(size)
        (start, end), status = part, 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    if method == "HEAD":
        return _head(status, headers, stream.media_type, end - start)
    follower = Follower(stream, start, app.threads)
    return AudioResponse(
        follower,
        await follower.next(),
        audio_id=stream.audio_id,
        app=app,
        status=status,
        headers=headers,
        media_type=stream.media_type,
        limit=end - start,
    )


def _head(status: int, headers: Mapping[str, str], media_type: str, length: int | None) -> Response:
    answer = Response(status_code=status, headers=dict(headers), media_type=media_type)
    if length is None:
        del answer.headers["content-length"]
    else:
        answer.headers["content-length"] = str(length)
    return answer


def _outside(size: int) -> Response:
    return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
