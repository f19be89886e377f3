"""Where models come from: Piper's and Coqui's own catalogues, or any address. All are read as data.

Formats: `voices.json` of huggingface.co/rhasspy/piper-voices, and `TTS/.models.json` of
github.com/idiap/coqui-ai-TTS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from alltalk_plugin.domain.errors import DownloadFailed, ModelNotFound, RequestError
from alltalk_plugin.library.addresses import check_address, open_address, shown
from alltalk_plugin.library.download import Expected
from alltalk_plugin.library.names import name_fault
from alltalk_plugin.library.unpack import is_archive
from alltalk_plugin.settings.nearest import did_you_mean

PIPER = "https://huggingface.co/rhasspy/piper-voices/resolve/main/voices.json"
COQUI = "https://raw.githubusercontent.com/idiap/coqui-ai-TTS/main/TTS/.models.json"
CATALOGUES = {"piper": PIPER, "coqui": COQUI}
_LARGEST_CATALOGUE = 16_000_000
"""Piper's has 0.25 MB."""
_COQUI_KIND = "tts_models/"
_NO_LICENCE = "not stated: read what the source says"


@dataclass(frozen=True, slots=True)
class Download:
    """One file of an offer. `name` is its place in the model's folder; of an archive, `into` is where its
    files belong."""

    name: str
    url: str
    expected: Expected
    into: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model that can be fetched. `gated`: its licence is a contract that has to be accepted first.
    `licence_file` names the download that holds the licence, where the catalogue does not say it."""

    name: str
    engine: str | None
    downloads: tuple[Download, ...]
    licence: str = _NO_LICENCE
    gated: bool = False
    licence_file: str | None = None
    description: str = ""

    @property
    def packed(self) -> bool:
        """Whether what comes has to be unpacked."""
        return any(is_archive(download.name) for download in self.downloads)


def find_offer(wanted: str, catalogue: str | None = None) -> Offer:
    """What `piper:VOICE`, `coqui:NAME` or an address stands for; asks the catalogue's server.

    `catalogue` is the address of another copy of the catalogue; files with relative addresses are taken
    from beside it.
    Raises: RequestError, ModelNotFound with the nearest name, DownloadFailed.
    """
    kind, _, name = wanted.partition(":")
    if kind in CATALOGUES and not name.startswith("//"):
        address = catalogue or CATALOGUES[kind]
        return _READERS[kind](_fetched_json(address), name, address)
    if catalogue is not None:
        raise RequestError(f"{wanted!r} is in no catalogue", hint="Leave --catalogue out.")
    return address_offer(wanted)


def piper_offer(catalogue: Mapping[str, object], name: str, address: str) -> Offer:
    """A voice by its key (`en_US-amy-low`) or an older alias (`en-us-amy-low`)."""
    key = name if name in catalogue else _by_alias(catalogue, name)
    entry = catalogue.get(key)
    if not isinstance(entry, dict) or not isinstance(entry.get("files"), dict):
        raise _not_listed(name, catalogue, address)
    downloads = [
        _download(PurePosixPath(str(path)).name, urljoin(address, str(path)), said, address)
        for path, said in entry["files"].items()
    ]
    card = next((download.name for download in downloads if download.name == "MODEL_CARD"), None)
    language = entry.get("language")
    spoken = language.get("name_english", "") if isinstance(language, dict) else ""
    return Offer(
        name=key,
        engine="piper",
        downloads=tuple(downloads),
        licence_file=card,
        description=" ".join(str(part) for part in (spoken, entry.get("quality", "")) if part),
    )


def coqui_offer(catalogue: Mapping[str, object], name: str, address: str) -> Offer:
    """A model by its name (`tts_models/en/ljspeech/vits`), with the vocoder that belongs to it."""
    entries = dict(_coqui_entries(catalogue, ()))
    # With hyphens for slashes it is the name of the folder; some names have two hyphens of their own.
    spellings = [name.strip("/"), name.replace("--", "/")]
    keys = [_COQUI_KIND + one.removeprefix(_COQUI_KIND) for one in spellings]
    key = next((one for one in keys if one in entries), "")
    if (entry := entries.get(key)) is None:
        known = [one.removeprefix(_COQUI_KIND) for one in entries if one.startswith(_COQUI_KIND)]
        raise _not_listed(name, known, address)
    downloads = _coqui_downloads(key, entry, address)
    vocoder = entry.get("default_vocoder")
    if isinstance(vocoder, str) and (found := entries.get(vocoder)) is not None:
        downloads += [replace(one, into="vocoder") for one in _coqui_downloads(vocoder, found, address)]
    return Offer(
        name=key.removeprefix(_COQUI_KIND).replace("/", "--"),
        engine="coqui",
        downloads=tuple(downloads),
        licence=str(entry.get("license") or _NO_LICENCE),
        gated=entry.get("tos_required") is True,
        description=str(entry.get("description") or ""),
    )


def _coqui_downloads(key: str, entry: Mapping[str, object], address: str) -> list[Download]:
    """A zip, or a list of files. The catalogue has no sizes and no hashes."""
    urls = entry.get("hf_url") or entry.get("github_rls_url")
    if isinstance(urls, str):
        urls = [urls]
    if not isinstance(urls, list) or not urls:
        raise DownloadFailed(f"{key} has no address in {shown(address)}", hint="Choose another model.")
    return [_download(_last_name(str(url)), urljoin(address, str(url)), {}, address) for url in urls]


def address_offer(url: str) -> Offer:
    """An archive, or a Piper voice (its configuration lies beside it). Raises: RequestError."""
    check_address(url)
    name = _last_name(url)
    if name.endswith(".onnx"):
        parts = urlsplit(url)
        config = parts._replace(path=f"{parts.path}.json").geturl()
        downloads = (Download(name, url, Expected()), Download(f"{name}.json", config, Expected()))
        return Offer(name=name.removesuffix(".onnx"), engine="piper", downloads=downloads)
    if is_archive(name):
        stem = name.split(".")[0]
        return Offer(name=stem, engine=None, downloads=(Download(name, url, Expected()),))
    raise RequestError(
        f"{shown(url)} is neither an archive nor an .onnx file",
        hint="Fetch the files of the model into a folder and use 'alltalk-plugin model add'.",
    )


_READERS: Mapping[str, Callable[[Mapping[str, object], str, str], Offer]] = {
    "piper": piper_offer,
    "coqui": coqui_offer,
}


def _fetched_json(url: str) -> Mapping[str, object]:
    with open_address(url) as answer:
        text = answer.read(_LARGEST_CATALOGUE + 1)
    try:
        found = json.loads(text) if len(text) <= _LARGEST_CATALOGUE else None
    except ValueError as error:
        raise DownloadFailed(f"{shown(url)} is not JSON: {error}", context={"url": shown(url)}) from error
    if not isinstance(found, dict):
        raise DownloadFailed(f"{shown(url)} is no catalogue of models", context={"url": shown(url)})
    return found


def _download(name: str, url: str, said: object, address: str) -> Download:
    """Raises: DownloadFailed for a name that a file here cannot have, RequestError for an address."""
    if name_fault(name) is not None:
        raise DownloadFailed(f"{shown(address)} names a file {name!r}", hint="Do not trust this catalogue.")
    check_address(url)
    said = said if isinstance(said, dict) else {}
    size, md5, sha256 = (said.get(key) for key in ("size_bytes", "md5_digest", "sha256"))
    return Download(
        name,
        url,
        Expected(
            size_bytes=size if isinstance(size, int) else None,
            sha256=sha256 if isinstance(sha256, str) else None,
            md5=md5 if isinstance(md5, str) else None,
        ),
    )


def _by_alias(catalogue: Mapping[str, object], name: str) -> str:
    for key, entry in catalogue.items():
        if isinstance(entry, dict) and name in (entry.get("aliases") or ()):
            return key
    return name


def _coqui_entries(
    node: Mapping[str, object], above: tuple[str, ...]
) -> Iterable[tuple[str, Mapping[str, object]]]:
    """Kind, language, data set and name are four levels of keys."""
    for key, value in node.items():
        if not isinstance(value, dict):
            continue
        if len(above) == 3:
            yield "/".join((*above, key)), value
        else:
            yield from _coqui_entries(value, (*above, key))


def _not_listed(name: str, known: Iterable[str], address: str) -> ModelNotFound:
    return ModelNotFound(
        f"{name!r} is not in {shown(address)}{did_you_mean(name, known)}",
        hint="The catalogue's own page lists the names.",
        context={"model": name},
    )


def _last_name(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name
