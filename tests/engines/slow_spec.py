"""The light side of the engine that costs something (tests/engines/slow.py)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from alltalk_plugin.domain.engines import EngineSpec, OptionField
from alltalk_plugin.domain.models import CPU, MemoryEstimate, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.workers.supervisor import WorkerEnvironment, own_environment

SLOW_FOLDER = Path(__file__).resolve().parent
MB = 1_000_000
WORKER_BYTES = 50 * MB
"""Interpreter and numpy: 30 MB measured (Linux x86_64, Python 3.11, numpy 2.4), and room for others."""


def estimate(profile: ModelProfile) -> MemoryEstimate:
    touched = int(float(profile.options.get("touch_mb", 0)) * MB)
    imported = int(float(profile.options.get("import_mb", 0)) * MB)
    return MemoryEstimate(
        CPU, peak_bytes=touched, steady_bytes=touched, context_bytes=WORKER_BYTES + imported
    )


SLOW = EngineSpec(
    name="slow",
    entry="slow:create",
    distributions=(),
    max_chars=10_000,
    estimate=estimate,
    revision=lambda _profile: "1",
    speaks=lambda _profile, _voice, _language: None,
    warm_spare=True,
    options=MappingProxyType(
        {
            "load_s": OptionField(float, 0.0, "busy time of a load", "s"),
            "speak_s": OptionField(float, 0.0, "busy time of an utterance", "s"),
            "touch_mb": OptionField(float, 0.0, "memory that is written to", "MB"),
            "import_mb": OptionField(float, 0.0, "memory of the import, for the estimate", "MB"),
            "fault": OptionField(str, "", "load_KIND, verify_KIND or unload_KIND; see slow.py"),
            "fault_at": OptionField(float, 0.5, "how much of the load is done before a fault of it"),
            "reached": OptionField(str, "", "a file that appears when a load has come to fault_at"),
            "fault_file": OptionField(str, "", "a file that says the fault, so that it can change"),
        }
    ),
)
COLD = replace(SLOW, name="slow_cold", warm_spare=False)
"""The same without spare workers."""


def slow_profile(ref: str, *, engine: str = "slow", **options: OptionValue) -> ModelProfile:
    return ModelProfile(ModelRef(ref), engine, options=options)


def slow_environment(_spec: EngineSpec) -> WorkerEnvironment:
    """The service's own, with the folder that has the engine."""
    return own_environment((SLOW_FOLDER,))
