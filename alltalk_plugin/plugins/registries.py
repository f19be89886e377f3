"""What plugins offer, by name and with who offered it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from alltalk_plugin.domain.errors import PluginError, SettingsError
from alltalk_plugin.settings.nearest import did_you_mean


class Named(Protocol):
    """An item that brings its own name."""

    @property
    def name(self) -> str: ...


class Ordered(Named, Protocol):
    @property
    def order(self) -> int: ...


T = TypeVar("T")
N = TypeVar("N", bound=Named)
O = TypeVar("O", bound=Ordered)  # noqa: E741 - one letter like its neighbours

Check = Callable[[object], str | None]
"""What is wrong with an item; None when nothing is."""


class Registry(Generic[T]):
    """Items of one kind. Filled at start-up by one thread, read by all afterwards."""

    def __init__(self, kind: str, check: Check) -> None:
        self.kind = kind
        self.check = check
        self._items: dict[str, T] = {}
        self._owners: dict[str, str] = {}

    @property
    def items_by_name(self) -> Mapping[str, T]:
        return MappingProxyType(self._items)

    def get(self, name: str) -> T:
        """The item the settings name. Raises: SettingsError with the nearest name."""
        if name not in self._items:
            raise SettingsError(
                f"there is no {self.kind} '{name}'{did_you_mean(name, self._items)}",
                hint="Correct the name in the settings, or install the plugin that brings it.",
                context={"key": name},
            )
        return self._items[name]

    def refuse(self, plugin: str, name: object, item: object) -> None:
        """Raises: PluginError for an unusable name or item, or one that is taken."""
        if not isinstance(name, str) or not name:
            raise PluginError(f"{self.kind} needs a name, not {name!r}", context={"plugin": plugin})
        if (fault := self.check(item)) is not None:
            raise PluginError(f"{self.kind} '{name}' {fault}", context={"plugin": plugin})
        if (owner := self._owners.get(name)) is not None:
            raise PluginError(
                f"{self.kind} '{name}' of plugin '{plugin}' is taken by plugin '{owner}'",
                hint=f"Uninstall '{plugin}' or '{owner}'.",
                context={"plugin": plugin, "taken_by": owner},
            )

    def take(self, plugin: str, items: Mapping[str, T]) -> None:
        """Items that were not refused are the plugin's from now on."""
        self._items.update(items)
        self._owners.update(dict.fromkeys(items, plugin))


class OrderedRegistry(Registry[O]):
    """Items that are applied one after the other."""

    def in_order(self) -> tuple[O, ...]:
        return tuple(sorted(self._items.values(), key=lambda item: (item.order, item.name)))


Refuse = Callable[[str, object, object], None]
"""Plugin, name, item; raises PluginError for what cannot be taken."""


class NamedRegistrar(Generic[T]):
    """A registry as one plugin sees it. Nothing counts until the plugin's whole hook went well."""

    def __init__(self, plugin: str, refuse: Refuse) -> None:
        self._plugin = plugin
        self._refuse = refuse
        self._offered: dict[str, T] = {}

    @property
    def offered(self) -> Mapping[str, T]:
        return MappingProxyType(self._offered)

    def register(self, name: str, item: T) -> None:
        """Offer `item` under `name`. Raises: PluginError."""
        self._refuse(self._plugin, name, item)
        if name in self._offered:
            raise PluginError(
                f"plugin '{self._plugin}' registers '{name}' twice", context={"plugin": self._plugin}
            )
        self._offered[name] = item


class Registrar(Generic[N]):
    """As `NamedRegistrar`, for items that bring their own name."""

    def __init__(self, plugin: str, refuse: Refuse) -> None:
        self._named = NamedRegistrar[N](plugin, refuse)

    @property
    def offered(self) -> Mapping[str, N]:
        return self._named.offered

    def register(self, item: N) -> None:
        """Offer `item`. Raises: PluginError."""
        self._named.register(getattr(item, "name", ""), item)
