"""Values changed in a YAML text. Everything else stays byte for byte: comments, order, spelling, spacing.

The parser tells where each key and value stands, and only those places are rewritten. (A round trip
through a YAML library was tried: it moves the comment above a section into the section before it when a
key is added there, loses the comments after a key that is taken out, and respaces the rest.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from alltalk_plugin.settings.document import compose, plain_means_itself

SettingValue = bool | int | float | str | Sequence["SettingValue"] | Mapping[str, "SettingValue"] | None
"""What can be written; None takes the key out, so that its default holds again."""

_WORD = re.compile(r"[^\W_][\w./-]*(?: [\w./-]+)*\Z")  # plain text that no YAML syntax can be in


class NotASection(Exception):
    """A key path leads through a value that has no keys; `path` is up to that value."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(".".join(path))
        self.path = path


def edit(text: str, changes: Mapping[tuple[str, ...], SettingValue]) -> str:
    """`text` (lines ending in a newline character) with each key path set to its value.

    Sections that are missing are made.

    Raises: yaml.YAMLError for a text that is not YAML, NotASection.
    """
    for path, value in changes.items():
        text = _edit_one(text, path, value)
    return text


@dataclass(frozen=True, slots=True)
class _Pair:
    key: yaml.Node
    value: yaml.Node

    @property
    def start(self) -> int:
        return self.key.start_mark.index


def _edit_one(text: str, path: tuple[str, ...], value: SettingValue) -> str:
    root = compose(text)
    if root is None:
        new = None if value is None else _block(path, value, 0, 2)
        return _with_newline(text) + new + "\n" if new else text
    if not isinstance(root, yaml.MappingNode):
        raise NotASection(())
    step = next(_steps(root), 2)
    section = root
    for depth, name in enumerate(path):
        rest = path[depth:]
        pair = _find(section, name)
        if pair is None:
            return text if value is None else _insert(text, section, rest, value, step)
        if len(rest) == 1:
            if value is None:
                return _remove(text, section, pair)
            return _replace(text, section, pair, rest, value, step=step)
        if isinstance(pair.value, yaml.MappingNode) and (pair.value.value or section.flow_style):
            section = pair.value
        elif pair.value.tag.endswith(":null") or isinstance(pair.value, yaml.MappingNode):
            return text if value is None else _replace(text, section, pair, rest, value, step=step)
        else:
            raise NotASection(path[: depth + 1])
    return text


def _find(section: yaml.MappingNode, name: str) -> _Pair | None:
    return next((_Pair(key, value) for key, value in section.value if key.value == name), None)


def _insert(
    text: str, section: yaml.MappingNode, rest: tuple[str, ...], value: SettingValue, step: int
) -> str:
    if section.flow_style:
        new = _flow_pair(rest, value)
        if section.value:
            at = _end(text, section.value[-1][1])
            return f"{text[:at]}, {new}{text[at:]}"
        return f"{text[: section.start_mark.index]}{{{new}}}{text[section.end_mark.index :]}"
    column = section.start_mark.column
    at = _line_end(text, _end(text, section.value[-1][1]))
    return f"{_with_newline(text[:at])}{' ' * column}{_block(rest, value, column, step)}\n{text[at:]}"


def _replace(
    text: str,
    section: yaml.MappingNode,
    pair: _Pair,
    rest: tuple[str, ...],
    value: SettingValue,
    *,
    step: int,
) -> str:
    start, end = pair.value.start_mark.index, _end(text, pair.value)
    if section.flow_style:
        new = _flow(value) if len(rest) == 1 else f"{{{_flow_pair(rest[1:], value)}}}"
        return text[:start] + _spaced(text, start) + new + text[end:]
    one_line = len(rest) == 1 and not (isinstance(value, Mapping) and value)
    if one_line and "\n" not in text[start:end]:
        return text[:start] + _spaced(text, start) + _flow(value) + text[end:]
    column = pair.key.start_mark.column
    return text[: pair.start] + _block(rest, value, column, step) + text[max(end, start) :]


def _remove(text: str, section: yaml.MappingNode, pair: _Pair) -> str:
    if not section.flow_style:
        start = text.rfind("\n", 0, pair.start) + 1
        return text[:start] + text[_line_end(text, _end(text, pair.value)) :]
    place = next(i for i, (key, _) in enumerate(section.value) if key is pair.key)
    if place:
        return text[: _end(text, section.value[place - 1][1])] + text[_end(text, pair.value) :]
    after = section.value[1][0].start_mark.index if len(section.value) > 1 else _end(text, pair.value)
    return text[: pair.start] + text[after:]


def _end(text: str, node: yaml.Node) -> int:
    """Where a value's own text ends; the parser lets blocks run on over blank lines and comments."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(text, node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(text, node.value[-1])
    start, end = node.start_mark.index, node.end_mark.index
    return start + len(text[start:end].rstrip())


def _line_end(text: str, at: int) -> int:
    """The start of the line after the one that `at` is in."""
    return text.find("\n", at) + 1 or len(text)


def _spaced(text: str, at: int) -> str:
    return " " if text[at - 1] == ":" else ""  # a key without a value


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _steps(section: yaml.MappingNode) -> Iterator[int]:
    """The indentation that each block section adds to the one around it."""
    for _, value in section.value:
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            yield value.start_mark.column - section.start_mark.column
            yield from _steps(value)


def _block(path: Sequence[str], value: SettingValue, column: int, step: int) -> str:
    """`path: value` over as many lines as it has keys; the first line without its indentation."""
    key, *rest = path
    if rest:
        return f"{_scalar(key)}:\n{' ' * (column + step)}{_block(rest, value, column + step, step)}"
    if not isinstance(value, Mapping) or not value:
        return f"{_scalar(key)}: {_flow(value)}"
    below = [
        f"\n{' ' * (column + step)}{_block((name,), inner, column + step, step)}"
        for name, inner in value.items()
        if inner is not None
    ]
    return f"{_scalar(key)}:{''.join(below)}"


def _flow_pair(path: Sequence[str], value: SettingValue) -> str:
    key, *rest = path
    return f"{_scalar(key)}: {f'{{{_flow_pair(rest, value)}}}' if rest else _flow(value)}"


def _flow(value: SettingValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _scalar(value)
        case Mapping():
            return f"{{{', '.join(f'{_scalar(key)}: {_flow(inner)}' for key, inner in value.items())}}}"
        case _:
            return f"[{', '.join(_flow(item) for item in value)}]"


def _scalar(text: str) -> str:
    if _WORD.match(text) and plain_means_itself(text):
        return text
    quoted = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf"))
    return str(quoted).removesuffix("\n")
