"""Which addresses may be asked for a file: https anywhere, http on this machine only."""

from __future__ import annotations

import ipaddress
import urllib.request
from http.client import HTTPMessage, HTTPResponse
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from alltalk_plugin import __version__
from alltalk_plugin.domain.errors import DownloadFailed, RequestError

MOST_REDIRECTS = 5
"""Large-file hosts answer with one or two."""
TIMEOUT_S = 30.0
"""For the connection and for each wait for more."""


def check_address(url: str) -> None:
    """Raises: RequestError for an address that may not be asked."""
    if (fault := _fault(url)) is not None:
        raise RequestError(f"{shown(url)} cannot be fetched: {fault}", hint="Give an https address.")


def open_address(url: str, headers: dict[str, str] | None = None, *, method: str = "GET") -> HTTPResponse:
    """The answer's head; its body is read by the caller, who closes it.

    Raises: RequestError, DownloadFailed; context: url, status.
    """
    check_address(url)
    asked = {"User-Agent": f"alltalk-plugin/{__version__}", "Accept-Encoding": "identity", **(headers or {})}
    request = urllib.request.Request(url, headers=asked, method=method)  # noqa: S310 - checked above
    # Proxies of the environment apply, but not to this machine.
    proxies = urllib.request.ProxyHandler({} if _on_loopback(url) else None)
    opener = urllib.request.OpenerDirector()
    for handler in (
        proxies,
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        CarefulRedirects(),
    ):
        opener.add_handler(handler)
    try:
        answer = opener.open(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        with error:
            raise DownloadFailed(
                f"{shown(url)} answers {error.code} {' '.join(str(error.reason).split())}",
                hint="Check the address; if it is right, try again later.",
                context={"url": shown(url), "status": error.code},
            ) from error
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadFailed(
            f"{shown(url)} cannot be reached: {reason}",
            hint="Check the connection, or fetch the files elsewhere and use 'alltalk-plugin model add'.",
            context={"url": shown(url)},
        ) from error
    assert isinstance(answer, HTTPResponse)  # noqa: S101 - only these handlers are there
    return answer


def shown(url: str) -> str:
    """`url` without its query, which may hold a signature, and without a user's name and password."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "that address"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


class CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Bounded, and never from elsewhere to this machine."""

    max_redirections = MOST_REDIRECTS
    max_repeats = 2

    def redirect_request(  # noqa: PLR0917 - the base class's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        fault = _fault(newurl)
        if fault is None and _on_loopback(newurl) and not _on_loopback(req.full_url):
            fault = "it leads back to this machine"
        if fault is not None:
            raise RequestError(
                f"{shown(req.full_url)} points to {shown(newurl)}, which is not followed: {fault}",
                hint="Do not trust this address.",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if not host:
        return "it names no host"
    if parts.username is not None or parts.password is not None:
        return "it holds a name or password"
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        return "it holds blanks"
    if parts.scheme == "https" or (parts.scheme == "http" and _on_loopback(url)):
        return None
    return "only https is safe from changes on the way" if parts.scheme == "http" else "it is not https"


def _on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
