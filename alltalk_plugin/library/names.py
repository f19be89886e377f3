"""Which names models and voices may have: they become names of files and folders on every system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from alltalk_plugin.domain.errors import NameTaken, RequestError

LONGEST = 80
"""With the folders around it and the files in it a path stays under Windows' 260 characters."""
_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = frozenset(
    (
        "con",
        "prn",
        "aux",
        "nul",
        *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"),
    )
)


def name_fault(name: str) -> str | None:
    """Why `name` cannot be one, or None when it can."""
    if not any(map(str.isalnum, name)):
        return "it has no letter or digit"
    if len(name) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if strange := sorted({letter for letter in name if _strange(letter)}):
        return f"it may not hold {', '.join(map(_shown, strange))}"
    if name != name.strip() or name.startswith((".", "-")) or name.endswith("."):
        return "it may not begin with a blank, a dot or a hyphen, nor end with a blank or a dot"
    if name.split(".", maxsplit=1)[0].strip().casefold() in _RESERVED:
        return "Windows keeps that name for itself"
    if name != unicodedata.normalize("NFC", name):
        return "its letters are not in composed form (Unicode NFC)"
    return None


def checked_name(name: str, what: str) -> str:
    """`name` in composed form (macOS takes it apart in file names). Raises: RequestError."""
    name = unicodedata.normalize("NFC", name)
    if (fault := name_fault(name)) is not None:
        raise RequestError(
            f"{name!r} cannot be the name of a {what}: {fault}",
            hint="Use letters, digits, blanks, dots, hyphens and the like.",
            context={"name": name},
        )
    return name


def usable_name(text: str) -> str | None:
    """The name that comes nearest to a word of somebody else's; None when there is none."""
    kept = "".join("_" if _strange(letter) else letter for letter in text)
    name = unicodedata.normalize("NFC", kept).strip()
    return name if name_fault(name) is None else None


def check_free(name: str, taken: Iterable[str], what: str) -> None:
    """Raises: NameTaken, also where only upper and lower case differ: some file systems ignore that."""
    for other in taken:
        if other.casefold() == name.casefold():
            raise NameTaken(f"there is a {what} {other!r} already", context={"name": other})


def _strange(letter: str) -> bool:
    # Control and format characters: the second kind turns text around or hides in it.
    return letter in _FORBIDDEN or unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}


def _shown(letter: str) -> str:
    return letter if letter in _FORBIDDEN else f"U+{ord(letter):04X}"
