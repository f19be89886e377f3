"""The light side: what the service knows of the engine. Standard library and alltalk_plugin only.

A worker cannot import this module: `alltalk_plugin.plugins` needs a package that the worker lacks.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from alltalk_formant import __version__
from alltalk_formant.voices import ENGLISH, SAMPLE_RATE_HZ, SPEAKERS
from alltalk_plugin.domain.engines import (
    EngineEnvironment,
    EngineSpec,
    EngineVoice,
    InstallStep,
    ModelDescription,
    NumberReading,
    OptionField,
)
from alltalk_plugin.domain.language import LanguageTag, same_language
from alltalk_plugin.domain.models import CPU, MemoryEstimate, ModelProfile
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.plugins import hookimpl
from alltalk_plugin.plugins.registries import Registrar


def estimate(_profile: ModelProfile) -> MemoryEstimate:
    """Upper bound. A model with weights reads their size from its files; this one has none.

    The worker is an interpreter with numpy: 16 MB of its own, 28 where the system counts libraries in it, and
    half as much again for other platforms.
    """
    return MemoryEstimate(CPU, peak_bytes=8_000_000, steady_bytes=8_000_000, context_bytes=45_000_000)


def revision(_profile: ModelProfile) -> str:
    """Changes whenever the sound may: with a model's files, here with the package."""
    return __version__


def describe(_profile: ModelProfile) -> ModelDescription:
    voices = tuple(EngineVoice(speaker, name, (ENGLISH,)) for speaker, name in SPEAKERS.items())
    return ModelDescription(voices=voices, languages=(ENGLISH,), sample_rate_hz=SAMPLE_RATE_HZ)


def speaks(_profile: ModelProfile, voice: VoiceProfile, language: LanguageTag) -> str | None:
    """None, or the reason that the user will read. Asked for every segment: be quick."""
    if voice.speaker is not None and voice.speaker not in SPEAKERS:
        return f"the formant engine has no speaker {voice.speaker!r}"
    if not same_language(language, ENGLISH):
        return f"the formant engine speaks English, not {language}"
    return None


SPEC = EngineSpec(
    name="formant",
    entry="alltalk_formant.engine:create",
    # What the engine needs where it runs. Where all of it is installed in the service's environment, it runs
    # there; else 'alltalk-plugin engine install formant' makes an environment of its own.
    distributions=("alltalk-formant", "numpy==2.3.5"),
    environment=EngineEnvironment(
        lock=Path(__file__).with_name("lock.txt"),
        steps=(InstallStep(("alltalk-formant", "numpy")),),
        size_mb=90,
        tried=("linux-x86_64",),
    ),
    max_chars=500,
    estimate=estimate,
    revision=revision,
    describe=describe,
    speaks=speaks,
    # Digits are said one by one, so numbers are to be written out in words before they come here.
    numbers=lambda _profile: NumberReading.NONE,
    options=MappingProxyType(
        {"breath": OptionField(float, 0.05, "how much breath is in the voice, from 0 to 1")}
    ),
)


@hookimpl
def alltalk_register_engines(registry: Registrar[EngineSpec]) -> None:
    registry.register(SPEC)
