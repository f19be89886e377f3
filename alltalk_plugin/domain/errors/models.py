"""What can go wrong with a model."""

from __future__ import annotations

from alltalk_plugin.domain.errors.base import AlltalkError


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


class EngineMissing(ModelError):
    """The engine's own libraries are not installed anywhere; context: engine, wanted."""

    code = "engine_missing"
    default_hint = "Install it: 'alltalk-plugin engine install NAME'."


class RemoteError(ModelError):
    """A speech server elsewhere did not do its part; context: url (without secrets), status."""

    code = "remote_failed"
    default_hint = "Look into that server's log; it is asked again by itself."


class RemoteRefused(RemoteError):
    """It wants another key, or none of ours may speak there."""

    code = "remote_refused"
    default_hint = "Set the environment variable that the model's option key_env names to a valid key."


class RemoteBusy(RemoteError):
    """It asks for patience; context: retry_after_s where it said."""

    code = "remote_busy"
    default_hint = "The server limits requests; it is asked again later by itself."


class RemoteUnavailable(RemoteError):
    """Nobody answers there, or nobody has lately, so that it is not asked for a while."""

    code = "remote_unavailable"
    default_hint = "Start that server, or correct the model's option base_url."
