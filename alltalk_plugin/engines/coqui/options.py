"""The options of the engine, and what they mean. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from alltalk_plugin.domain.engines import OptionField
from alltalk_plugin.domain.models import OptionValue

FIELDS: Mapping[str, OptionField] = MappingProxyType(
    {
        "vocoder": OptionField(
            str,
            None,
            "folder or weights file of the vocoder, for models of two parts (glow_tts, tacotron2, …); "
            "default: what lies beside the model, else the Griffin-Lim algorithm",
        ),
    }
)


def vocoder_path(options: Mapping[str, OptionValue]) -> Path | None:
    """Where the settings say the vocoder is."""
    named = options.get("vocoder")
    return Path(str(named)).expanduser() if named else None
