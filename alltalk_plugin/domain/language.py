"""Language tags: BCP 47 in its usual form (`en`, `en-GB`, `zh-Hans`)."""

from __future__ import annotations

import re
from typing import NewType

LanguageTag = NewType("LanguageTag", str)

_SHAPE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*\Z")


# Individual languages that engines and detectors name where others name the macrolanguage (RFC 5646,
# 2.2.2, and the language subtag registry), and the retired codes that some still use.
_SAME = {"nb": "no", "nn": "no", "cmn": "zh", "arb": "ar", "fil": "tl", "iw": "he", "in": "id", "ji": "yi"}


def language_tag(text: str) -> LanguageTag:
    """`text` as a tag in canonical case (RFC 5646, 2.1.1): `EN_us` gives `en-US`.

    Raises: ValueError when it has not the shape of a tag.
    """
    if not _SHAPE.match(text):
        raise ValueError(f"not a BCP 47 language tag: {text!r}")
    first, *rest = text.replace("_", "-").split("-")
    parts = [first.lower()]
    for part in rest:
        if len(part) == 4 and part.isalpha():
            parts.append(part.title())
        elif len(part) == 2 and part.isalpha():
            parts.append(part.upper())
        else:
            parts.append(part.lower())
    return LanguageTag("-".join(parts))


def base_language(tag: LanguageTag) -> LanguageTag:
    """The primary language alone: `pt-BR` gives `pt`."""
    return LanguageTag(tag.split("-", 1)[0])


def same_language(one: LanguageTag, other: LanguageTag) -> bool:
    """Whether two tags name the same primary language, whatever their region or script (nb and no do)."""
    first, second = base_language(one), base_language(other)
    return _SAME.get(first, first) == _SAME.get(second, second)
