"""Plugins loaded, checked, asked and told, each behind its own guard: none can break another or us."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint, entry_points

import pluggy
from loguru import logger
from pydantic import BaseModel

from alltalk_plugin import __version__
from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import PluginError
from alltalk_plugin.domain.filters import AudioEffect, TextFilter
from alltalk_plugin.domain.hosts import HostAdapter
from alltalk_plugin.domain.models import SwapRecord
from alltalk_plugin.domain.ports import LanguageDetector
from alltalk_plugin.domain.speech import Reply, Segment, SpokenReply
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.plugins import checks, hookspecs
from alltalk_plugin.plugins.guards import GuardedDetector, guarded_effect, guarded_filter
from alltalk_plugin.plugins.registries import NamedRegistrar, OrderedRegistry, Registrar, Registry

ENTRY_POINTS = "alltalk_plugin"  # the group strangers declare
BUILTIN = "builtin"  # our own, through the same hooks


@dataclass(frozen=True, slots=True)
class PluginListing:
    """A plugin as people see it: the hooks it implements, and what is wrong with it, if anything."""

    name: str
    version: str
    hooks: tuple[str, ...]
    error: str | None


@dataclass(slots=True)
class _Loaded:
    name: str
    version: str
    hooks: tuple[str, ...] = ()
    errors: list[str] = field(default_factory=list)


class Plugins:
    """Everything plugins offer. Filled by one thread at start-up; calls are thread-safe afterwards."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._loaded: list[_Loaded] = []
        self._engines = Registry[EngineSpec]("engine", checks.instance_of(EngineSpec))
        self._hosts = Registry[HostAdapter]("host", checks.instance_of(HostAdapter))
        self.text_filters = OrderedRegistry[TextFilter]("text filter", checks.instance_of(TextFilter))
        self.audio_effects = OrderedRegistry[AudioEffect]("audio effect", checks.instance_of(AudioEffect))
        self.language_detectors = Registry[Callable[[], GuardedDetector]](
            "language detector", checks.is_callable
        )
        self._settings_sections = Registry[type[BaseModel]]("settings section", checks.settings_schema)

    @property
    def engines(self) -> Mapping[str, EngineSpec]:
        return self._engines.items_by_name

    @property
    def hosts(self) -> Mapping[str, HostAdapter]:
        return self._hosts.items_by_name

    @property
    def settings_sections(self) -> Mapping[str, type[BaseModel]]:
        return self._settings_sections.items_by_name

    def add(self, name: str, plugin: object, version: str = "") -> None:
        """Take in a plugin. What is wrong with it is logged and listed, never raised."""
        loaded = _Loaded(name, version)
        self._loaded.append(loaded)
        if self._manager.has_plugin(name) or self._manager.is_registered(plugin):
            _blame(loaded, PluginError(f"a plugin '{name}', or this one by another name, is loaded already"))
            return
        try:
            self._manager.register(plugin, name)
        except Exception as error:  # noqa: BLE001 - a plugin call: its attributes are looked at
            # Hooks before the wrong one are in by now.
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            _blame(loaded, error)
            return
        callers = self._manager.get_hookcallers(plugin) or []
        own = {caller.name: _of_plugin(caller, plugin) for caller in callers}
        if (fault := checks.unusable(own)) is not None:
            self._manager.unregister(plugin)
            _blame(loaded, PluginError(fault))
            return
        known = {caller.name for caller in callers if caller.has_spec()}
        for fault in (*checks.misspelt(own, known), *checks.unmarked(plugin, own)):
            _blame(loaded, PluginError(fault))
        loaded.hooks = tuple(sorted(known))
        for hook in loaded.hooks:
            try:
                self._register(hook, name, own[hook].function)
            except Exception as error:  # noqa: BLE001 - a plugin call
                _blame(loaded, error)

    def add_entry_point(self, entry_point: EntryPoint) -> None:
        """Import and take in an installed plugin; a failure is logged and listed, never raised."""
        version = entry_point.dist.version if entry_point.dist is not None else ""
        try:
            plugin = entry_point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin call: its import
            loaded = _Loaded(entry_point.name, version)
            self._loaded.append(loaded)
            _blame(loaded, error)
            return
        self.add(entry_point.name, plugin, version)

    def listing(self) -> tuple[PluginListing, ...]:
        """Every plugin that was found, in the order of loading."""
        return tuple(
            PluginListing(one.name, one.version, one.hooks, "; ".join(one.errors) or None)
            for one in self._loaded
        )

    def choose_voice(self, segment: Segment, candidates: tuple[VoiceProfile, ...]) -> VoiceProfile | None:
        """The first opinion of a plugin that is one of the candidates; None when there is none."""
        for impl in self._implementations("alltalk_choose_voice"):
            chosen = _call(impl, {"segment": segment, "candidates": candidates})
            if chosen is None:
                continue
            for candidate in candidates:
                if candidate == chosen:
                    return candidate
            logger.warning("plugin chose a voice that is no candidate", plugin=impl.plugin_name)
        return None

    def reply_spoken(self, reply: Reply, result: SpokenReply) -> None:
        """Tell every plugin; each failure is logged and mutes nobody else."""
        for impl in self._implementations("alltalk_reply_spoken"):
            _call(impl, {"reply": reply, "result": result})

    def model_state_changed(self, record: SwapRecord) -> None:
        """Tell every plugin; each failure is logged and mutes nobody else."""
        for impl in self._implementations("alltalk_model_state_changed"):
            _call(impl, {"record": record})

    def _implementations(self, hook: str) -> Iterator[pluggy.HookImpl]:
        """In calling order. One by one, since pluggy's own call ends at the first that raises."""
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return reversed(caller.get_hookimpls())

    def _register(self, hook: str, plugin: str, function: Callable[..., object]) -> None:
        match hook:
            case "alltalk_register_engines":
                engines = Registrar[EngineSpec](plugin, self._engines.refuse)
                function(engines)
                self._engines.take(plugin, engines.offered)
            case "alltalk_register_hosts":
                hosts = Registrar[HostAdapter](plugin, self._hosts.refuse)
                function(hosts)
                self._hosts.take(plugin, hosts.offered)
            case "alltalk_register_text_filters":
                filters = Registrar[TextFilter](plugin, self.text_filters.refuse)
                function(filters)
                self.text_filters.take(
                    plugin, {name: guarded_filter(plugin, item) for name, item in filters.offered.items()}
                )
            case "alltalk_register_audio_effects":
                effects = Registrar[AudioEffect](plugin, self.audio_effects.refuse)
                function(effects)
                self.audio_effects.take(
                    plugin, {name: guarded_effect(plugin, item) for name, item in effects.offered.items()}
                )
            case "alltalk_register_language_detectors":
                detectors = NamedRegistrar[Callable[[], LanguageDetector]](
                    plugin, self.language_detectors.refuse
                )
                function(detectors)
                self.language_detectors.take(
                    plugin,
                    {
                        name: partial(GuardedDetector, plugin, name, factory)
                        for name, factory in detectors.offered.items()
                    },
                )
            case "alltalk_register_settings":
                sections = NamedRegistrar[type[BaseModel]](plugin, self._settings_sections.refuse)
                function(sections)
                self._settings_sections.take(plugin, sections.offered)
            case _:
                return  # decisions and observers have nothing to register


def load_plugins(installed: Iterable[EntryPoint] | None = None) -> Plugins:
    """Our own plugin and every installed one (`installed`: those of this environment), by name."""
    from alltalk_plugin.plugins import builtin  # brings engines and adapters in; tests of Plugins need none

    plugins = Plugins()
    plugins.add(BUILTIN, builtin, __version__)
    if (broken := plugins.listing()[0].error) is not None:
        raise PluginError(f"our own plugin is broken: {broken}", hint="Install alltalk-plugin anew.")
    found = entry_points(group=ENTRY_POINTS) if installed is None else installed
    for entry_point in sorted(found, key=lambda one: (one.name, one.value)):
        plugins.add_entry_point(entry_point)
    return plugins


def _of_plugin(caller: pluggy.HookCaller, plugin: object) -> pluggy.HookImpl:
    return next(impl for impl in caller.get_hookimpls() if impl.plugin is plugin)


def _call(impl: pluggy.HookImpl, arguments: Mapping[str, object]) -> object:
    """What an implementation answers; None, and a log line, when it raises."""
    try:
        return impl.function(*(arguments[name] for name in impl.argnames))
    except Exception as error:  # noqa: BLE001 - a plugin call
        logger.warning(
            "plugin failed", plugin=impl.plugin_name, hook=impl.function.__name__, error=type(error).__name__
        )
        logger.opt(exception=error).debug("plugin failed")
        return None


def _blame(loaded: _Loaded, error: BaseException) -> None:
    fault = error.message if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
    loaded.errors.append(fault)
    logger.warning("plugin has a fault", plugin=loaded.name, version=loaded.version, fault=fault)
