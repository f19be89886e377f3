"""From text to what XTTS speaks: tokens of one language, in pieces it can take. Standard library only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Protocol

from alltalk_plugin.domain.errors import LanguageUnsupported, ModelIncompatible, TextTooLong
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.coqui import languages
from alltalk_plugin.engines.coqui.checkpoint import Checkpoint
from alltalk_plugin.engines.coqui.config import code_for
from alltalk_plugin.engines.coqui.vocabulary import check_letters, clean, words_in
from alltalk_plugin.engines.coqui.xtts_text import parts_of

PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ja": ("cutlet", "unidic_lite"), "zh-cn": ("pypinyin",)}
)
"""What the library imports, besides its own requirements, to write a language in Latin letters. It does so
in the middle of the first utterance."""
UNSPACED = frozenset({"zh-cn", "ja"})
"""Languages that put no space between words."""
USUAL_LIMIT_CHARS = 250
"""What the library takes for a language of which it knows no limit."""


class Tokenizer(Protocol):
    """The part of the library's tokenizer that is used. `lang` is one of the model's words."""

    @property
    def char_limits(self) -> Mapping[str, int]:
        """Longest text that the model speaks to its end, by language without region."""
        ...

    def preprocess_text(self, txt: str, lang: str) -> str:
        """Numbers and signs written out, other scripts in Latin letters where the model wants that."""
        ...

    def encode(self, txt: str, lang: str) -> list[int]: ...


class XttsTokens:
    """Which languages a loaded model really speaks, and its tokens for a text."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        vocabulary: Collection[str],
        checkpoint: Checkpoint,
        *,
        own: LanguageTag | None,
        limit_tokens: int,
    ) -> None:
        """`own`: the language of the settings; `limit_tokens`: the model takes fewer than these.

        Raises: ModelIncompatible when the vocabulary has none of the languages.
        """
        self._tokenizer = tokenizer
        self._checkpoint = checkpoint
        self._own = own
        self._limit_tokens = limit_tokens
        self._codes = tuple(code for code in checkpoint.language_codes if f"[{code}]" in vocabulary)
        self._letters = frozenset(char for word in vocabulary if word[:1] != "[" for char in word)
        if not self._codes:
            raise ModelIncompatible(
                "vocab.json has none of the languages of config.json",
                hint="Take the vocab.json that was published with these weights.",
                context={"languages": " ".join(checkpoint.language_codes)},
            )
        self._missing = missing_packages(self._codes)

    def code_of(self, language: LanguageTag | None) -> str:
        """The model's word for a language (`zh-cn` for `zh-Hans`); for None that of the settings, else its
        first.

        Raises: LanguageUnsupported.
        """
        wanted = language or self._own
        if wanted is None:
            return self._codes[0]
        code = code_for(self._codes, wanted)
        reason = languages.refusal(self._checkpoint, self._own, wanted)
        if code is None or reason is not None:
            raise _unsupported(wanted, reason or "vocab.json lacks that language")
        if code in self._missing:
            raise _unsupported(wanted, f"the engine's environment lacks the package {self._missing[code]}")
        return code

    def pieces(self, text: str, code: str) -> list[list[int]]:
        """The tokens of each piece, in order; nothing when there is nothing to say.

        Raises: LanguageUnsupported for a script it cannot read, TextTooLong for a word that has no end.
        """
        cleaned = clean(text)
        if not words_in(cleaned):
            return []
        try:
            written_out = self._tokenizer.preprocess_text(cleaned.lower(), _bare(code))
        except ImportError as error:  # a package that is there, and lacks something itself
            raise _unsupported(code, str(error)) from error
        check_letters(written_out, self._letters, LanguageTag(code))
        limit_chars = self._tokenizer.char_limits.get(_bare(code), USUAL_LIMIT_CHARS)
        return list(self._pieces(cleaned, code, limit_chars))

    def _pieces(self, text: str, code: str, limit_chars: int) -> Iterator[list[int]]:
        spaced = code not in UNSPACED
        for part in parts_of(text, limit_chars, spaced=spaced):
            if not words_in(part):
                continue
            tokens = self._tokenizer.encode(part.lower(), lang=code)
            half = len(part) // 2
            if len(tokens) < self._limit_tokens:
                yield tokens
            elif len(list(parts_of(part, half, spaced=spaced))) > 1:
                yield from self._pieces(part, code, half)  # numbers grow when they are written out
            else:
                raise TextTooLong(
                    f"XTTS takes {self._limit_tokens - 1} tokens at once, and one word has {len(tokens)}",
                    hint="Nothing to do: a word of that length is left out.",
                    context={"length_chars": len(part), "limit_tokens": self._limit_tokens - 1},
                )


def missing_packages(codes: Collection[str]) -> Mapping[str, str]:
    """For each language that cannot be read here, the first package that it lacks."""
    lacking = {code: [name for name in PACKAGES.get(code, ()) if find_spec(name) is None] for code in codes}
    return {code: names[0] for code, names in lacking.items() if names}


def _bare(code: str) -> str:
    return code.partition("-")[0]


def _unsupported(language: str, reason: str) -> LanguageUnsupported:
    return LanguageUnsupported(
        f"XTTS cannot speak {language} here: {reason}", context={"language": language, "reason": reason}
    )
