"""Requests that make no sense as they stand."""

from __future__ import annotations

from alltalk_plugin.domain.errors.base import AlltalkError


class RequestError(AlltalkError):
    """A request that makes no sense as it stands."""

    code = "bad_request"
    default_hint = "Correct the named field; /docs describes every request."


class TextTooLong(RequestError):
    """The text exceeds what one request may hold; context: length_chars, limit_chars."""

    code = "text_too_long"
    default_hint = "Send less text at once or raise server.max_text_chars."


class TokenRequired(RequestError):
    code = "token_required"
    default_hint = "Send the token of address.json as 'Authorization: Bearer TOKEN'."


class OriginForbidden(RequestError):
    """A web page of another origin tried to change state here; context: origin."""

    code = "origin_forbidden"
    default_hint = "Add the page's origin to server.origins if you trust it."


class HostNameForbidden(RequestError):
    """The request names this server by a name it does not know (DNS rebinding); context: name."""

    code = "host_name_forbidden"
    default_hint = "Use 127.0.0.1 or localhost, or add the name as an origin to server.origins."


class BodyTooLarge(RequestError):
    """The request's body exceeds the limit; context: limit_bytes."""

    code = "body_too_large"
    default_hint = "Send less at once or raise server.max_body_mb."


class PathUnknown(RequestError):
    """Nothing answers at that path, or not to that method."""

    code = "path_unknown"
    default_hint = "/docs lists every path."


class SwapUnknown(RequestError):
    """No swap of that id; context: swap."""

    code = "swap_unknown"
    default_hint = "Swaps are remembered until the service ends; read the journal for older ones."


class HostUnknown(RequestError):
    """No adapter is registered under that host name; context: host, nearest."""

    code = "host_unknown"
    default_hint = "Run 'alltalk-plugin hosts' for the names that exist."
