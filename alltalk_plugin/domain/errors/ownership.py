"""Owning, reaching and starting the service of a data folder."""

from __future__ import annotations

from alltalk_plugin.domain.errors.base import AlltalkError


class OwnershipError(AlltalkError):
    """This process cannot own, reach or start the service of the data folder."""

    code = "ownership_failed"


class DataFolderUnusable(OwnershipError):
    code = "data_folder_unusable"
    default_hint = "Choose a writable local folder with --home or ALLTALK_PLUGIN_HOME."


class LockUnavailable(OwnershipError):
    code = "lock_unavailable"
    default_hint = "The folder's file system cannot lock files; choose a local folder with --home."


class OwnedElsewhere(OwnershipError):
    """Another live process owns the data folder; context: pid, address."""

    code = "owned_elsewhere"
    default_hint = "Use the service that runs already, or stop it first."


class VersionMismatch(OwnershipError):
    """The running service is of another version; context: ours, theirs."""

    code = "version_mismatch"
    default_hint = "Stop the old service so that the new version can start."


class PortTaken(OwnershipError):
    code = "port_taken"
    default_hint = "Choose another --port, or leave it out to get a free one."


class ServiceUnreachable(OwnershipError):
    code = "service_unreachable"
    default_hint = "Run 'alltalk-plugin doctor'; look into the log file it names."
