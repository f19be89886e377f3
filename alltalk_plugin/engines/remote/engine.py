"""A remote speech server in a worker: the entry of `spec.SPEC`.

One utterance is one `POST /audio/speech`. A request that brought no audio is sent again (exponential
back-off with full jitter: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015) as long as
the first audio can still come in time; once audio was passed on nothing is repeated. A server that keeps
failing is left alone for a while (breaker.py).
"""

from __future__ import annotations

import json
import random
import time
import unicodedata
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import (
    AlltalkError,
    Cancelled,
    LanguageUnsupported,
    RemoteError,
    RemoteUnavailable,
)
from alltalk_plugin.engines.remote import answers
from alltalk_plugin.engines.remote.access import Never, failure_of, headers_of, key_of
from alltalk_plugin.engines.remote.answers import Asked, Failure
from alltalk_plugin.engines.remote.breaker import Breaker
from alltalk_plugin.engines.remote.languages import unspoken_reason
from alltalk_plugin.engines.remote.line import ERROR_BYTES, POLL_S, Answer, Broken, Call, Late, Line
from alltalk_plugin.engines.remote.options import LONGEST_WAIT_S, RemoteOptions, read_options
from alltalk_plugin.engines.remote.sound import TooLong, TooShort, Unreadable, heard, named_rate

SLOWEST, FASTEST = 0.25, 4.0
"""What the API allows for `speed`."""
_BACK_OFF_S, _LONGEST_BACK_OFF_S = 0.25, 4.0
_SPARE_S = 60.0
_MOST_S_PER_CHAR = 1.0
"""The slowest speech measured takes 0.3 s a character (at a quarter of the speed); an answer longer than this
and a minute is not of this text."""


class Server(Protocol):
    """What the engine needs of a `Line`."""

    def ask(self, call: Call, cancel: Cancellable, until_s: float) -> AbstractContextManager[Answer]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """What the engine takes from outside. `rest` waits, and says whether it was not cancelled meanwhile."""

    clock: Callable[[], float]
    rest: Callable[[float, Cancellable], bool]
    share: Callable[[], float]
    now: Callable[[], datetime]


def rest(seconds: float, cancel: Cancellable) -> bool:
    """Wait; False as soon as it is cancelled."""
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0 and not cancel.cancelled:
        time.sleep(min(POLL_S, left_s))
    return not cancel.cancelled


MACHINE = Machine(time.monotonic, rest, random.random, lambda: datetime.now(UTC))


def create(request: LoadRequest) -> RemoteEngine:
    """The factory of the entry; asks the server once, whatever it answers, so that loading means reaching it.

    Raises: ModelIncompatible (options), RemoteUnavailable, RemoteRefused.
    """
    options = read_options(request.options)
    engine = RemoteEngine(
        options, Line(options.endpoint, connect_s=options.connect_s), key_of(options.key_env)
    )
    try:
        engine.reach()
    except AlltalkError:
        engine.close()
        raise
    return engine


class RemoteEngine:
    """One thread."""

    def __init__(self, options: RemoteOptions, server: Server, key: str, machine: Machine = MACHINE) -> None:
        self._options = options
        self._server = server
        self._key = key
        self._machine = machine
        self._breaker = Breaker(open_after=options.open_after, open_s=options.open_s, clock=machine.clock)

    def reach(self) -> None:
        """Ask for the list of models; only a server that cannot be reached or refuses the key is an error."""
        options = self._options
        asked = self._asked()
        call = Call("GET", f"{options.endpoint.prefix}/models", headers_of(self._key))
        until_s = self._machine.clock() + options.first_byte_s
        try:
            with self._server.ask(call, Never(), until_s) as answer:
                failure = self._refusal(answer, asked, until_s)  # read, so that the connection can be kept
                refused = answer.head.status in (401, 403)
        except (Late, Broken) as error:
            raise self._unreached(error, asked).error from error
        if refused:
            raise failure.error

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        """Besides what `Engine` says: Raises: RemoteError and its kind, ModelIncompatible."""
        text = sendable(request.text)
        if not any(char.isalnum() for char in text):
            return
        if (reason := unspoken_reason(request.language, self._options.languages)) is not None:
            raise LanguageUnsupported(reason, context={"language": request.language, "reason": reason})
        self._admit()
        settled = False
        try:
            yield from self._speak(request, text, cancel)
            self._breaker.succeeded()
            settled = True
        except Cancelled:
            return
        except AlltalkError as error:
            settled = True
            if isinstance(error, RemoteError):
                wait_s = error.context.get("retry_after_s")
                self._breaker.failed(float(wait_s) if isinstance(wait_s, int | float) else 0.0)
            else:
                self._breaker.succeeded()  # it lives, and does not want this request
            raise
        finally:
            if not settled:
                self._breaker.left()

    def close(self) -> None:
        self._server.close()

    def _admit(self) -> None:
        wait_s = self._breaker.admit()
        if wait_s is not None:
            url = self._options.endpoint.url
            raise RemoteUnavailable(
                f"{url} failed repeatedly and is left alone for {wait_s:.0f} s",
                hint="Look into that server's log; it is asked again by itself.",
                context={"url": url, "retry_after_s": round(wait_s, 1)},
            )

    def _speak(self, request: SynthesisRequest, text: str, cancel: Cancellable) -> Iterator[AudioChunk]:
        call = self._call(request, text)
        asked = self._asked(request, text)
        until_s = self._machine.clock() + self._options.first_byte_s
        for attempt in count():
            failure = yield from self._attempt(call, asked, cancel, until_s, len(text))
            if failure is None:
                return
            wait_s = self._pause_s(attempt, failure, until_s)
            if wait_s is None:
                raise failure.error
            if not self._machine.rest(wait_s, cancel):
                raise Cancelled("the work was cancelled")

    def _pause_s(self, attempt: int, failure: Failure, until_s: float) -> float | None:
        """How long to wait before the next attempt; None when there is none."""
        if not failure.again or attempt >= self._options.retries:
            return None
        most_s = min(_LONGEST_BACK_OFF_S, _BACK_OFF_S * 2.0**attempt)
        wait_s = max(failure.after_s or 0.0, most_s * self._machine.share())
        return wait_s if self._machine.clock() + wait_s < until_s else None

    def _attempt(
        self, call: Call, asked: Asked, cancel: Cancellable, until_s: float, length_chars: int
    ) -> Generator[AudioChunk, None, Failure | None]:
        """Ask once. Returns why there was no audio; after the first audio it raises."""
        try:
            with self._server.ask(call, cancel, until_s) as answer:
                if answer.head.status != 200:
                    return self._refusal(answer, asked, until_s)
                yield from self._audio(answer, asked, until_s, _SPARE_S + _MOST_S_PER_CHAR * length_chars)
                return None
        except (Late, Broken) as error:
            return self._unreached(error, asked)

    def _audio(self, answer: Answer, asked: Asked, until_s: float, most_s: float) -> Iterator[AudioChunk]:
        options = self._options
        kind = answer.head.content_type.lower()
        encoding = answer.head.headers.get("content-encoding", "identity")
        if kind.startswith(("text/", "application/json", "application/problem")) or encoding != "identity":
            raise answers.not_audio(kind, answer.beginning(until_s, ERROR_BYTES), asked)
        pace = _Pace(self._machine.clock)
        chunks = 0
        try:
            for chunk in heard(
                pace.watched(answer.parts(until_s, options.between_chunks_s)),
                kind,
                asked=options.wire_format,
                rate_hz=named_rate(answer.head.headers) or options.sample_rate_hz,
                most_s=most_s,
                framed=answer.head.framed,
            ):
                chunks += 1
                yield chunk
                pace.sounded()
        except (Late, Broken) as error:
            if not answer.got_bytes:
                raise
            raise self._broken_off(error, asked, answer.got_bytes) from error
        except _TooSlow as error:
            raise RemoteError(
                f"{asked.url} is too slow: no sound for {LONGEST_WAIT_S:g} s after {answer.got_bytes} bytes",
                hint="Try wav or pcm as the model's option format: they are heard as they come.",
                context={"url": asked.url, "got_bytes": answer.got_bytes, "timeout_s": LONGEST_WAIT_S},
            ) from error
        except Unreadable as error:
            raise RemoteError(
                f"what {asked.url} sends cannot be read: {error}",
                hint="Try another value of the model's option format (wav, mp3, pcm).",
                context={"url": asked.url, "got_bytes": answer.got_bytes},
            ) from error
        except TooShort as error:
            raise answers.broken_off(None, asked, answer.got_bytes) from error
        except TooLong as error:
            raise RemoteError(
                f"{asked.url} sends more audio than the text can have ({answer.got_bytes} bytes and no end)",
                context={"url": asked.url, "got_bytes": answer.got_bytes},
            ) from error
        if not chunks:
            raise RemoteError(f"{asked.url} sent no audio", context={"url": asked.url, "got_bytes": 0})

    # --- what goes wrong ------------------------------------------------------------------------------

    def _refusal(self, answer: Answer, asked: Asked, until_s: float) -> Failure:
        body = answer.beginning(until_s, ERROR_BYTES)
        return answers.refusal(answer.head.status, answer.head.headers, body, asked, self._machine.now())

    def _unreached(self, error: Late | Broken, asked: Asked) -> Failure:
        options = self._options
        return failure_of(error, asked, connect_s=options.connect_s, answer_s=options.first_byte_s)

    def _broken_off(self, error: Late | Broken, asked: Asked, got_bytes: int) -> RemoteError:
        if isinstance(error, Broken):
            return answers.broken_off(error.error, asked, got_bytes)
        gap_s = self._options.between_chunks_s
        return RemoteError(
            f"{asked.url} fell silent for {gap_s:g} s after {got_bytes} bytes of audio",
            hint="Raise the model's option between_chunks_s if that server pauses between sentences.",
            context={"url": asked.url, "got_bytes": got_bytes, "timeout_s": gap_s},
        )

    # --- what is sent ---------------------------------------------------------------------------------

    def _asked(self, request: SynthesisRequest | None = None, text: str = "") -> Asked:
        return Asked(
            self._options.endpoint.url,
            voice=(request and request.speaker) or self._options.voice,
            language=request.language if request else None,
            key=self._key,
            text=text,
        )

    def _call(self, request: SynthesisRequest, text: str) -> Call:
        options = self._options
        fields: dict[str, object] = {"input": text, "response_format": options.wire_format.value}
        if options.model:
            fields["model"] = options.model
        if voice := request.speaker or options.voice:
            fields["voice"] = voice
        speed = min(max(request.rate, SLOWEST), FASTEST)
        if speed != 1.0:
            fields["speed"] = round(speed, 3)  # left out at 1: vLLM-Omni streams without it only
        if options.language_field and request.language is not None:
            fields[options.language_field] = request.language
        fields |= options.extra
        headers = {**headers_of(self._key), "Content-Type": "application/json"}
        body = json.dumps(fields).encode("ascii")
        return Call("POST", f"{options.endpoint.prefix}/audio/speech", headers, body)


class _TooSlow(Exception):
    """Bytes come, and yet too little of them to be heard."""


class _Pace:
    """Sees to it that the engine gives up on a trickle before its worker is ended for silence."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.sounded()

    def sounded(self) -> None:
        self._until_s = self._clock() + LONGEST_WAIT_S

    def watched(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        for part in parts:
            if self._clock() > self._until_s:
                raise _TooSlow
            yield part


def sendable(text: str) -> str:
    """Text without what servers choke on: control characters (those of Piper and Coqui answer 500 to a NUL)
    and halves of surrogate pairs, which are no Unicode."""
    return "".join(
        " " if unicodedata.category(char) == "Cc" else char
        for char in text
        if unicodedata.category(char) != "Cs"
    )
