"""A settings file read, checked, and every fault told with its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args, get_origin

from loguru import logger
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from alltalk_plugin.domain.errors import ContextValue, SettingsError
from alltalk_plugin.settings.document import Document, KeyPath, parse
from alltalk_plugin.settings.found import FoundSource, with_found
from alltalk_plugin.settings.nearest import did_you_mean
from alltalk_plugin.settings.references import Problem, reference_problems
from alltalk_plugin.settings.schema import Settings

PluginSections = Mapping[str, type[BaseModel]]
"""Name -> schema of the settings sections that plugins registered."""

_SHOWN = 5  # faults told in one message; the rest are counted


def load_settings(
    path: Path,
    *,
    must_exist: bool = False,
    plugin_sections: PluginSections | None = None,
    found: FoundSource | None = None,
) -> Settings:
    """The settings of `path`; the defaults when there is no such file.

    `must_exist` is for a file the user named: its absence is an error then. What `found` sees lies beneath
    what the file defines.

    Raises: SettingsError; context: file, line, key (of the first fault), faults.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        if must_exist:
            raise SettingsError(
                f"there is no settings file {path}",
                hint="Check the name given with --settings.",
                context={"file": str(path)},
            ) from error
        text = ""
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path} is not UTF-8 text: {error.reason} at byte {error.start}",
            hint="Save the file as UTF-8.",
            context={"file": str(path)},
        ) from error
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}", context={"file": str(path)}
        ) from error
    return read_settings(text, path, plugin_sections=plugin_sections, found=found)


def read_settings(
    text: str,
    file: Path,
    *,
    plugin_sections: PluginSections | None = None,
    found: FoundSource | None = None,
) -> Settings:
    """The settings that `text` means as the content of `file`; relative paths count from its folder.

    Raises: SettingsError.
    """
    document = parse(text, str(file))
    context = {"folder": file.absolute().parent}
    sections, problems = _plugin_values(document, plugin_sections or {}, context)
    try:
        settings = Settings.model_validate({**document.values, "plugins": sections}, context=context)
    except ValidationError as error:
        raise _settings_error(file, document, [*_schema_problems(error, Settings, ()), *problems]) from error
    if found is not None:
        settings = with_found(
            settings, found, own_models=_names(document, "models"), own_voices=_names(document, "voices")
        )
    problems.extend(reference_problems(settings))
    if problems:
        raise _settings_error(file, document, problems)
    return settings


def _names(document: Document, section: str) -> frozenset[str]:
    """The names that the file itself defines there."""
    given = document.values.get(section)
    return frozenset(given) if isinstance(given, dict) else frozenset()


def _plugin_values(
    document: Document, schemas: PluginSections, context: dict[str, Path]
) -> tuple[dict[str, BaseModel], list[Problem]]:
    given = document.values.get("plugins")
    if given is not None and not isinstance(given, dict):
        return {}, [(("plugins",), "must be a section with keys of its own")]
    given = given or {}
    for name in given.keys() - schemas.keys():
        # No error: a plugin that is broken or was uninstalled must not take speech down with it.
        logger.warning(
            "settings for a plugin that is not there",
            plugin=name,
            line=document.line(("plugins", name)),
            known=sorted(schemas),
        )
    sections: dict[str, BaseModel] = {}
    problems: list[Problem] = []
    for name, schema in schemas.items():
        value = given.get(name)
        try:
            sections[name] = schema.model_validate({} if value is None else value, context=context)
        except ValidationError as error:
            problems.extend(_schema_problems(error, schema, ("plugins", name)))
    return sections, problems


def _settings_error(file: Path, document: Document, problems: Iterable[Problem]) -> SettingsError:
    by_line = sorted(((document.line(path) or 0), path, what) for path, what in dict.fromkeys(problems))
    told = [
        f"{f'line {line}: ' if line else ''}{'.'.join(str(part) for part in path)}: {what}"
        for line, path, what in by_line
    ]
    more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    line, path, _ = by_line[0]
    context: dict[str, ContextValue] = {
        "file": str(file),
        "line": line or None,
        "key": ".".join(str(part) for part in path),
        "faults": len(told),
    }
    return SettingsError(f"{file}, {'; '.join(told[:_SHOWN])}{more}", context=context)


def _schema_problems(error: ValidationError, schema: type[BaseModel], above: KeyPath) -> list[Problem]:
    return [_problem(details, schema, above) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, schema: type[BaseModel], above: KeyPath) -> Problem:
    loc = details["loc"]
    path: KeyPath = (*above, *loc)
    found = details["input"]
    match details["type"]:
        case "extra_forbidden":
            known = _keys_at(schema, loc[:-1])
            return path, f"unknown key{did_you_mean(str(loc[-1]), known)}"
        case "missing":
            return path, "is missing"
        case "string_type" if isinstance(found, bool | int | float):
            return path, f"must be text; write it in quotes: '{_as_yaml(found)}'"
        case "model_type" | "model_attributes_type" | "dict_type":
            return path, "must be a section with keys of its own"
        case "bool_type" | "int_type" | "float_type" | "string_type" if "options" in loc:
            # A union reports each of its members; their names are no keys.
            return path[:-1], "must be text, a number, true or false"
        case _:
            return path, _in_words(details)


def _in_words(details: ErrorDetails) -> str:
    message = details["msg"].removeprefix("Value error, ").replace("Input should be", "must be", 1)
    found = details["input"]
    # Nothing that may be a secret is repeated; long values would hide the message.
    if "token" in details["loc"] or not isinstance(found, bool | int | float | str) or len(str(found)) > 40:
        return message
    return message if repr(found) in message else f"{message}, not {found!r}"


def _as_yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _keys_at(schema: type[BaseModel], path: KeyPath) -> tuple[str, ...]:
    """The keys a section may have."""
    here: object = schema
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = field.annotation if field else None
        elif get_origin(here) is dict:
            here = get_args(here)[1]
    return tuple(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else ()
