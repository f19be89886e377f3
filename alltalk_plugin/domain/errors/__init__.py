"""Every error this package raises, on one screen.

    AlltalkError
    ├── SettingsError                 settings_invalid
    │   └── SettingsWriteError        settings_not_written
    ├── PluginError                   plugin_failed
    ├── RequestError                  bad_request
    │   ├── TextTooLong               text_too_long
    │   ├── TokenRequired             token_required
    │   ├── OriginForbidden           origin_forbidden
    │   ├── HostNameForbidden         host_name_forbidden
    │   ├── BodyTooLarge              body_too_large
    │   ├── PathUnknown               path_unknown
    │   ├── SwapUnknown               swap_unknown
    │   └── HostUnknown               host_unknown
    ├── SpeechError                   speech_failed
    │   ├── NothingToSay              nothing_to_say
    │   ├── SpeechOff                 speech_off
    │   ├── VoiceNotFound             voice_not_found
    │   ├── LanguageUnsupported       language_unsupported
    │   ├── ReferenceUnusable         reference_unusable
    │   ├── DeadlineExceeded          deadline_exceeded
    │   ├── TooManyReplies            too_many_replies
    │   └── Cancelled                 cancelled
    ├── ModelError                    model_failed
    │   ├── ModelNotFound             not_found
    │   ├── ModelCorrupt              corrupt
    │   ├── ModelIncompatible         incompatible
    │   ├── UnsafeCheckpoint          unsafe_checkpoint
    │   ├── ModelTooBig               too_big
    │   ├── OutOfMemory               oom
    │   ├── ModelTimeout              timeout
    │   ├── WorkerCrashed             crash
    │   ├── SelfTestFailed            selftest_failed
    │   ├── SynthesisFailed           synthesis_failed
    │   ├── BusyTimeout               busy_timeout
    │   ├── Cooldown                  cooldown
    │   ├── RetryLater                retry_later
    │   ├── QueueFull                 queue_full
    │   ├── Superseded                superseded
    │   ├── SwapCancelled             swap_cancelled
    │   ├── EngineMissing             engine_missing
    │   └── RemoteError               remote_failed
    │       ├── RemoteRefused         remote_refused
    │       ├── RemoteBusy            remote_busy
    │       └── RemoteUnavailable     remote_unavailable
    ├── InstallError                  install_failed
    │   ├── DownloadFailed            download_failed
    │   ├── HashMismatch              hash_mismatch
    │   ├── TermsNotAccepted          terms_not_accepted
    │   └── NameTaken                 name_taken
    ├── AudioError                    audio_failed
    │   ├── AudioNotFound             audio_not_found
    │   ├── FormatUnsupported         format_unsupported
    │   └── StoreFailed               store_failed
    └── OwnershipError                ownership_failed
        ├── DataFolderUnusable        data_folder_unusable
        ├── LockUnavailable           lock_unavailable
        ├── OwnedElsewhere            owned_elsewhere
        ├── VersionMismatch           version_mismatch
        ├── PortTaken                 port_taken
        └── ServiceUnreachable        service_unreachable

`code` is a stable slug for programs, `hint` one sentence that says what the user can do, `context`
what was known at the place that failed. Nobody may match on the message text.
"""

from __future__ import annotations

from alltalk_plugin.domain.errors.base import (
    AlltalkError,
    ContextValue,
    PluginError,
    SettingsError,
    SettingsWriteError,
)
from alltalk_plugin.domain.errors.installing import (
    DownloadFailed,
    HashMismatch,
    InstallError,
    NameTaken,
    TermsNotAccepted,
)
from alltalk_plugin.domain.errors.models import (
    BusyTimeout,
    Cooldown,
    EngineMissing,
    ModelCorrupt,
    ModelError,
    ModelIncompatible,
    ModelNotFound,
    ModelTimeout,
    ModelTooBig,
    OutOfMemory,
    QueueFull,
    RemoteBusy,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
    RetryLater,
    SelfTestFailed,
    Superseded,
    SwapCancelled,
    SynthesisFailed,
    UnsafeCheckpoint,
    WorkerCrashed,
)
from alltalk_plugin.domain.errors.ownership import (
    DataFolderUnusable,
    LockUnavailable,
    OwnedElsewhere,
    OwnershipError,
    PortTaken,
    ServiceUnreachable,
    VersionMismatch,
)
from alltalk_plugin.domain.errors.requests import (
    BodyTooLarge,
    HostNameForbidden,
    HostUnknown,
    OriginForbidden,
    PathUnknown,
    RequestError,
    SwapUnknown,
    TextTooLong,
    TokenRequired,
)
from alltalk_plugin.domain.errors.speech import (
    AudioError,
    AudioNotFound,
    Cancelled,
    DeadlineExceeded,
    FormatUnsupported,
    LanguageUnsupported,
    NothingToSay,
    ReferenceUnusable,
    SpeechError,
    SpeechOff,
    StoreFailed,
    TooManyReplies,
    VoiceNotFound,
)

__all__ = [
    "AlltalkError",
    "AudioError",
    "AudioNotFound",
    "BodyTooLarge",
    "BusyTimeout",
    "Cancelled",
    "ContextValue",
    "Cooldown",
    "DataFolderUnusable",
    "DeadlineExceeded",
    "DownloadFailed",
    "EngineMissing",
    "FormatUnsupported",
    "HashMismatch",
    "HostNameForbidden",
    "HostUnknown",
    "InstallError",
    "LanguageUnsupported",
    "LockUnavailable",
    "ModelCorrupt",
    "ModelError",
    "ModelIncompatible",
    "ModelNotFound",
    "ModelTimeout",
    "ModelTooBig",
    "NameTaken",
    "NothingToSay",
    "OriginForbidden",
    "OutOfMemory",
    "OwnedElsewhere",
    "OwnershipError",
    "PathUnknown",
    "PluginError",
    "PortTaken",
    "QueueFull",
    "ReferenceUnusable",
    "RemoteBusy",
    "RemoteError",
    "RemoteRefused",
    "RemoteUnavailable",
    "RequestError",
    "RetryLater",
    "SelfTestFailed",
    "ServiceUnreachable",
    "SettingsError",
    "SettingsWriteError",
    "SpeechError",
    "SpeechOff",
    "StoreFailed",
    "Superseded",
    "SwapCancelled",
    "SwapUnknown",
    "SynthesisFailed",
    "TermsNotAccepted",
    "TextTooLong",
    "TokenRequired",
    "TooManyReplies",
    "UnsafeCheckpoint",
    "VersionMismatch",
    "VoiceNotFound",
    "WorkerCrashed",
    "all_error_types",
    "error_from_code",
]


def all_error_types() -> tuple[type[AlltalkError], ...]:
    """Every class of the tree, the root first; tables over errors are checked against it."""
    found: list[type[AlltalkError]] = [AlltalkError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return tuple(dict.fromkeys(found))


def error_from_code(
    code: str, message: str, *, hint: str | None = None, context: dict[str, ContextValue] | None = None
) -> AlltalkError:
    """The error a code names, rebuilt on this side of a pipe or of HTTP; an unknown code gives the root."""
    for kind in all_error_types():
        if kind.code == code:
            return kind(message, hint=hint, context=context)
    return AlltalkError(message, hint=hint, context={**(context or {}), "foreign_code": code})
