"""A YAML text as plain values, with the line each key stands on.

Scalars follow the YAML 1.2 core schema rather than PyYAML's 1.1: only `true` and `false` are booleans, so
`no` is Norwegian and `on` a word; `1:30` and `2024-01-01` are text. Keys are always text: a character may
be called `404` or `null`. Anchors and aliases work, merge keys (`<<`) do not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from alltalk_plugin.domain.errors import SettingsError

KeyPath = tuple[str | int, ...]
"""Keys from the root to a value; list items by index."""

_DEEPEST = 32  # no setting is nested deeper than 4; more is an alias that holds itself


@dataclass(frozen=True, slots=True)
class Document:
    """`values` as plain Python; `lines` from key path to line, counted from 1."""

    values: dict[str, object]
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int | None:
        """The line of `path`, or of the nearest key above it that the text has."""
        for length in range(len(path), 0, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return line
        return None


class _Loader(yaml.SafeLoader):
    """Safe, with fewer surprises in plain scalars."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own protocol; filled below


_PLAIN = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        "-+.0123456789",
    ),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
}
for _tag, (_shape, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_shape})\Z"), list(_first))

_NOT_TEXT = re.compile("|".join(rf"(?:{shape})\Z" for shape, _ in _PLAIN.values()))


def plain_means_itself(text: str) -> bool:
    """Whether `text` written without quotes is read back as that text rather than as a number or such."""
    return _NOT_TEXT.match(text) is None


def compose(text: str) -> yaml.Node | None:
    """The text's nodes with their places; an alias is a scalar where it stands, not what it stands for.

    Raises: yaml.YAMLError.
    """
    return _PlacedLoader(text).get_single_node()


class _PlacedLoader(_Loader):
    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]  # PyYAML's parser has no types
            return yaml.ScalarNode("alias", event.anchor, event.start_mark, event.end_mark)
        return super().compose_node(parent, index)  # type: ignore[arg-type]  # typeshed forbids None


def parse(text: str, file: str) -> Document:
    """Read one YAML document whose top is a mapping; an empty text is an empty mapping.

    Raises: SettingsError with `file` and the line, for a syntax error or a key that stands twice.
    """
    lines: dict[KeyPath, int] = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document({}, lines)
        if not isinstance(node, yaml.MappingNode):
            raise _error(file, 1, "", "the file must consist of keys and values")
        return Document(_mapping(loader, node, (), lines, file), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _error(file, line, "", f"not valid YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        # The reader's errors have no mark: a control character, for example.
        raise _error(file, 1, "", f"not valid YAML: {' '.join(str(error).split())}") from error


def _mapping(
    loader: _Loader, node: yaml.MappingNode, path: KeyPath, lines: dict[KeyPath, int], file: str
) -> dict[str, object]:
    values: dict[str, object] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _error(file, key_node.start_mark.line + 1, _dotted(path), "a key must be plain text")
        line = key_node.start_mark.line + 1
        here = (*path, key_node.value)
        if key_node.value in values:
            raise _error(file, line, _dotted(here), f"the key stands on line {lines[here]} already")
        lines[here] = line
        values[key_node.value] = _value(loader, value_node, here, lines, file)
    return values


def _value(loader: _Loader, node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], file: str) -> object:
    if len(path) > _DEEPEST:
        raise _error(file, node.start_mark.line + 1, _dotted(path[:3]), "nested too deeply")
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines, file)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            here = (*path, index)
            lines[here] = item.start_mark.line + 1
            items.append(_value(loader, item, here, lines, file))
        return items
    try:
        return loader.construct_object(node)
    except (ValueError, KeyError) as error:
        # PyYAML's constructors for "!!int x" and "!!bool x".
        what = f"does not fit its type {node.tag.rpartition(':')[2]}"
        raise _error(file, node.start_mark.line + 1, _dotted(path), what) from error


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)


def _error(file: str, line: int, key: str, what: str) -> SettingsError:
    where = f"{key}: " if key else ""
    return SettingsError(
        f"{file}, line {line}: {where}{what}", context={"file": file, "line": line, "key": key}
    )
