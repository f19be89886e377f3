"""libespeak-ng by ctypes: the few calls we need, each with what bites.

One thread at a time (two at once: "free(): invalid size"), and one library a process: its state is global.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from alltalk_plugin.domain.errors import ModelCorrupt, SynthesisFailed, VoiceNotFound

Pcm = npt.NDArray[np.int16]
OnAudio = Callable[[Pcm], bool]
"""Takes a copy of some samples; False stops the synthesis."""

# speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2  # callback in the calling thread; mode 1 costs 20 ms of polling a call
_DONT_EXIT = 0x8000  # without it a missing data folder ends the process
_CHARS_UTF8 = 1  # and neither SSML (0x10: unclosed tags leak into later calls) nor phonemes (0x100)
_PARAMETER_RATE, _PARAMETER_VOLUME, _PARAMETER_PITCH = 1, 2, 3
_IPA = 2  # phonemes as IPA instead of eSpeak's own letters, nothing between them
_EE_OK = 0

_LONGEST_PATH_BYTES = 159
"""The library's buffer holds 160; with more, Initialize fails (measured: 159 works)."""

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakLibrary:
    """An initialised library. One thread at a time."""

    def __init__(self, library: Path, folder: Path) -> None:
        """Raises: OSError (no such library), ModelCorrupt (the library refuses the data)."""
        self._library = ctypes.CDLL(str(library))
        self._on_audio: OnAudio | None = None
        # The library keeps the pointer; the object must live as long.
        self._callback = _Callback(self._deliver)
        self.sample_rate_hz: int = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, _path_for_library(folder), _DONT_EXIT
        )
        if self.sample_rate_hz <= 0:
            raise ModelCorrupt("eSpeak refuses its data folder", context={"path": str(folder)})
        self._library.espeak_SetSynthCallback(self._callback)

    def set_voice(self, identifier: str, variant: str | None) -> None:
        """Speak with a voice file, by its path below `lang/`, and a variant.

        Raises: VoiceNotFound. The library would go on with the previous voice.
        """
        name = f"{identifier}+{variant}" if variant else identifier
        if self._library.espeak_SetVoiceByName(name.encode()) != _EE_OK:
            raise VoiceNotFound(f"eSpeak cannot set the voice {name}", context={"voice": name})

    def set_prosody(self, *, rate_wpm: int, pitch: int, volume: int) -> None:
        """Words a minute (80 to 450), pitch (0 to 99), volume (0 to 100)."""
        for parameter, value in (
            (_PARAMETER_RATE, rate_wpm),
            (_PARAMETER_PITCH, pitch),
            (_PARAMETER_VOLUME, volume),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)

    def speak(self, text: str, on_audio: OnAudio) -> None:
        """Say `text`, calling `on_audio` in this thread about every 57 ms of audio. Blocks.

        `text` holds no NUL: the library would stop there. Raises: SynthesisFailed.
        """
        raw = text.encode("utf-8", "ignore")
        self._on_audio = on_audio
        code = self._library.espeak_Synth(
            ctypes.c_char_p(raw), ctypes.c_size_t(len(raw) + 1), 0, 0, 0, _CHARS_UTF8, None, None
        )
        if code != _EE_OK:
            raise SynthesisFailed("eSpeak refused the text", context={"espeak_code": code})

    def phonemes(self, text: str) -> str:
        """`text` in the phonetic alphabet, as the voice that is set says it. `text` holds no NUL."""
        translate = self._library.espeak_TextToPhonemes
        translate.restype = ctypes.c_char_p
        rest = ctypes.c_char_p(text.encode("utf-8", "ignore"))
        clauses = []
        while (
            rest.value is not None
        ):  # one clause a call; the library moves the pointer on, in the end to NULL
            clauses.append(translate(ctypes.byref(rest), _CHARS_UTF8, _IPA))
        return "".join((clause or b"").decode("utf-8").strip() for clause in clauses)

    def close(self) -> None:
        self._library.espeak_Terminate()

    def _deliver(self, samples: object, count: int, _events: object) -> int:
        """The library's callback: 0 goes on, 1 stops. Must not raise: ctypes would swallow it."""
        if not samples or count <= 0 or self._on_audio is None:
            return 0
        pcm = np.ctypeslib.as_array(samples, shape=(count,)).copy()
        return 0 if self._on_audio(pcm) else 1


def _path_for_library(folder: Path) -> bytes:
    """The data folder as the library can hold it.

    A worker has its working folder to itself, so a path that is too long (a deep environment on Windows)
    becomes "." from where it stands.
    """
    raw = os.fsencode(folder)
    if len(raw) <= _LONGEST_PATH_BYTES:
        return raw
    os.chdir(folder.parent if folder.name == "espeak-ng-data" else folder)
    return b"."
