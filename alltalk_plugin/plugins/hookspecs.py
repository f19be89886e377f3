"""Every hook, each with when it is called, with what, and what may come back.

A plugin is a module or object with functions of these names, marked with `hookimpl` and named by an
entry point in the group `alltalk_plugin`. A function takes only the parameters it needs. Ordinary
functions only: no coroutines, no generators, no hook wrappers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pydantic import BaseModel

    from alltalk_plugin.domain.engines import EngineSpec
    from alltalk_plugin.domain.filters import AudioEffect, TextFilter
    from alltalk_plugin.domain.hosts import HostAdapter
    from alltalk_plugin.domain.models import SwapRecord
    from alltalk_plugin.domain.ports import LanguageDetector
    from alltalk_plugin.domain.speech import Reply, Segment, SpokenReply
    from alltalk_plugin.domain.voices import VoiceProfile
    from alltalk_plugin.plugins.registries import NamedRegistrar, Registrar

PROJECT = "alltalk_plugin"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --- registration: called once, when the plugin is loaded -----------------------------------------------


@hookspec
def alltalk_register_engines(registry: Registrar[EngineSpec]) -> None:
    """Offer engines with `registry.register(spec)`; our own come in through this hook too.

    A spec is light: the engine itself is imported in a worker, by the spec's `entry`. All implementations
    are called. A name that is taken is refused.
    """


@hookspec
def alltalk_register_hosts(registry: Registrar[HostAdapter]) -> None:
    """Offer adapters for chat hosts with `registry.register(adapter)`.

    The adapter's `output_modifier` is called for each reply, from a request's thread; when it fails the
    host gets its text unchanged. All implementations are called. A name that is taken is refused.
    """


@hookspec
def alltalk_register_text_filters(registry: Registrar[TextFilter]) -> None:
    """Offer changes to the text that is spoken with `registry.register(text_filter)`.

    A filter gets the clean text of one segment and gives it back changed; an empty string leaves the
    segment out. It must be pure and quick, and is called from several threads. When it raises or gives
    something else than text, the segment goes on unchanged. All implementations are called.
    """


@hookspec
def alltalk_register_audio_effects(registry: Registrar[AudioEffect]) -> None:
    """Offer changes to finished speech with `registry.register(effect)`; voice conversion belongs here.

    An effect gets the samples of one segment (float32, mono, about -1 to 1) and their rate in Hz, and
    gives float32 mono samples of the same rate. It is called from several threads. When it raises or
    gives something else, the speech goes on unchanged. All implementations are called.
    """


@hookspec
def alltalk_register_language_detectors(registry: NamedRegistrar[Callable[[], LanguageDetector]]) -> None:
    """Offer language detectors with `registry.register(name, factory)`; `languages.detector` chooses one.

    The factory is called once, if the settings choose it. `warm()` starts loading what the detector needs
    and returns at once. A detector that raises has no opinion. All implementations are called. A name that
    is taken is refused.
    """


@hookspec
def alltalk_register_settings(registry: NamedRegistrar[type[BaseModel]]) -> None:
    """Offer a section of the settings with `registry.register(name, schema)`.

    The user writes it under `plugins: {name: …}`; the plugin reads `settings.plugins[name]`. The schema is
    a pydantic model that has a default for every key. All implementations are called. A name that is
    taken is refused.
    """


# --- decision: called for each segment ------------------------------------------------------------------


@hookspec(firstresult=True)
def alltalk_choose_voice(segment: Segment, candidates: tuple[VoiceProfile, ...]) -> VoiceProfile | None:
    """Choose who speaks a segment; None is no opinion, and the first opinion counts.

    `candidates` are the voices that can speak the segment's language, the one that would speak without
    any plugin first. The answer must be one of them, anything else is ignored. Not called when the caller
    named a voice. Called from a reply's thread, before any audio of the segment exists: be quick.
    """


# --- observers: told afterwards, all of them ------------------------------------------------------------


@hookspec
def alltalk_reply_spoken(reply: Reply, result: SpokenReply) -> None:
    """A reply was spoken; `result` has its clips, what was skipped and how fast it went.

    Called from the reply's thread when its audio is complete. What it raises is logged.
    """


@hookspec
def alltalk_model_state_changed(record: SwapRecord) -> None:
    """A line was written to the journal: a model was loaded, verified, released, rolled back, and so on.

    Called from the thread that owns the models, which does nothing else meanwhile: hand longer work to a
    thread of your own. What it raises is logged.
    """
