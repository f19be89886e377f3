"""Bringing engines and models here."""

from __future__ import annotations

from alltalk_plugin.domain.errors.base import AlltalkError


class InstallError(AlltalkError):
    """An engine's environment could not be made or removed; context: engine, step, log."""

    code = "install_failed"
    default_hint = "Run the same command again: what is there already is kept."


class DownloadFailed(InstallError):
    """A file could not be fetched whole; context: url, path, got_bytes, want_bytes."""

    code = "download_failed"
    default_hint = "Run the same command again: it goes on where it stopped."


class HashMismatch(InstallError):
    """A file is not what was promised or recorded; context: path, want_sha256, got_sha256."""

    code = "hash_mismatch"
    default_hint = "The file is damaged or was changed: fetch it again, or check where it came from."


class TermsNotAccepted(InstallError):
    """A model has terms of use that its user has to accept first; context: model, licence."""

    code = "terms_not_accepted"
    default_hint = "Read the terms and repeat the command with --accept-terms."


class NameTaken(InstallError):
    """Another model or voice has that name already; context: name."""

    code = "name_taken"
    default_hint = "Choose another name, or remove the one that has it."
