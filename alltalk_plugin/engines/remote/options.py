"""What the settings say about a remote speech server, checked. Standard library only; used on both ends."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from alltalk_plugin.domain.engines import OptionField
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.language import LanguageTag, language_tag
from alltalk_plugin.domain.models import OptionValue

LONGEST_WAIT_S = 55.0
"""The service ends a worker that made no sound for 60 s (workers.supervisor.CHUNK_TIMEOUT_S); the engine
gives up before that, so that its own error is heard."""
RATES_HZ = (8_000, 192_000)
_VERSION = re.compile(r"v\d+\w*")
_ENDPOINT = "/audio/speech"
_PORTS = {"http": 80, "https": 443}


class WireFormat(StrEnum):
    """What may be asked for as `response_format`. AAC is left out: libsndfile cannot read it."""

    WAV = "wav"
    PCM = "pcm"
    MP3 = "mp3"
    FLAC = "flac"
    OPUS = "opus"


OPTIONS: Mapping[str, OptionField] = MappingProxyType(
    {
        "base_url": OptionField(str, None, "address of the server, with or without /v1; required"),
        "model": OptionField(str, "tts-1", "the server's name of the model; empty: none is sent"),
        "voice": OptionField(str, "alloy", "the server's name of the voice for those without a speaker"),
        "key_env": OptionField(str, "", "name of the environment variable that has the key; empty: no key"),
        "format": OptionField(str, "wav", "what is asked for: wav, pcm, mp3, flac or opus"),
        "sample_rate_hz": OptionField(int, 24_000, "rate of raw pcm, unless the answer names one", "Hz"),
        "languages": OptionField(str, "", "languages it speaks ('en de fr'); empty: all"),
        "language_field": OptionField(str, "", "field of the request that takes the language; empty: none"),
        "extra": OptionField(str, "", "further fields of the request, as a JSON object"),
        "connect_s": OptionField(float, 5.0, "longest wait for a connection", "s"),
        "first_byte_s": OptionField(float, 30.0, "longest wait for the first audio, retries included", "s"),
        "between_chunks_s": OptionField(float, 15.0, "longest gap in an answer that has begun", "s"),
        "retries": OptionField(int, 2, "how often a request that brought no audio is sent again"),
        "open_after": OptionField(int, 3, "failures in a row after which the server is left alone"),
        "open_s": OptionField(float, 10.0, "for how long at first; doubles up to five minutes", "s"),
    }
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is. `prefix` is the part of every path before `/audio/speech`."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def url(self) -> str:
        """For people: holds no secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.prefix}"

    @property
    def loopback(self) -> bool:
        """Whether what is sent stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOptions:
    """The options of one model, each explained in `OPTIONS`."""

    endpoint: Endpoint
    model: str = "tts-1"
    voice: str = "alloy"
    key_env: str = ""
    wire_format: WireFormat = WireFormat.WAV
    sample_rate_hz: int = 24_000
    languages: tuple[LanguageTag, ...] = ()
    language_field: str = ""
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    connect_s: float = 5.0
    first_byte_s: float = 30.0
    between_chunks_s: float = 15.0
    retries: int = 2
    open_after: int = 3
    open_s: float = 10.0

    @property
    def key_in_clear(self) -> bool:
        """Whether a key would travel over a network unencrypted."""
        return bool(self.key_env) and self.endpoint.scheme == "http" and not self.endpoint.loopback


def read_options(options: Mapping[str, OptionValue]) -> RemoteOptions:
    """The options with their defaults. Raises: ModelIncompatible, which says which one is wrong."""
    given = {name: options.get(name, field.default) for name, field in OPTIONS.items()}
    return RemoteOptions(
        endpoint=endpoint_of(str(given["base_url"] or "")),
        model=str(given["model"]),
        voice=str(given["voice"]),
        key_env=_variable(str(given["key_env"])),
        wire_format=_format(str(given["format"])),
        sample_rate_hz=int(_between(given, "sample_rate_hz", *RATES_HZ)),
        languages=_languages(str(given["languages"])),
        language_field=str(given["language_field"]),
        extra=_extra(str(given["extra"])),
        connect_s=_between(given, "connect_s", 0.05, LONGEST_WAIT_S),
        first_byte_s=_between(given, "first_byte_s", 0.05, LONGEST_WAIT_S),
        between_chunks_s=_between(given, "between_chunks_s", 0.05, LONGEST_WAIT_S),
        retries=int(_between(given, "retries", 0, 10)),
        open_after=int(_between(given, "open_after", 1, 1_000)),
        open_s=_between(given, "open_s", 0.05, 300.0),
    )


def endpoint_of(base_url: str) -> Endpoint:
    """The server that a base URL means.

    `/v1` is added where no version ends the path, as the clients of this API do not agree on it. An address
    that names `/audio/speech` itself is taken to the letter.

    Raises: ModelIncompatible.
    """
    try:
        parts = urlsplit(base_url.strip())
        port = parts.port
    except ValueError as error:
        raise _wrong("base_url", "is no address") from error
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        # Not repeated: it may hold a key.
        raise _wrong("base_url", "holds a name, a password or a query; a key belongs into key_env's variable")
    if parts.scheme not in _PORTS or not parts.hostname or not _plain(parts.netloc + parts.path):
        raise _wrong("base_url", "is to be an address such as http://127.0.0.1:8880/v1")
    path = parts.path.rstrip("/")
    if path.endswith(_ENDPOINT):
        prefix = path.removesuffix(_ENDPOINT)
    elif _VERSION.fullmatch(path.rpartition("/")[2]):
        prefix = path
    else:
        prefix = f"{path}/v1"
    return Endpoint(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], prefix)


def _plain(text: str) -> bool:
    """Printable ASCII without spaces: anything else would have to be escaped in the request's first line."""
    return text.isascii() and text.isprintable() and " " not in text


def _variable(name: str) -> str:
    # A wrong value is not repeated: people put the key itself here.
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise _wrong("key_env", "is to be the name of an environment variable, not a key")
    return name


def _format(name: str) -> WireFormat:
    try:
        return WireFormat(name.lower())
    except ValueError as error:
        raise _wrong("format", f"is to be one of {', '.join(WireFormat)}") from error


def _languages(text: str) -> tuple[LanguageTag, ...]:
    try:
        return tuple(language_tag(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise _wrong("languages", f"names no language: {error}") from error


def _extra(text: str) -> Mapping[str, object]:
    if not text.strip():
        return MappingProxyType({})
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise _wrong("extra", f"is no JSON: {error}") from error
    if not isinstance(fields, dict) or {"input", "response_format"} & fields.keys():
        raise _wrong("extra", "is to be a JSON object without input and response_format")
    return MappingProxyType(fields)


def _between(given: Mapping[str, OptionValue | None], name: str, least: float, most: float) -> float:
    value = given[name]
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise _wrong(name, f"is to be a number from {least:g} to {most:g}")
    return float(value)


def _wrong(name: str, reason: str) -> ModelIncompatible:
    return ModelIncompatible(
        f"the option {name} {reason}",
        hint="Correct the model's options in the settings.",
        context={"option": name},
    )
