"""What both sides know of the voices. Standard library and `alltalk_plugin.domain` only."""

from __future__ import annotations

from alltalk_plugin.domain.language import LanguageTag

ENGLISH = LanguageTag("en")
SPEAKERS = {"ada": "Ada, a high voice", "otto": "Otto, a low voice"}
SAMPLE_RATE_HZ = 22_050
