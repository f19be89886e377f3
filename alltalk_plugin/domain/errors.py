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
    │   └── SwapCancelled             swap_cancelled
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

from typing import ClassVar

ContextValue = str | int | float | bool | None


class AlltalkError(Exception):
    """The root: a message for people, a code for programs, a hint, and the context of the failure."""

    code: ClassVar[str] = "alltalk_error"
    default_hint: ClassVar[str] = "Run 'alltalk-plugin doctor' and read its first red line."

    def __init__(
        self, message: str, *, hint: str | None = None, context: dict[str, ContextValue] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint
        self.context: dict[str, ContextValue] = dict(context or {})

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments would be lost by the default pickling of exceptions.
        return (_rebuild, (type(self), self.message, self.hint, self.context))


def _rebuild(
    kind: type[AlltalkError], message: str, hint: str, context: dict[str, ContextValue]
) -> AlltalkError:
    return kind(message, hint=hint, context=context)


class SettingsError(AlltalkError):
    """The settings cannot be used; context: file, line, key."""

    code = "settings_invalid"
    default_hint = "Correct the named line; the last good settings stay in force until then."


class SettingsWriteError(SettingsError):
    """A change could not be written to the settings file."""

    code = "settings_not_written"
    default_hint = "Check that the settings file and its folder are writable and the disk is not full."


class PluginError(AlltalkError):
    """A plugin could not be registered or its hook failed; context: plugin, hook."""

    code = "plugin_failed"
    default_hint = "Run 'alltalk-plugin plugins' to see which plugin; uninstall or update it."


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


class SpeechError(AlltalkError):
    """A reply or a segment could not be spoken."""

    code = "speech_failed"


class NothingToSay(SpeechError):
    """The text holds no letter or digit once everything unspeakable is taken out."""

    code = "nothing_to_say"
    default_hint = "Nothing to do: the reply has no words."


class SpeechOff(SpeechError):
    """Speaking is switched off in the settings."""

    code = "speech_off"
    default_hint = "Set speech.activate (and the host's own activate) to true to hear replies."


class VoiceNotFound(SpeechError):
    """No voice of that name; context: voice, nearest."""

    code = "voice_not_found"
    default_hint = "Run 'alltalk-plugin voices' for the names that exist."


class LanguageUnsupported(SpeechError):
    """The engine cannot really speak this language or script; context: language, reason."""

    code = "language_unsupported"
    default_hint = "Give this language a voice on an engine that speaks it (languages: in the settings)."


class DeadlineExceeded(SpeechError):
    """The work did not end in the time it was given; context: deadline_s."""

    code = "deadline_exceeded"
    default_hint = "Raise speech.deadline_s or choose a faster voice."


class TooManyReplies(SpeechError):
    """More replies are being spoken at once than the service allows; context: limit."""

    code = "too_many_replies"
    default_hint = "Wait for a reply to end, or raise speech.max_concurrent_replies."


class Cancelled(SpeechError):
    """The caller went away or said stop."""

    code = "cancelled"
    default_hint = "Nothing to do: the work was stopped on request."


class ModelError(AlltalkError):
    """A model could not be loaded, held, used or released.

    context: phase (reserve, load, verify, drain, unload, synthesize), model, need_bytes, free_bytes,
    attempt, last_good, retry_after_s; each only where known.
    """

    code = "model_failed"
    default_hint = "Read the journal ('alltalk-plugin journal') for what led to it."


class ModelNotFound(ModelError):
    code = "not_found"
    default_hint = "Run 'alltalk-plugin models' for the names that exist and check the model's path."


class ModelCorrupt(ModelError):
    code = "corrupt"
    default_hint = "The model's files are damaged: fetch them again."


class ModelIncompatible(ModelError):
    code = "incompatible"
    default_hint = "This model needs another version of its engine or other options."


class UnsafeCheckpoint(ModelError):
    code = "unsafe_checkpoint"
    default_hint = "The checkpoint holds code, not only weights. Get one from a source you trust."


class ModelTooBig(ModelError):
    code = "too_big"
    default_hint = "It needs more memory than the budget: raise swap.budget_mb or choose a smaller model."


class OutOfMemory(ModelError):
    code = "oom"
    default_hint = "Free memory on the device, or lower swap.budget_mb so that less is kept loaded."


class ModelTimeout(ModelError):
    code = "timeout"
    default_hint = "The model took too long; raise swap.load_timeout_s if the disk is slow."


class WorkerCrashed(ModelError):
    """The process that held the model ended by itself; context: exit_code, last_output."""

    code = "crash"
    default_hint = "The engine's process died; it is started again by itself. Report it if it repeats."


class SelfTestFailed(ModelError):
    code = "selftest_failed"
    default_hint = "The model loads but does not speak; its files or options are wrong."


class SynthesisFailed(ModelError):
    """The engine refused or failed on one piece of text; the model stays usable."""

    code = "synthesis_failed"
    default_hint = "The engine could not speak this text; the rest of the reply is spoken."


class BusyTimeout(ModelError):
    code = "busy_timeout"
    default_hint = "The wanted model had to wait too long for others; try again or raise swap.max_wait_s."


class Cooldown(ModelError):
    code = "cooldown"
    default_hint = "A switch was made just now; wait a little, or use --force."


class RetryLater(ModelError):
    code = "retry_later"
    default_hint = "It is tried again by itself after a while; --force tries now."


class QueueFull(ModelError):
    code = "queue_full"
    default_hint = "Too many requests wait for models; try again later."


class Superseded(ModelError):
    code = "superseded"
    default_hint = "A newer switch took the place of this one."


class SwapCancelled(ModelError):
    code = "swap_cancelled"
    default_hint = "Nothing to do: the switch was cancelled on request."


class AudioError(AlltalkError):
    """Audio could not be encoded, stored or found."""

    code = "audio_failed"


class AudioNotFound(AudioError):
    code = "audio_not_found"
    default_hint = "The audio was deleted by retention or never existed; speak the reply again."


class FormatUnsupported(AudioError):
    code = "format_unsupported"
    default_hint = "Use wav, flac, mp3, opus or ogg."


class StoreFailed(AudioError):
    """The audio could not be written; context: path, errno."""

    code = "store_failed"
    default_hint = "Check free disk space and that the audio folder is writable."


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
