"""The load options that every model of the engine knows, and what they mean. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from alltalk_plugin.domain.engines import LoadRequest, OptionField
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.language import LanguageTag, language_tag
from alltalk_plugin.domain.models import OptionValue

OPTIONS: Mapping[str, OptionField] = MappingProxyType(
    {
        "check_files": OptionField(
            bool,
            True,
            "compare the weights with their checksums, once for the files as they are; 0.1 s for 141 MB",
        ),
        "half": OptionField(bool, False, "half precision; on CUDA devices only"),
        "language": OptionField(
            str, None, "what the model speaks (BCP 47), where its config.json does not say"
        ),
        "length_scale": OptionField(
            float,
            None,
            "how slowly it speaks (1.2: a fifth slower); unset: the model's own; not for Tacotron",
        ),
        "noise_scale": OptionField(
            float, None, "how lively VITS and Glow-TTS speak, 0 to 2; unset: the model's own"
        ),
        "noise_scale_w": OptionField(
            float, None, "how freely VITS chooses the length of sounds, 0 to 2; unset: the model's own"
        ),
        "speaker": OptionField(
            str, None, "who speaks when a voice names no speaker; unset: the model's first"
        ),
        "threads": OptionField(
            int, 0, "CPU threads; 0: all of up to two cores, else half of them, at most 8", "threads"
        ),
        "vocoder": OptionField(
            str,
            None,
            "folder or weights of a vocoder for models of two parts; unset: what lies beside the model",
        ),
    }
)

_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"length_scale": (0.2, 5.0), "noise_scale": (0.0, 2.0), "noise_scale_w": (0.0, 2.0), "threads": (0, 256)}
)


def checks_files(request: LoadRequest) -> bool:
    """Whether the weights are to be compared with their checksums, which means to read all of them."""
    return bool(request.options.get("check_files", True)) and not request.whole


def number(options: Mapping[str, OptionValue], name: str) -> float | None:
    """A number of the options, None where it is left to the model. Raises: ModelIncompatible."""
    value = options.get(name)
    if value is None:
        return None
    low, high = _RANGES[name]
    if isinstance(value, str) or not low <= value <= high:
        raise _refused(name, value, f"a number from {low:g} to {high:g}")
    return float(value)


def own_language(options: Mapping[str, OptionValue]) -> LanguageTag | None:
    """What the settings say the model speaks. Raises: ModelIncompatible."""
    value = options.get("language")
    if value is None or value == "":
        return None
    try:
        return language_tag(str(value))
    except ValueError as error:
        raise _refused("language", value, "a tag like en or pt-BR") from error


def vocoder_path(options: Mapping[str, OptionValue]) -> Path | None:
    """Where the settings say the vocoder is."""
    named = options.get("vocoder")
    return Path(str(named)).expanduser() if named else None


def _refused(name: str, value: OptionValue, wanted: str) -> ModelIncompatible:
    return ModelIncompatible(
        f"the option {name} is {value!r}, and has to be {wanted}",
        hint=f"Correct the model's option {name} in the settings.",
        context={"option": name, "value": str(value)},
    )
