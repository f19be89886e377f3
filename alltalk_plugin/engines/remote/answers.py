"""What a server's refusals and broken connections mean, in our errors.

Servers put their reasons in different places: OpenAI and vLLM `{"error": {"message", "param", "code"}}`,
FastAPI programs `{"detail": text | {"message"} | [{"loc", "msg"}]}`, others `{"message"}` or
`{"error": text}`.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException

from alltalk_plugin.domain.errors import (
    AlltalkError,
    ContextValue,
    LanguageUnsupported,
    ModelIncompatible,
    RemoteBusy,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
    VoiceNotFound,
)
from alltalk_plugin.workers.redaction import redact

_SAID_CHARS = 300
_MISSING = re.compile(
    r"not found|unknown|invalid|unsupported|not supported|available|not exist|no such|error loading",
    re.IGNORECASE,
)
_VOICE = re.compile(r"voice|speaker", re.IGNORECASE)
_LANGUAGE = re.compile(r"languages?\b.*(not|un)\s*supported|(not|un)\s*supported.*language", re.IGNORECASE)
_NO_CREDIT = re.compile(r"insufficient_quota|billing", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt brought no audio. `again`: the same request may succeed in a moment; `after_s`: not
    before that, as the server said."""

    error: AlltalkError
    again: bool = False
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """The server's own words. `param` is the field of the request that it complains about."""

    message: str = ""
    param: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the server was asked. The key and the text are kept out of every error."""

    url: str
    voice: str = ""
    language: str | None = None
    key: str = field(default="", repr=False)
    text: str = field(default="", repr=False)


def said(body: bytes) -> Said:
    """The words in the body of a refusal; nothing of what may be an echo of the request."""
    try:
        told = json.loads(body)
    except ValueError:  # covers undecodable bytes
        return Said()
    if not isinstance(told, dict):
        return Said()
    part = told.get("error", told.get("detail", told))
    match part:
        case str():
            # Kokoro-FastAPI has an "error" that is a code beside the message.
            return Said(_text(told.get("message")) or part, code=part)
        case dict():
            code = _text(part.get("code")) or _text(part.get("error"))
            return Said(_text(part.get("message")), _text(part.get("param")), code)
        case [{"msg": str(message), "loc": [*loc]}, *_]:
            return Said(message, _text(loc[-1]) if loc else "")
        case _:
            return Said()


def refusal(status: int, headers: Mapping[str, str], body: bytes, asked: Asked, now: datetime) -> Failure:
    """What an answer that is not 200 means. `headers` have lower-case names."""
    words = said(body)
    context: dict[str, ContextValue] = {"url": asked.url, "status": status}
    wait_s = retry_after_s(headers, now)
    if wait_s is not None:
        context["retry_after_s"] = wait_s
    told = f": {_fit(words.message, asked)}" if words.message else ""
    match status:
        case 401 | 402 | 403 | 407:
            verdict = "refuses the key" if asked.key else "wants a key"
            return Failure(RemoteRefused(f"{asked.url} {verdict} ({status}){told}", context=context))
        case 429 if _NO_CREDIT.search(words.code):
            hint = "Look at the account that the key belongs to: it has no credit left."
            refused = RemoteRefused(
                f"{asked.url} has no credit for the key{told}", hint=hint, context=context
            )
            return Failure(refused)
        case 429:
            return Failure(RemoteBusy(f"{asked.url} is busy (429){told}", context=context), True, wait_s)
        case 503 if wait_s is not None:
            return Failure(RemoteBusy(f"{asked.url} is busy (503){told}", context=context), True, wait_s)
        case _ if 300 <= status < 400:
            return Failure(_moved(headers, asked, context))
        case _ if 400 <= status < 500 and status != 408:
            return Failure(_unsuitable(status, words, told, asked, context))
        case _:
            failed = RemoteError(f"{asked.url} failed with status {status}{told}", context=context)
            return Failure(failed, again=status == 408 or status >= 500)


def _unsuitable(
    status: int, words: Said, told: str, asked: Asked, context: dict[str, ContextValue]
) -> AlltalkError:
    """The server lives and does not want this request."""
    if _LANGUAGE.search(words.message):
        reason = _fit(words.message, asked)
        context |= {"language": asked.language, "reason": reason}
        return LanguageUnsupported(f"{asked.url} does not speak this language: {reason}", context=context)
    if words.param == "voice" or (_VOICE.search(words.message) and _MISSING.search(words.message)):
        context |= {"voice": asked.voice}
        hint = "Set the voice's speaker (or the model's option voice) to a voice of that server."
        return VoiceNotFound(f"{asked.url} has no voice {asked.voice!r}{told}", hint=hint, context=context)
    if status in (404, 405) and words.message.lower() in ("", "not found", "method not allowed"):
        hint = "Correct the model's option base_url: nothing takes speech requests there."
        return ModelIncompatible(f"{asked.url}/audio/speech does not exist", hint=hint, context=context)
    hint = "Correct the model's options (model, format, extra) to what that server takes."
    return ModelIncompatible(
        f"{asked.url} does not take the request ({status}){told}", hint=hint, context=context
    )


def _moved(headers: Mapping[str, str], asked: Asked, context: dict[str, ContextValue]) -> RemoteError:
    """A redirect is never followed: the key and the text are meant for the server of the settings."""
    target = headers.get("location", "").partition("?")[0]
    where = f" to {_fit(target, asked)}" if target else ""
    hint = "Set the model's option base_url to where the server is now, if you trust that address."
    return RemoteError(f"{asked.url} redirects{where}, which is not followed", hint=hint, context=context)


def not_audio(content_type: str, body: bytes, asked: Asked) -> RemoteError:
    """A 200 whose body is a page or a document."""
    message = said(body).message
    told = f": {_fit(message, asked)}" if message else ""
    return RemoteError(
        f"{asked.url} answered with {_fit(content_type, asked) or 'text'} instead of audio{told}",
        hint="Check the model's option base_url: something else may answer there.",
        context={"url": asked.url, "status": 200},
    )


def unreached(error: Exception, asked: Asked, timeout_s: float) -> Failure:
    """Why no connection came about, or none that brought an answer."""
    context: dict[str, ContextValue] = {"url": asked.url}
    hint: str | None = None
    again = False
    match error:
        case ssl.SSLCertVerificationError():
            reason = f"its certificate is not trusted ({error.verify_message})"
            hint = "Name your own authority's file in the environment variable SSL_CERT_FILE."
        case ssl.SSLError():
            reason = "it does not speak TLS"
            hint = "Write http:// instead of https:// into base_url if that server has no TLS."
        case socket.gaierror():
            reason = "its name is not known"
        case TimeoutError():
            reason, again = f"it did not answer within {timeout_s:g} s", True
        case ConnectionRefusedError():
            reason, again = "nobody listens there", True
        case OSError():
            # Includes http.client.RemoteDisconnected.
            reason, again = f"the connection failed ({error.strerror or 'closed without an answer'})", True
        case _:
            return Failure(
                RemoteError(f"{asked.url} does not answer in HTTP ({type(error).__name__})", context=context)
            )
    return Failure(
        RemoteUnavailable(f"{asked.url} cannot be reached: {reason}", hint=hint, context=context), again
    )


def silent(asked: Asked, timeout_s: float) -> RemoteUnavailable:
    """The request was taken, and no answer came."""
    return RemoteUnavailable(
        f"{asked.url} did not begin to answer within {timeout_s:g} s",
        hint="Raise the model's option first_byte_s if that server is slow, or look whether it hangs.",
        context={"url": asked.url, "timeout_s": timeout_s},
    )


def broken_off(error: Exception | None, asked: Asked, got_bytes: int) -> RemoteError:
    """The answer began and did not come to its end."""
    how = type(error).__name__ if isinstance(error, HTTPException | OSError) else "too short"
    return RemoteError(
        f"{asked.url} broke off after {got_bytes} bytes of audio ({how})",
        context={"url": asked.url, "got_bytes": got_bytes},
    )


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The pause a server asks for: seconds or a date (RFC 9110, 10.2.3); None when it asks for none."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def _fit(text: str, asked: Asked) -> str:
    """A stranger's words, fit for a log: short, one line, without what must not be repeated."""
    clean = redact(text, (asked.key, asked.text))
    return " ".join("".join(char if char.isprintable() else " " for char in clean).split())[:_SAID_CHARS]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
