"""What the contract suite must know of an engine; a new engine joins by one entry."""

from __future__ import annotations

from dataclasses import dataclass, field

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import OptionValue
from alltalk_plugin.engines import espeak_spec


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine with what it can be held to.

    `foreign` is a language it has no voice for; `unreadable` a text its default voice cannot read;
    `start_s` how long a cold first chunk may take here, four times what was measured on two busy cores.
    """

    spec: EngineSpec
    text: str
    language: LanguageTag
    speakers: tuple[str | None, ...]
    foreign: LanguageTag
    unreadable: str
    start_s: float
    options: dict[str, OptionValue] = field(default_factory=dict)


CANDIDATES = (
    Candidate(
        spec=espeak_spec.SPEC,
        text="The rain in Spain stays mainly in the plain.",
        language=LanguageTag("en"),
        speakers=(None, "+f3", "en-us", "de+m2"),
        foreign=LanguageTag("km"),
        unreadable="你好世界",
        start_s=2.0,
    ),
)
