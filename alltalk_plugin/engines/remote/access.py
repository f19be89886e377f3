"""What every request to a server needs, and why one came to nothing."""

from __future__ import annotations

import os

from alltalk_plugin import __version__
from alltalk_plugin.domain.errors import RemoteRefused
from alltalk_plugin.engines.remote.answers import Asked, Failure, broken_off, silent, unreached
from alltalk_plugin.engines.remote.line import Broken, Late


class Never:
    """A stop sign for what nobody cancels."""

    cancelled = False


def key_of(variable: str) -> str:
    """The key in an environment variable; "" when none is wanted. Workers have the service's environment.

    Raises: RemoteRefused.
    """
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    # http.client would name the whole header in its own complaint.
    if key.isascii() and key.isprintable() and key:
        return key
    what = "holds something that is no key" if key else "is not set where the service runs"
    raise RemoteRefused(f"the environment variable {variable} {what}", context={"key_env": variable})


def headers_of(key: str) -> dict[str, str]:
    headers = {"User-Agent": f"alltalk-plugin/{__version__}", "Accept": "*/*"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return headers


def failure_of(error: Late | Broken, asked: Asked, *, connect_s: float, answer_s: float) -> Failure:
    """Why no answer came. A connection was to stand in `connect_s`, the answer to begin in `answer_s`."""
    match error:
        case Late(connected=False):
            return unreached(TimeoutError(), asked, connect_s)
        case Late():
            # Not asked again: it may be at work on this very text.
            return Failure(silent(asked, answer_s))
        case Broken(begun=True):
            return Failure(broken_off(error.error, asked, 0), again=True)
        case Broken():
            return unreached(error.error, asked, connect_s)
