"""The settings an adapter shows in its host: what they are now, and what a change of one means. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from alltalk_plugin.domain.errors import RequestError
from alltalk_plugin.domain.hosts import SettingField, SettingsHooks, SettingValue
from alltalk_plugin.settings.nearest import did_you_mean
from alltalk_plugin.settings.schema import Entry, HostSettings, Settings
from alltalk_plugin.settings.store import Key
from alltalk_plugin.voices.characters import find_character

Path = tuple[str, ...]

ENTRIES = "entries"
_KIND_NAMES = {bool: "bool", int: "int", float: "float", str: "str", dict: ENTRIES}
_ENTRY: TypeAdapter[str] = TypeAdapter(Entry)
_HOST_DEFAULTS = HostSettings().model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Slot:
    """A field as one host's user sees it now. `key` is what a change names; `optional` allows "" for none."""

    key: str
    path: Path
    label: str
    kind: str
    choices: tuple[str, ...]
    help: str
    value: SettingValue
    optional: bool


def slots(hooks: SettingsHooks, settings: Settings, character: str | None) -> tuple[Slot, ...]:
    """Every field with its value; those about a character only when there is one."""
    known = dict(hooks.read()) if hooks.read is not None else settings.model_dump(mode="json")
    return tuple(
        slot for field in hooks.fields for slot in _expanded(field, settings, known, character, hooks)
    )


def changes(
    hooks: SettingsHooks, settings: Settings, character: str | None, values: Mapping[str, SettingValue]
) -> dict[Key, SettingValue]:
    """The paths of the settings file that `values` change; None takes an entry out.

    Raises: RequestError for a key that is not shown, or a value that is not offered.
    """
    shown = {slot.key: slot for slot in slots(hooks, settings, character)}
    found: dict[Key, SettingValue] = {}
    for key, value in values.items():
        slot = shown.get(key)
        if slot is None:
            raise RequestError(
                f"this host has no setting {key!r}{did_you_mean(key, shown)}", context={"key": key}
            )
        if (slot.kind == ENTRIES) is not isinstance(value, Mapping):
            raise RequestError(f"{slot.label}: this is not the kind of value it has", context={"key": key})
        if isinstance(value, Mapping):
            found |= _word_changes(slot, value)
        elif slot.optional and value in ("", None):
            found[_entry(slot.path, settings)] = None
        elif slot.choices and value not in slot.choices:
            raise RequestError(
                f"{slot.label}: {value!r} is not one of {', '.join(slot.choices)}", context={"key": key}
            )
        else:
            found[slot.path] = value
    return found


def _expanded(
    field: SettingField,
    settings: Settings,
    known: Mapping[str, Any],
    character: str | None,
    hooks: SettingsHooks,
) -> Iterator[Slot]:
    voices = tuple(settings.voices)
    if hooks.read is not None:
        yield _slot(field, voices, path=(field.key,), value=known.get(field.key))
    elif "{character}" in field.key:
        if character:
            entry = find_character(settings, character)
            name = entry.name if entry else character
            path = tuple(name if part == "{character}" else part for part in field.key.split("."))
            yield _slot(
                field, voices, path=path, value=_value(known, path), names={"character": name}, optional=True
            )
    elif "{voice}" in field.key:
        for voice in voices:
            path = tuple(voice if part == "{voice}" else part for part in field.key.split("."))
            yield _slot(
                field,
                voices,
                key=".".join(path),
                path=path,
                value=_value(known, path, field.kind),
                names={"voice": voice},
            )
    elif field.key.endswith(".*"):
        above = tuple(field.key.split(".")[:-1])
        for tag in _languages(field, settings, known, above):
            path = (*above, tag)
            yield _slot(
                field,
                voices,
                key=".".join(path),
                path=path,
                value=_value(known, path, field.kind),
                names={"language": tag},
                optional=field.kind is not dict,
            )
    else:
        path = tuple(field.key.split("."))
        yield _slot(field, voices, path=path, value=_value(known, path))


def _languages(
    field: SettingField, settings: Settings, known: Mapping[str, Any], above: Path
) -> tuple[str, ...]:
    """The candidates; a list of words may be for others too (en-US)."""
    if field.kind is not dict:
        return settings.languages.candidates
    return tuple(dict.fromkeys((*settings.languages.candidates, *_section(known, above))))


def _slot(
    field: SettingField,
    voices: tuple[str, ...],
    *,
    path: Path,
    key: str = "",
    value: SettingValue,
    names: Mapping[str, str] | None = None,
    optional: bool = False,
) -> Slot:
    choices = voices if field.choices_from == "voices" else field.choices
    return Slot(
        key=key or field.key,
        path=path,
        label=field.label.format(**(names or {})),
        kind=_KIND_NAMES[field.kind],
        choices=("", *choices) if optional else choices,
        help=field.help,
        value=value,
        optional=optional,
    )


def _value(known: Mapping[str, Any], path: Path, kind: type | None = None) -> SettingValue:
    if kind is dict:
        return dict(_section(known, path))
    found = _section(known, path[:-1]).get(path[-1])
    if found is None and path[0] == "hosts":
        found = _HOST_DEFAULTS.get(path[-1])
    return found if isinstance(found, (str, int, float, bool)) else None


def _section(known: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    found: Any = known
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _word_changes(slot: Slot, changed: Mapping[str, str | None]) -> dict[Key, SettingValue]:
    """Each word by itself, so that the lines of the others stay as their owner wrote them.

    Raises: RequestError for a word that cannot be an entry.
    """
    for word in changed:
        try:
            _ENTRY.validate_python(word)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise RequestError(
                f"{slot.label}: {word!r} cannot be an entry: {reason}",
                hint="Nothing was changed.",
                context={"key": slot.key},
            ) from error
    before = slot.value if isinstance(slot.value, Mapping) else {}
    after = {word for word, said in {**before, **changed}.items() if said is not None}
    if not after:  # a language or a voice without a word would not be valid
        return {slot.path: None} if before else {}
    return {(*slot.path, word): said for word, said in changed.items() if before.get(word) != said}


def _entry(path: Path, settings: Settings) -> Path:
    """What to take out so that `path` has no value: a character is nothing without its voice.

    Raises: RequestError when that would throw away more than was asked.
    """
    if path[0] != "characters":
        return path
    entry = settings.characters.get(path[1])
    if entry is not None and entry.model_fields_set - {"voice"}:
        raise RequestError(
            f"{path[1]} has more settings than a voice; they would be lost",
            hint="Edit the settings file to take the character out.",
        )
    return path[:2]
