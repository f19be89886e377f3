"""What a plugin may not be: the mistakes that would otherwise show as silence."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from alltalk_plugin.plugins import hookspecs
from alltalk_plugin.plugins.registries import Check
from alltalk_plugin.settings.nearest import did_you_mean

if TYPE_CHECKING:
    import pluggy

PREFIX = "alltalk_"
HOOKS = tuple(sorted(name for name in vars(hookspecs) if name.startswith(PREFIX)))


def unusable(implementations: Mapping[str, pluggy.HookImpl]) -> str | None:
    """Why the plugin cannot be called at all: a coroutine or generator would do nothing, unnoticed."""
    for hook, impl in implementations.items():
        function = impl.function
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            return f"{hook} is async; hooks are called without an event loop"
        if impl.wrapper or impl.hookwrapper or inspect.isgeneratorfunction(function):
            return f"{hook} is a generator or wrapper; hooks are called one by one as plain functions"
    return None


def misspelt(implementations: Mapping[str, pluggy.HookImpl], known: Collection[str]) -> Iterator[str]:
    """Marked functions that no hook is called like."""
    for name, impl in implementations.items():
        if name not in known and not impl.optionalhook:
            yield f"there is no hook {name}{did_you_mean(name, HOOKS)}"


def unmarked(plugin: object, implementations: Collection[str]) -> Iterator[str]:
    """Functions named like a hook that the plugin forgot to mark."""
    for name in HOOKS:
        if name not in implementations and callable(getattr(plugin, name, None)):
            yield f"{name} is not marked with @hookimpl and is never called"


def instance_of(kind: type) -> Check:
    def check(item: object) -> str | None:
        return None if isinstance(item, kind) else f"must be {kind.__name__}, not {type(item).__name__}"

    return check


def is_callable(item: object) -> str | None:
    return None if callable(item) else "must be a function without parameters"


def settings_schema(item: object) -> str | None:
    if not (isinstance(item, type) and issubclass(item, BaseModel)):
        return "must be a pydantic model class"
    try:
        item()
    except ValidationError:
        return "must have a default for every key"
    return None
