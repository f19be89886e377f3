"""Errors as problem documents (RFC 9457): `{type, title, status, detail, code, hint, …context}`."""

from __future__ import annotations

import math

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from alltalk_plugin.domain import errors
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.http.ascii_json import AsciiJson

STATUS: dict[type[AlltalkError], int] = {
    AlltalkError: 500,
    errors.SettingsError: 422,
    errors.SettingsWriteError: 500,
    errors.PluginError: 500,
    errors.RequestError: 400,
    errors.TextTooLong: 413,
    errors.TokenRequired: 401,
    errors.OriginForbidden: 403,
    errors.HostNameForbidden: 403,
    errors.BodyTooLarge: 413,
    errors.PathUnknown: 404,
    errors.SwapUnknown: 404,
    errors.HostUnknown: 404,
    errors.SpeechError: 500,
    errors.NothingToSay: 422,
    errors.SpeechOff: 409,
    errors.VoiceNotFound: 404,
    errors.LanguageUnsupported: 422,
    errors.ReferenceUnusable: 422,
    errors.DeadlineExceeded: 504,
    errors.TooManyReplies: 429,
    errors.Cancelled: 409,
    errors.ModelError: 503,
    errors.ModelNotFound: 404,
    errors.ModelCorrupt: 500,
    errors.ModelIncompatible: 500,
    errors.UnsafeCheckpoint: 500,
    errors.ModelTooBig: 507,
    errors.OutOfMemory: 503,
    errors.ModelTimeout: 504,
    errors.WorkerCrashed: 503,
    errors.SelfTestFailed: 500,
    errors.SynthesisFailed: 500,
    errors.BusyTimeout: 503,
    errors.Cooldown: 429,
    errors.RetryLater: 503,
    errors.QueueFull: 503,
    errors.Superseded: 409,
    errors.SwapCancelled: 409,
    errors.EngineMissing: 503,
    errors.RemoteError: 502,
    errors.RemoteRefused: 502,
    errors.RemoteBusy: 503,
    errors.RemoteUnavailable: 503,
    errors.InstallError: 500,
    errors.DownloadFailed: 502,
    errors.HashMismatch: 500,
    errors.TermsNotAccepted: 403,
    errors.NameTaken: 409,
    errors.AudioError: 500,
    errors.AudioNotFound: 404,
    errors.FormatUnsupported: 422,
    errors.StoreFailed: 507,
    errors.OwnershipError: 500,
    errors.DataFolderUnusable: 500,
    errors.LockUnavailable: 500,
    errors.OwnedElsewhere: 409,
    errors.VersionMismatch: 409,
    errors.PortTaken: 500,
    errors.ServiceUnreachable: 503,
}
"""Every class of the error tree, the intermediate ones too (a test walks the tree)."""


def status_of(error: AlltalkError) -> int:
    """The status of an error; a plugin's own class has that of its nearest ancestor here."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(error: AlltalkError, *, status: int | None = None) -> dict[str, object]:
    """The document of an error."""
    return {
        **error.context,
        "type": f"urn:alltalk-plugin:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status if status is not None else status_of(error),
        "detail": error.message,
        "code": error.code,
        "hint": error.hint,
    }


def problem_response(error: AlltalkError, *, status: int | None = None) -> Response:
    status = status if status is not None else status_of(error)
    headers = {}
    retry_after_s = error.context.get("retry_after_s")
    if isinstance(retry_after_s, (int, float)):
        headers["Retry-After"] = str(max(0, math.ceil(retry_after_s)))
    if isinstance(error, errors.TokenRequired):
        headers["WWW-Authenticate"] = "Bearer"
    return AsciiJson(problem(error, status=status), status, headers, media_type="application/problem+json")


def answer_errors(app: FastAPI) -> None:
    """Make every error that leaves an endpoint a problem document."""
    app.add_exception_handler(AlltalkError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _foreign)


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, AlltalkError)  # noqa: S101 - registered for this class only
    return problem_response(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    # What was sent is not repeated: it may be a whole chat.
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    faults = [
        f"{'.'.join(str(part) for part in fault['loc'] if part != 'body') or 'body'}: {fault['msg']}"
        for fault in error.errors()
    ]
    return problem_response(errors.RequestError("; ".join(faults)), status=422)


async def _foreign(_request: Request, error: Exception) -> Response:
    """Errors of the framework itself: an unknown path, a wrong method, a body that is no JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    if isinstance(error.__cause__, AlltalkError):
        return problem_response(error.__cause__)
    kind = errors.PathUnknown if error.status_code in (404, 405) else errors.RequestError
    answer = problem_response(kind(str(error.detail)), status=error.status_code)
    answer.headers.update(error.headers or {})
    return answer
