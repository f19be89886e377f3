"""Composition root: settings and plugins in, a running set of parts out. Nothing else makes parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Self

from loguru import logger

from alltalk_plugin.audio.loudness import Leveler
from alltalk_plugin.audio.store import FolderStore
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import EngineSpec, NumberReading
from alltalk_plugin.domain.errors import AlltalkError, ModelError
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.domain.ports import Clock
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.environments.locate import environment_of
from alltalk_plugin.housekeeping import Chore, Housekeeping
from alltalk_plugin.library.folders import DataFolders
from alltalk_plugin.library.looking import engine_of, model_profile, settings_fault
from alltalk_plugin.ownership import Ownership, own
from alltalk_plugin.plugins.manager import Plugins, load_plugins
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.settings.store import SettingsStore
from alltalk_plugin.speech.cache import UtteranceCache
from alltalk_plugin.speech.produce import Workshop
from alltalk_plugin.speech.service import SpeechService
from alltalk_plugin.swap.journal import SqliteJournal
from alltalk_plugin.swap.memory import SystemMemory
from alltalk_plugin.swap.service import SwapService
from alltalk_plugin.text.prepare import ReplyPreparer
from alltalk_plugin.voices.catalog import VoiceCatalog
from alltalk_plugin.voices.router import Router
from alltalk_plugin.workers.supervisor import WorkerLoader

logger.disable("alltalk_plugin")  # a library is silent; entry points switch it on (logs.py)

FLOOR_ENGINE = "espeak"
JOURNAL_FILE = "journal.sqlite"
SETTINGS_FILE = "settings.yaml"


@dataclass(frozen=True, slots=True)
class Understanding:
    """The part that needs no audio: what a reply says and who would speak it."""

    text: ReplyPreparer
    voices: VoiceCatalog
    router: Router


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything that has state, for one data folder. Thread-safe; `close` once, at the end."""

    home: Path
    ownership: Ownership
    settings: SettingsStore
    plugins: Plugins
    journal: SqliteJournal
    loader: WorkerLoader
    models: SwapService
    text: ReplyPreparer
    voices: VoiceCatalog
    router: Router
    audio: FolderStore
    speech: SpeechService
    housekeeping: Housekeeping

    def close(self) -> None:
        """End speech, then models, then workers; give the data folder back."""
        self.housekeeping.close()
        self.speech.close()
        self.models.close()
        self.loader.close()
        self.journal.close()
        self.ownership.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def build_runtime(
    home: Path,
    settings_file: Path | None = None,
    *,
    plugins: Plugins | None = None,
    clock: Clock | None = None,
) -> Runtime:
    """The runtime of the data folder `home`, owned by this process until closed.

    The embedded model starts loading in the background at once, and the language detector with it, so
    that the first reply finds both warm.
    Raises: SettingsError, DataFolderUnusable, LockUnavailable, OwnedElsewhere.
    """
    plugins = plugins if plugins is not None else load_plugins()
    store = open_settings(home, settings_file, plugins)
    ownership = own(home)
    try:
        return _assemble(home, ownership, store, plugins, clock or SystemClock())
    except BaseException:
        ownership.close()
        raise


def open_settings(
    home: Path, settings_file: Path | None, plugins: Plugins, folders: DataFolders | None = None
) -> SettingsStore:
    """The settings of a data folder, with the models and voices that lie in it.

    `folders` is for a caller who wants to know what could not be used there. Raises: SettingsError.
    """
    return SettingsStore(
        settings_file or home / SETTINGS_FILE,
        must_exist=settings_file is not None,
        plugin_sections=plugins.settings_sections,
        found=folders or DataFolders(home, plugins.engines),
    )


def _assemble(
    home: Path, ownership: Ownership, store: SettingsStore, plugins: Plugins, clock: Clock
) -> Runtime:
    def settings() -> Settings:
        return store.current

    understanding = build_understanding(settings, plugins)
    journal = SqliteJournal(home / JOURNAL_FILE)
    loader = WorkerLoader(
        plugins.engines,
        clock=clock,
        environment_of=partial(environment_of, home),
        load_timeout_s=lambda: settings().swap.load_timeout_s,
    )
    models = SwapService(
        profiles=lambda: model_profiles(settings(), plugins.engines),
        engines=plugins.engines,
        loader=loader,
        journal=journal,
        memory=SystemMemory(),
        clock=clock,
        settings=lambda: settings().swap,
        settings_hash=store.hash,
        floor=floor_model(settings(), plugins.engines),
        observers=(plugins.model_state_changed,),
    )

    def reads_numbers(ref: ModelRef) -> NumberReading:
        profile = model_profiles(settings(), plugins.engines).get(ref)
        if profile is None or settings_fault(profile, plugins.engines) is not None:
            return NumberReading.NONE  # gone from the settings while it speaks: everything is written out
        return plugins.engines[profile.engine].numbers(profile)

    def keep_up() -> None:
        """What changed in the settings or the data folder comes into force."""
        if store.reload_if_changed():
            _tell_broken(settings(), plugins.engines)
        models.let_removed_go()

    audio = FolderStore(home / settings().audio.folder, lambda: settings().audio, clock)
    workshop = Workshop(
        router=understanding.router,
        pool=models,
        store=audio,
        clock=clock,
        leveler=Leveler(settings().audio.loudness_dbfs, settings().audio.peak_limit),
        cache=UtteranceCache(settings().speech.cache_mb * 1_000_000),
        settings=settings,
        max_chars=lambda key: plugins.engines[key.engine].max_chars,
        numbers=reads_numbers,
        effects=plugins.audio_effects.in_order(),
    )
    speech = SpeechService(workshop, understanding.text, (plugins.reply_spoken,))
    _tell_broken(settings(), plugins.engines)
    models.start()
    housekeeping = Housekeeping(Chore("settings", 2.0, keep_up), Chore("audio retention", 300.0, audio.sweep))
    understanding.text.warm()
    return Runtime(
        home=home,
        ownership=ownership,
        settings=store,
        plugins=plugins,
        journal=journal,
        loader=loader,
        models=models,
        text=understanding.text,
        voices=understanding.voices,
        router=understanding.router,
        audio=audio,
        speech=speech,
        housekeeping=housekeeping,
    )


def build_understanding(settings: Callable[[], Settings], plugins: Plugins) -> Understanding:
    """Text and voices alone; `explain` needs no more.

    Raises: SettingsError when the settings name a detector that nobody registered.
    """
    detector = plugins.language_detectors.get(settings().languages.detector)()
    text = ReplyPreparer(
        lambda: settings().speech, lambda: settings().languages, detector, plugins.text_filters.in_order()
    )
    catalog = VoiceCatalog(settings)

    def speaks(voice: VoiceProfile, language: LanguageTag) -> str | None:
        profile = model_profiles(settings(), plugins.engines)[voice.model]
        try:
            spec = engine_of(profile, plugins.engines)
        except ModelError as error:
            return error.message
        return spec.speaks(profile, voice, language)

    return Understanding(text, catalog, Router(settings, catalog, speaks, plugins.choose_voice))


def model_profiles(settings: Settings, engines: Mapping[str, EngineSpec]) -> Mapping[ModelRef, ModelProfile]:
    """Every model of the settings, in their order, and the embedded one whether they name it or not; where
    they leave that one no way to load, it is as if they did not name it."""
    profiles = {ModelRef(ref): model_profile(ref, model) for ref, model in settings.models.items()}
    floor = floor_model(settings, engines)
    if floor not in profiles or settings_fault(profiles[floor], engines) is not None:
        profiles[floor] = ModelProfile(ref=floor, engine=FLOOR_ENGINE, pinned=True)
    return MappingProxyType(profiles)


def floor_model(settings: Settings, engines: Mapping[str, EngineSpec]) -> ModelRef:
    """The model that always answers: the first pinned one of the embedded engine that the settings leave a
    way to load, else its plain self."""
    for ref, model in settings.models.items():
        usable = settings_fault(model_profile(ref, model), engines) is None
        if model.engine == FLOOR_ENGINE and model.pinned and usable:
            return ModelRef(ref)
    return ModelRef(FLOOR_ENGINE)


def broken_models(
    settings: Settings, engines: Mapping[str, EngineSpec]
) -> Iterator[tuple[ModelRef, AlltalkError]]:
    """Models whose engine nobody registered, or with an option the engine lacks or of the wrong kind.

    They are broken like models with damaged files: their voices use their fallback, everything else speaks.
    """
    for ref, model in settings.models.items():
        if (fault := settings_fault(model_profile(ref, model), engines)) is not None:
            yield ModelRef(ref), fault


def _tell_broken(settings: Settings, engines: Mapping[str, EngineSpec]) -> None:
    for ref, fault in broken_models(settings, engines):
        logger.warning("model cannot be used", model=ref, code=fault.code, reason=fault.message)
