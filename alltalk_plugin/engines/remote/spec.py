"""What the service knows of a remote model without asking its server."""

from __future__ import annotations

from types import MappingProxyType

from alltalk_plugin.domain.engines import EngineSpec, EngineVoice, ModelDescription
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import CPU, MemoryEstimate, ModelProfile
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.engines.remote.languages import unspoken_reason
from alltalk_plugin.engines.remote.options import OPTIONS, read_options

MB = 1_000_000
WORKER_BYTES = 48 * MB
"""Interpreter, numpy, http.client and TLS: 19 MB of its own, 36 with the pages of libraries' files, which
count where the system does not tell them apart (Linux x86_64, Python 3.11, 2026-11-23), and a third more for
other platforms and versions."""
ANSWER_BYTES = 30 * MB
"""Raw audio takes 1 MB on its way. MP3 and the like are held whole: 4 MB measured for a sentence, and room
for two minutes, encoded and decoded."""
MAX_CHARS = 4_000
"""OpenAI refuses more than 4,096; nothing that is spoken here comes near."""


def estimate(profile: ModelProfile) -> MemoryEstimate:
    """The worker only: the model's own memory is another machine's. Raises: ModelIncompatible."""
    read_options(profile.options)  # what can never work is refused before anything is released for it
    return MemoryEstimate(CPU, peak_bytes=ANSWER_BYTES, steady_bytes=ANSWER_BYTES, context_bytes=WORKER_BYTES)


def revision(_profile: ModelProfile) -> str:
    """Nothing is here that could change; the options are part of every revision anyway."""
    return ""


def speaks(profile: ModelProfile, _voice: VoiceProfile, language: LanguageTag) -> str | None:
    """What the option languages says; a server that is down is no reason, as that passes."""
    try:
        return unspoken_reason(language, read_options(profile.options).languages)
    except ModelIncompatible as error:
        return error.message


def describe(profile: ModelProfile) -> ModelDescription:
    """What the settings say. `discovery.discover` asks the server itself. Raises: ModelIncompatible."""
    options = read_options(profile.options)
    voices = (EngineVoice(options.voice, options.voice, options.languages),) if options.voice else ()
    return ModelDescription(voices=voices, languages=options.languages)


def cautions(profile: ModelProfile) -> tuple[str, ...]:
    """A key that travels unencrypted."""
    options = read_options(profile.options)
    if not options.key_in_clear:
        return ()
    return (f"the key goes to {options.endpoint.url} unencrypted: use https, or a server on this machine",)


SPEC = EngineSpec(
    name="remote",
    entry="alltalk_plugin.engines.remote.engine:create",
    distributions=("numpy>=2.0", "soundfile>=0.13"),
    max_chars=MAX_CHARS,
    estimate=estimate,
    revision=revision,
    speaks=speaks,
    options=MappingProxyType(dict(OPTIONS)),
    describe=describe,
    cautions=cautions,
)
