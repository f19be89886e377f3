"""AllTalk folders as its two versions leave them, with models that the light engines read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fakes.light_engines import make_model
from tests.library.shelves import make_recording

CONFIG_2: dict[str, Any] = {
    "delete_output_wavs": "7 Days",
    "transcode_audio_format": "opus",
    "rvc_settings": {"rvc_enabled": True},
    "tgwui": {
        "tgwui_activate_tts": True,
        "tgwui_autoplay_tts": False,
        "tgwui_narrator_enabled": "silent",
        "tgwui_non_quoted_text_is": "narrator",
        "tgwui_language": "German",
        "tgwui_character_voice": "female_01.wav",
        "tgwui_narrator_voice": "gone.wav",
    },
    "api_def": {"api_port_number": 7861, "api_max_characters": 2000},
}
ENGINES_2: dict[str, Any] = {
    "engine_loaded": "xtts",
    "selected_model": "xtts - xttsv2_2.0.3",
    "engines_available": [
        {"name": "piper", "selected_model": "piper"},
        {"name": "vits", "selected_model": "vits - tts_models--en--vctk--vits"},
        {"name": "xtts", "selected_model": "xtts - xttsv2_2.0.3"},
    ],
}
XTTS_2 = {
    "def_character_voice": "female_01.wav",
    "def_narrator_voice": "male_01.wav",
    "deepspeed_enabled": True,
    "lowvram_enabled": True,
    "temperature_set": 0.65,
    "repetitionpenalty_set": 10,
}
CONFIG_1: dict[str, Any] = {
    "activate": True,
    "autoplay": True,
    "narrator_enabled": False,
    "low_vram": True,
    "deepspeed_activate": False,
    "delete_output_wavs": "Disabled",
    "language": "Klingon",
    "local_temperature": "0.9",
    "local_repetition_penalty": "10.0",
    "voice": "female_01.wav",
    "narrator_voice": "voiceset:many",
    "port_number": "7851",
}


def _json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def make_version_2(folder: Path) -> Path:
    """XTTS models, one of them selected, a VITS, Piper voices, voices of each kind, and leftovers."""
    _json(folder / "confignew.json", CONFIG_2)
    engines = folder / "system/tts_engines"
    _json(engines / "tts_engines.json", ENGINES_2)
    _json(engines / "xtts/model_settings.json", {"settings": XTTS_2})
    _json(engines / "piper/model_settings.json", {"settings": {"def_character_voice": "en_US-amy.onnx"}})
    _json(
        engines / "vits/model_settings.json",
        {"settings": {"def_character_voice": "p225", "def_narrator_voice": "p999"}},
    )
    (engines / "xtts/model_engine.py").write_text("raise SystemExit('never run')")
    make_model(folder / "models/xtts/a_finetuned", clones=True, kind="xtts")
    make_model(folder / "models/xtts/xttsv2_2.0.3", clones=True, kind="xtts")
    (folder / "models/xtts/half").mkdir()
    make_model(folder / "models/vits/tts_models--en--vctk--vits", speakers=["p225", "p226"])
    # A folder stands for the file: the light engine reads folders, AllTalk's layout has files.
    make_model(folder / "models/piper/en_US-amy.onnx")
    (folder / "models/piper/en_US-amy.onnx.json").write_text("{}")
    make_model(folder / "models/piper/more/no-config.onnx")
    make_model(folder / "models/f5tts/f5tts_v1")
    (folder / "models/rvc_voices").mkdir()
    for name in (
        "female_01.wav",
        "male_01.wav",
        "Clint CC3 (enhanced).wav",
        "xtts_multi_voice_sets/many/a.wav",
    ):
        make_recording(folder / "voices" / name)
    make_recording(folder / "voices/xtts_multi_voice_sets/many/b.wav", b"hiss")
    make_recording(folder / "voices/noise.wav", b"bad")
    make_recording(folder / "voices/Clint CC3.txt")
    _json(folder / "voices/xtts_latents/old.json", {})
    return folder


def make_version_1(folder: Path) -> Path:
    _json(folder / "confignew.json", CONFIG_1)
    for name in ("xttsv2_2.0.2", "trainedmodel"):
        make_model(folder / "models" / name, clones=True, kind="xtts")
        (folder / "models" / name / "config.json").write_text("{}")
    make_recording(folder / "voices/female_01.wav")
    make_recording(folder / "voices/xtts_multi_voice_sets/many/a.wav")
    return folder
