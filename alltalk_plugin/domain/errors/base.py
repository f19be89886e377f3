"""The root of the tree, and what concerns the program as a whole."""

from __future__ import annotations

from typing import ClassVar

ContextValue = str | int | float | bool | None


class AlltalkError(Exception):
    """The root: a message for people, a code for programs, a hint, and the context of the failure."""

    code: ClassVar[str] = "alltalk_error"
    default_hint: ClassVar[str] = "Run 'alltalk-plugin doctor' and read its first red line."

    def __init__(
        self, message: str, *, hint: str | None = None, context: dict[str, ContextValue] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint
        self.context: dict[str, ContextValue] = dict(context or {})

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments would be lost by the default pickling of exceptions.
        return (_rebuild, (type(self), self.message, self.hint, self.context))


def _rebuild(
    kind: type[AlltalkError], message: str, hint: str, context: dict[str, ContextValue]
) -> AlltalkError:
    return kind(message, hint=hint, context=context)


class SettingsError(AlltalkError):
    """The settings cannot be used; context: file, line, key."""

    code = "settings_invalid"
    default_hint = "Correct the named line; the last good settings stay in force until then."


class SettingsWriteError(SettingsError):
    """A change could not be written to the settings file."""

    code = "settings_not_written"
    default_hint = "Check that the settings file and its folder are writable and the disk is not full."


class PluginError(AlltalkError):
    """A plugin could not be registered or its hook failed; context: plugin, hook."""

    code = "plugin_failed"
    default_hint = "Run 'alltalk-plugin plugins' to see which plugin; uninstall or update it."
