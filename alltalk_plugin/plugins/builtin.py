"""What this package itself brings, through the same hooks as everybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from alltalk_plugin.adapters import plain, text_generation_webui
from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.hosts import HostAdapter
from alltalk_plugin.domain.ports import LanguageDetector
from alltalk_plugin.engines.specs import BUILT_IN
from alltalk_plugin.plugins import hookimpl
from alltalk_plugin.plugins.registries import NamedRegistrar, Registrar
from alltalk_plugin.text.detectors import Cld2Detector, LinguaDetector
from alltalk_plugin.text.language import LangidDetector, NoDetector


@hookimpl
def alltalk_register_engines(registry: Registrar[EngineSpec]) -> None:
    for spec in BUILT_IN:
        registry.register(spec)


@hookimpl
def alltalk_register_hosts(registry: Registrar[HostAdapter]) -> None:
    registry.register(plain.ADAPTER)
    registry.register(text_generation_webui.ADAPTER)


@hookimpl
def alltalk_register_language_detectors(registry: NamedRegistrar[Callable[[], LanguageDetector]]) -> None:
    registry.register("py3langid", LangidDetector)
    registry.register("lingua", LinguaDetector)
    registry.register("lingua-low", partial(LinguaDetector, low_accuracy=True))
    registry.register("pycld2", Cld2Detector)
    registry.register("none", NoDetector)
