"""Whether a model has the letters of a text. Standard library only.

A model of letters drops every character it was not trained with: of a text in another script nothing or
noise is left, and no error.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from alltalk_plugin.domain.errors import LanguageUnsupported
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.scripts import letters_by_script

STRAY_SHARE = 1 / 3
"""Up to this share of unknown letters are left out (a foreign name in a sentence), as with eSpeak; with
more, leaving them out would leave no sentence."""


def words_in(text: str) -> str:
    """The letters and digits of a text."""
    return "".join(char for char in text if unicodedata.category(char)[0] == "L" or char.isdecimal())


def clean(text: str) -> str:
    """A text without what no tokenizer should see: control characters, halves of characters."""
    kept = (" " if unicodedata.category(char) in {"Cc", "Cs", "Cn", "Zl", "Zp"} else char for char in text)
    return " ".join("".join(kept).split())


def check_letters(cleaned: str, known: Collection[str], language: LanguageTag | None) -> None:
    """See that a model can say most of a text, given as its own cleaner leaves it.

    Raises: LanguageUnsupported.
    """
    letters = words_in(cleaned)
    unknown = [char for char in letters if char not in known]
    if not letters or len(unknown) <= STRAY_SHARE * len(letters):
        return
    scripts = letters_by_script("".join(unknown))
    script = scripts.most_common(1)[0][0].value if scripts else "digit"
    reason = f"the model was trained without most of this text's {script} characters"
    raise LanguageUnsupported(reason, context={"language": language, "reason": reason})
