"""What a model's files say, asked of its engine's spec, which may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from alltalk_plugin.domain.engines import EngineSpec, ModelDescription
from alltalk_plugin.domain.errors import (
    AlltalkError,
    ModelError,
    ModelIncompatible,
    ModelNotFound,
    RequestError,
)
from alltalk_plugin.domain.models import Device, MemoryEstimate, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.settings.nearest import did_you_mean
from alltalk_plugin.settings.schema import ModelSettings


def model_profile(ref: str, model: ModelSettings) -> ModelProfile:
    """What the settings say about a model, as the engines want it."""
    return ModelProfile(
        ref=ModelRef(ref),
        engine=model.engine,
        path=model.path,
        device=Device(model.device),
        options=MappingProxyType(dict(model.options)),
        pinned=model.pinned,
        idle_ttl_s=model.idle_ttl_s,
    )


def engine_named(name: str, engines: Mapping[str, EngineSpec], model: str) -> EngineSpec:
    """Raises: ModelNotFound with the nearest name."""
    if (spec := engines.get(name)) is None:
        raise ModelNotFound(
            f"no engine is called {name!r}{did_you_mean(name, engines)}",
            hint="Correct the model's engine in the settings, or install the plugin that brings it"
            " ('alltalk-plugin engine list' names those there are).",
            context={"model": model, "engine": name},
        )
    return spec


def engine_of(profile: ModelProfile, engines: Mapping[str, EngineSpec]) -> EngineSpec:
    """The engine of a model that the settings ask nothing impossible of; reads no files.

    Raises: ModelNotFound when nobody registered its engine, ModelIncompatible for an option the engine
    lacks or of the wrong kind.
    """
    spec = engine_named(profile.engine, engines, profile.ref)
    _check_options(spec, profile)
    return spec


def settings_fault(profile: ModelProfile, engines: Mapping[str, EngineSpec]) -> AlltalkError | None:
    """Why the model is broken by what the settings say of it; None when it is not."""
    try:
        engine_of(profile, engines)
    except (ModelNotFound, ModelIncompatible) as error:
        return error
    return None


def describe(spec: EngineSpec, profile: ModelProfile) -> ModelDescription:
    """Raises: ModelNotFound, ModelCorrupt, ModelIncompatible, UnsafeCheckpoint; ModelError for a spec that
    fails in another way."""
    _check_options(spec, profile)
    if profile.path is not None:
        _check_there(profile.path)
    try:
        return spec.describe(profile)
    except AlltalkError:
        raise
    except Exception as error:
        raise _failed(spec, profile, error) from error


def estimate(spec: EngineSpec, profile: ModelProfile) -> MemoryEstimate:
    """Raises: as `describe`."""
    _check_options(spec, profile)
    try:
        return spec.estimate(profile)
    except AlltalkError:
        raise
    except Exception as error:
        raise _failed(spec, profile, error) from error


def guessed_engine(path: Path, engines: Mapping[str, EngineSpec]) -> str:
    """The one engine that knows the files at `path`.

    Raises: ModelNotFound when nothing is there, RequestError when no engine knows it, or several do.
    """
    _check_there(path)
    reasons: dict[str, str] = {}
    known = []
    for name, spec in engines.items():
        try:
            files = describe(spec, ModelProfile(ref=ModelRef(path.name), engine=name, path=path)).files
        except AlltalkError as error:
            reasons[name] = error.message
            continue
        if files:
            known.append(name)
    if len(known) == 1:
        return known[0]
    if known:
        raise RequestError(
            f"{path} could be a model of {' or '.join(known)}", hint="Say which with --engine."
        )
    told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    raise RequestError(f"{path} is a model of no engine here ({told})", hint="Name its engine with --engine.")


def _check_options(spec: EngineSpec, profile: ModelProfile) -> None:
    for name, value in profile.options.items():
        field = spec.options.get(name)
        if field is not None and _is_of(field.kind, value):
            continue
        if field is None:
            fault = f"has no option {name!r}{did_you_mean(name, spec.options)}"
        else:
            fault = f"wants a {field.kind.__name__} as its option {name!r}"  # a value may be a secret
        known = ", ".join(sorted(spec.options)) or "none"
        raise ModelIncompatible(
            f"the engine {spec.name!r} of the model {profile.ref!r} {fault}",
            hint=f"Correct models.{profile.ref}.options in the settings; the engine's options: {known}.",
            context={"model": profile.ref, "option": name},
        )


def _is_of(kind: type[OptionValue], value: OptionValue) -> bool:
    """Whether an option has its kind; a whole number is a number, and true is no number."""
    return type(value) is kind or (kind is float and type(value) is int)


def _check_there(path: Path) -> None:
    if not path.exists():
        raise ModelNotFound(
            f"there is nothing at {path}", hint="Check the model's path.", context={"path": str(path)}
        )


def _failed(spec: EngineSpec, profile: ModelProfile, error: Exception) -> ModelError:
    return ModelError(
        f"the engine {spec.name} could not look at {profile.ref}: {error}",
        hint="This is a fault of the engine's plugin: report it there.",
        context={"model": profile.ref, "engine": spec.name},
    )
