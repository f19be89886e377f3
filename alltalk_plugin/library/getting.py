"""A model is fetched: said what it is, asked for consent, brought here whole, then added like any other."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from loguru import logger

from alltalk_plugin.domain.errors import (
    DownloadFailed,
    InstallError,
    ModelError,
    NameTaken,
    TermsNotAccepted,
)
from alltalk_plugin.domain.models import CPU, Device, ModelProfile, ModelRef
from alltalk_plugin.library.adding import AddedModel, NewModel, SelfTest, add_model
from alltalk_plugin.library.addresses import shown
from alltalk_plugin.library.cards import Progress, no_progress
from alltalk_plugin.library.catalogues import Offer
from alltalk_plugin.library.download import fetch, size_of
from alltalk_plugin.library.looking import describe, guessed_engine
from alltalk_plugin.library.names import check_free, checked_name
from alltalk_plugin.library.shelf import Shelf
from alltalk_plugin.library.unpack import is_archive, unpack

Lock = Callable[[int], None]
"""Locks an open file for this process, without waiting. Raises: OSError."""
DOWNLOADS = "downloads"
"""Where files wait until their model is whole."""
_LONGEST_LICENCE = 200
_LICENCE_LINE = re.compile(r"^\W*licen[cs]e\W*:\s*(.+)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a user is told before anything is fetched. `size_bytes` None: the server does not say."""

    name: str
    description: str
    licence: str
    gated: bool
    size_bytes: int | None
    source: str


Consent = Callable[[Terms], bool]
"""Asks the user."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A model that its engine can read: where it is and where it belongs."""

    engine: str
    folder: Path
    target: Path


def get_model(
    shelf: Shelf,
    offer: Offer,
    *,
    name: str | None = None,
    engine: str | None = None,
    device: Device = CPU,
    consent: Consent,
    lock: Lock,
    self_test: SelfTest | None = None,
    progress: Progress = no_progress,
) -> AddedModel:
    """Fetch an offer into the data folder and add it as a model.

    What has come is kept when the call breaks off, and used by the next.

    Raises: TermsNotAccepted, DownloadFailed, HashMismatch, NameTaken, RequestError, InstallError, and what
    `add_model` raises.
    """
    ref = checked_name(name or offer.name, "model")
    check_free(ref, shelf.settings.models, "model")
    if (wanted := engine or offer.engine) is not None:
        _check_place(shelf.model_folder(shelf.spec(wanted, ref).name, ref))
    staging = shelf.home / DOWNLOADS / ref
    with _alone(staging, lock):
        offer = _with_licence(offer, staging)
        terms = _terms(ref, offer)
        if not consent(terms):
            raise TermsNotAccepted(
                f"{ref} was not fetched: nobody accepted its terms ({offer.licence})",
                hint=f"Repeat the command with {'--accept-terms' if offer.gated else '--yes'}.",
                context={"model": ref, "licence": offer.licence},
            )
        shelf.check_room((terms.size_bytes or 0) * (2 if offer.packed else 1))
        for one in offer.downloads:
            fetch(one.url, staging / one.name, one.expected, progress)
        folder = _unpacked(shelf, offer, staging) if offer.packed else staging
        place = _judged(shelf, offer, ref, engine, folder=folder, staging=staging)
        _move(place)
        shutil.rmtree(staging, ignore_errors=True)
    logger.info("model fetched", model=ref, source=shown(offer.downloads[0].url), licence=offer.licence)
    new = NewModel(
        name=ref,
        path=place.target,
        engine=place.engine,
        device=device,
        source=shown(offer.downloads[0].url),
        licence=offer.licence,
        terms_accepted=offer.gated,
    )
    try:
        return add_model(shelf, new, self_test=self_test)
    except ModelError:
        shutil.rmtree(place.target, ignore_errors=True)
        raise


@contextmanager
def _alone(staging: Path, lock: Lock) -> Iterator[None]:
    """One process at a time fetches a model; the lock goes with the process. Raises: InstallError."""
    path = staging.with_name(f".{staging.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InstallError(
            f"{path.parent} cannot be written to: {error.strerror}", hint="Choose a data folder with --home."
        ) from error
    try:
        try:
            lock(descriptor)
        except OSError as error:
            raise InstallError(
                f"another process is fetching {staging.name}",
                hint="Wait until it has ended, then run the command again.",
                context={"model": staging.name},
            ) from error
        yield
    finally:
        os.close(descriptor)


def _with_licence(offer: Offer, staging: Path) -> Offer:
    """The offer with the licence that its own card states; the card is the one file fetched before."""
    card = next((one for one in offer.downloads if one.name == offer.licence_file), None)
    if card is None:
        return offer
    fetched = fetch(card.url, staging / card.name, card.expected)
    text = fetched.path.read_text(encoding="utf-8", errors="replace")
    found = _LICENCE_LINE.search(text)
    return replace(offer, licence=found[1].strip()[:_LONGEST_LICENCE]) if found else offer


def _terms(ref: str, offer: Offer) -> Terms:
    sizes = [one.expected.size_bytes or _asked_size(one.url) for one in offer.downloads]
    known = [size for size in sizes if size is not None]
    return Terms(
        name=ref,
        description=offer.description,
        licence=offer.licence,
        gated=offer.gated,
        size_bytes=sum(known) if len(known) == len(sizes) else None,
        source=shown(offer.downloads[0].url),
    )


def _asked_size(url: str) -> int | None:
    """A server need not answer this question to be able to send the file."""
    with suppress(DownloadFailed):
        return size_of(url)
    return None


def _unpacked(shelf: Shelf, offer: Offer, staging: Path) -> Path:
    folder = staging / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    for one in offer.downloads:
        if is_archive(one.name):
            unpack(staging / one.name, folder / one.into, shelf.check_room)
        else:
            (folder / one.into).mkdir(parents=True, exist_ok=True)
            shutil.copy2(staging / one.name, folder / one.into / one.name)
    return folder


def _judged(
    shelf: Shelf, offer: Offer, ref: str, engine: str | None, *, folder: Path, staging: Path
) -> _Judged:
    """Whether the engine can read what came. A model that it cannot is not kept."""
    spec = shelf.spec(engine or offer.engine or guessed_engine(folder, shelf.engines), ref)
    target = shelf.model_folder(spec.name, ref)
    _check_place(target)
    try:
        describe(spec, ModelProfile(ModelRef(ref), spec.name, folder))
    except ModelError:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return _Judged(spec.name, folder, target)


def _check_place(target: Path) -> None:
    if target.exists():
        raise NameTaken(f"{target} exists already", context={"name": target.name})


def _move(judged: _Judged) -> None:
    try:
        judged.target.parent.mkdir(parents=True, exist_ok=True)
        judged.folder.replace(judged.target)
    except OSError as error:
        raise InstallError(
            f"{judged.target} cannot be made: {error.strerror}",
            hint="Check that the data folder is writable.",
        ) from error
