"""From a model's name to what is known of it before it is loaded."""

from __future__ import annotations

import difflib
import hashlib
import json
import threading
from collections.abc import Callable, Mapping

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import AlltalkError, ModelError, ModelNotFound
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef
from alltalk_plugin.domain.ports import Clock
from alltalk_plugin.library.looking import engine_of, settings_fault
from alltalk_plugin.swap.effects import ModelFacts

FRESH_S = 1.0
"""How long a look at a model's files is believed; changed files are seen within this, and a lease on a
loaded model costs no disk access."""


class Catalog:
    """Resolves names. Thread-safe; may read file headers."""

    def __init__(
        self,
        profiles: Callable[[], Mapping[ModelRef, ModelProfile]],
        engines: Mapping[str, EngineSpec],
        clock: Clock,
    ) -> None:
        self._profiles = profiles
        self._engines = engines
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[ModelRef, tuple[float, ModelFacts]] = {}

    def facts(self, ref: ModelRef, *, fresh: bool = False) -> ModelFacts:
        """Raises: ModelNotFound, and what the engine finds wrong with the files."""
        profile = self.profile(ref)
        now = self._clock.monotonic()
        with self._lock:
            seen = self._known.get(ref)
        if not fresh and seen is not None and seen[1].profile == profile and now - seen[0] < FRESH_S:
            return seen[1]
        facts = self._look(profile)
        with self._lock:
            self._known[ref] = (now, facts)
        return facts

    def known(self, ref: ModelRef) -> ModelFacts | None:
        """What the last look found, without looking."""
        with self._lock:
            seen = self._known.get(ref)
        return seen[1] if seen is not None else None

    def profile(self, ref: ModelRef) -> ModelProfile:
        """Raises: ModelNotFound with the nearest name."""
        profiles = self._profiles()
        profile = profiles.get(ref)
        if profile is None:
            nearest = next(iter(difflib.get_close_matches(ref, list(profiles), n=1)), None)
            raise ModelNotFound(
                f"no model is called {ref}" + (f"; did you mean {nearest}?" if nearest else ""),
                context={"model": ref, "nearest": nearest, "phase": "reserve"},
            )
        return profile

    def profiles(self) -> Mapping[ModelRef, ModelProfile]:
        return self._profiles()

    def fault(self, profile: ModelProfile) -> AlltalkError | None:
        """Why the settings leave the model no way to load; looks at no files."""
        return settings_fault(profile, self._engines)

    def usable(self) -> frozenset[ModelRef]:
        """The models that somebody may ask for; looks at no files."""
        return frozenset(ref for ref, profile in self._profiles().items() if self.fault(profile) is None)

    def _look(self, profile: ModelProfile) -> ModelFacts:
        spec = engine_of(profile, self._engines)
        try:
            files, estimate = spec.revision(profile), spec.estimate(profile)
        except AlltalkError:
            raise
        except Exception as error:
            raise ModelError(
                f"the engine {spec.name} could not look at {profile.ref}: {error}",
                context={"model": profile.ref, "phase": "reserve"},
            ) from error
        key = ModelKey(profile.engine, profile.ref, _revision(profile, files))
        return ModelFacts(profile, key, estimate)


def _revision(profile: ModelProfile, files: str) -> str:
    """Changes with the files and with everything that a load is told."""
    told = [files, str(profile.path), profile.device, sorted(profile.options.items())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]
