"""The engines that come with the package."""

from __future__ import annotations

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.engines import espeak_spec
from alltalk_plugin.engines.coqui import spec as coqui
from alltalk_plugin.engines.kokoro import spec as kokoro
from alltalk_plugin.engines.piper import spec as piper
from alltalk_plugin.engines.remote import spec as remote

BUILT_IN: tuple[EngineSpec, ...] = (espeak_spec.SPEC, coqui.SPEC, piper.SPEC, kokoro.SPEC, remote.SPEC)
