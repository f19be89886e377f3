"""The load options of XTTS: how it draws its tokens, and how soon it is heard. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from alltalk_plugin.domain.engines import OptionField
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import OptionValue

STREAM_CHUNK_SIZE = 20
"""Tokens before the first sound, as in the library: 0.9 s of speech."""


@dataclass(frozen=True, slots=True)
class _Range:
    """What an option may be; `above` itself is left out, `low` and `high` are not."""

    high: float
    low: float | None = None
    above: float | None = None

    def holds(self, value: float) -> bool:
        if self.low is not None and value < self.low:
            return False
        if self.above is not None and value <= self.above:
            return False
        return value <= self.high

    def __str__(self) -> str:
        return (
            f"{self.low:g} to {self.high:g}"
            if self.low is not None
            else f"above {self.above:g}, up to {self.high:g}"
        )


_RANGES: Mapping[str, _Range] = MappingProxyType(
    {
        # At 0 the library divides by it; above 2 the tokens are close to noise.
        "temperature": _Range(2.0, above=0.0),
        # 1 does nothing; the published model wants 5 to 10, and beyond 20 no token may come twice.
        "repetition_penalty": _Range(20.0, low=1.0),
        # 1 takes the likeliest always; the published model has 1,024 audio tokens.
        "top_k": _Range(1024, low=1),
        "top_p": _Range(1.0, above=0.0),
        # Fewer than 4 are not one sound yet; 600 are all that the model makes in one go.
        "stream_chunk_size": _Range(600, low=4),
    }
)

XTTS_OPTIONS: Mapping[str, OptionField] = MappingProxyType(
    {
        "temperature": OptionField(
            float, None, "XTTS: how freely it draws, above 0 to 2; unset: the model's config.json"
        ),
        "repetition_penalty": OptionField(
            float, None, "XTTS: how much it avoids what it said, 1 to 20; unset: the model's config.json"
        ),
        "top_k": OptionField(
            int,
            None,
            "XTTS: how many tokens it draws from, 1 to 1024; unset: the model's config.json",
            "tokens",
        ),
        "top_p": OptionField(
            float,
            None,
            "XTTS: which share of likelihood it draws from, above 0 to 1; unset: the model's config.json",
        ),
        "stream_chunk_size": OptionField(
            int,
            STREAM_CHUNK_SIZE,
            "XTTS: tokens (46 ms each) in a piece of sound, 4 to 600; fewer are heard sooner and cost more",
            "tokens",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn."""

    temperature: float
    repetition_penalty: float
    top_k: int
    top_p: float
    stream_chunk_size: int = STREAM_CHUNK_SIZE


def sampling_of(options: Mapping[str, OptionValue], config: Mapping[str, object]) -> Sampling:
    """The options, and for what they leave open the model's own values.

    Raises: ModelIncompatible, naming the option or the key that is out of range.
    """

    def value(name: str, usual: float) -> float:
        where, given = (
            ("option", options[name]) if name in options else ("config.json's", config.get(name, usual))
        )
        if isinstance(given, bool) or not isinstance(given, int | float) or not _RANGES[name].holds(given):
            raise ModelIncompatible(
                f"the {where} {name} is {given!r}, and XTTS takes {_RANGES[name]}",
                hint=f"Set the model's option {name} to a number in that range.",
                context={"option": name, "value": str(given)},
            )
        return given

    # What a config leaves out is as in the library's inference_stream.
    return Sampling(
        temperature=float(value("temperature", 0.75)),
        repetition_penalty=float(value("repetition_penalty", 10.0)),
        top_k=int(value("top_k", 50)),
        top_p=float(value("top_p", 0.85)),
        stream_chunk_size=int(value("stream_chunk_size", STREAM_CHUNK_SIZE)),
    )
