"""Text to Kokoro's phonemes, as kokoro-onnx makes them, in a worker."""

from __future__ import annotations

import shutil
import sys
import tempfile

from phonemizer.backend import EspeakBackend


class Phonemizer:
    """One eSpeak per language, made when it is first wanted. One thread.

    Not kokoro-onnx's own: that marks foreign words "(fr)", which the model would try to say.
    """

    def __init__(self) -> None:
        self._backends: dict[str, EspeakBackend] = {}

    def phonemes(self, text: str, language: str) -> str:
        """Raises: RuntimeError when eSpeak has no such language."""
        backend = self._backends.get(language)
        if backend is None:
            backend = self._backends[language] = _backend(language)
        return " ".join(" ".join(backend.phonemize([text])).split())


def _backend(language: str) -> EspeakBackend:
    """phonemizer copies the library into a temporary folder and removes that when Python ends in good order,
    which a worker does not. What is open can be removed at once, except on Windows."""
    before, tempfile.tempdir = tempfile.tempdir, tempfile.mkdtemp(prefix="alltalk-kokoro-")
    try:
        return EspeakBackend(
            language, preserve_punctuation=True, with_stress=True, language_switch="remove-flags"
        )
    finally:
        if sys.platform != "win32":
            shutil.rmtree(tempfile.tempdir, ignore_errors=True)
        tempfile.tempdir = before
