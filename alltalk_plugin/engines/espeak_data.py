"""What an espeak-ng-data folder holds: its voices, its variants, and whether it is whole.

Read from the voice files themselves (a few lines of text each), so that the service knows every voice and
language without loading the library. Standard library only; runs on both ends.
"""

from __future__ import annotations

import difflib
import importlib.util
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alltalk_plugin.domain.errors import ModelCorrupt, ModelNotFound, VoiceNotFound
from alltalk_plugin.domain.language import LanguageTag

DISTRIBUTION = "espeakng-loader"
CORE_FILES = ("phontab", "phonindex", "phondata", "intonations")
_DEFAULT_PRIORITY = 5
_FORMAT_VERSION = 0x014801
"""First word of phondata and phonindex in eSpeak NG 1.49 to 1.52; the library refuses any other."""
_TAB_HEADER, _TAB_ENTRY = 36, 16
"""Bytes of a phoneme table's head and of one phoneme in `phontab` (synthdata.c, LoadPhData)."""

# Tags that are not in the files but mean a voice that is.
_ALIASES = {"zh-hk": "yue", "zh-mo": "yue", "zh-tw": "cmn", "nn": "nb", "iw": "he", "in": "id"}


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """A voice file: `identifier` is its path below `lang/`, the one name the library always takes.

    `languages` are lower-case tags with their priority, 1 the highest.
    """

    identifier: str
    name: str
    languages: tuple[tuple[str, int], ...]
    dictionary: str

    @property
    def bases(self) -> frozenset[str]:
        """Primary languages it speaks."""
        return frozenset(tag.split("-", 1)[0] for tag, _ in self.languages)

    def answers_to(self, name: str) -> bool:
        """Whether a person would call it so: identifier, file name, language or full name."""
        wanted = name.casefold().replace("_", "-")
        names = {self.identifier, self.identifier.rpartition("/")[2], self.name}
        return wanted in {known.casefold() for known in names} or self.priority(wanted) is not None

    def priority(self, tag: str) -> int | None:
        return next((priority for known, priority in self.languages if known == tag), None)


@dataclass(frozen=True, slots=True)
class EspeakData:
    """The voices of one data folder that make sound, and its variants by name."""

    folder: Path
    voices: tuple[EspeakVoice, ...]
    variants: tuple[str, ...]

    def voice_named(self, name: str) -> EspeakVoice | None:
        """The voice a person means by `name`; the one with the best claim when several answer to it."""
        wanted = name.casefold().replace("_", "-")
        found = [voice for voice in self.voices if voice.answers_to(name)]
        return min(found, key=lambda voice: _claim(voice, wanted), default=None)

    def voice_for(self, language: LanguageTag, preferred: EspeakVoice | None = None) -> EspeakVoice | None:
        """The voice for a language: the exact tag first, then `preferred` if it speaks the same primary
        language, then the nearest shorter tag."""
        tag = language.lower()
        tag = _ALIASES.get(tag, tag)
        if "-" in tag and (exact := self._with_tag(tag)):
            return exact
        if preferred is not None and tag.split("-", 1)[0] in preferred.bases:
            return preferred
        while tag:
            if found := self._with_tag(tag):
                return found
            tag = tag.rpartition("-")[0]
        return None

    def speaker(self, speaker: str | None) -> tuple[EspeakVoice | None, str | None]:
        """The voice and the variant that a speaker names: `en-us+f3`, `de`, `+f3` or `f3`.

        Raises: VoiceNotFound. The library itself ignores a variant that it does not know.
        """
        if not speaker:
            return None, None
        voice_name, plus, variant_name = speaker.partition("+")
        voice = self.voice_named(voice_name) if voice_name else None
        if voice_name and voice is None and not plus:
            voice_name, variant_name = "", voice_name
        variant = self._variant(variant_name) if variant_name else None
        if (voice_name and voice is None) or (bool(variant_name or plus) and variant is None):
            raise self._unknown(speaker)
        return voice, variant

    def _variant(self, name: str) -> str | None:
        wanted = name.removeprefix("!v/").casefold()
        return next((known for known in self.variants if known.casefold() == wanted), None)

    def _with_tag(self, tag: str) -> EspeakVoice | None:
        found = [voice for voice in self.voices if voice.priority(tag) is not None]
        return min(found, key=lambda voice: _claim(voice, tag), default=None)

    def _unknown(self, speaker: str) -> VoiceNotFound:
        known = [tag for voice in self.voices for tag, _ in voice.languages]
        known += [f"+{variant}" for variant in self.variants]
        nearest = difflib.get_close_matches(speaker, known, n=1)
        hint = f"Did you mean {nearest[0]!r}?" if nearest else None
        return VoiceNotFound(
            f"eSpeak has no voice or variant {speaker!r}",
            hint=hint,
            context={"voice": speaker, "nearest": nearest[0] if nearest else None},
        )


def _claim(voice: EspeakVoice, tag: str) -> tuple[int, int]:
    """Smaller is better. The shorter identifier is the plain form of a language (cmn, cmn-Latn-pinyin)."""
    return voice.priority(tag) or _DEFAULT_PRIORITY, len(voice.identifier)


def installed_folder() -> Path | None:
    """The data folder of the installed distribution, found without importing it; None without it."""
    spec = importlib.util.find_spec("espeakng_loader")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "espeak-ng-data"


def data_folder(path: Path | None) -> Path:
    """The folder with the data: `path`, the `espeak-ng-data` below it, or the installed one.

    Raises: ModelNotFound.
    """
    if path is None:
        folder = installed_folder()
        if folder is None:
            raise ModelNotFound(
                f"{DISTRIBUTION} is not installed", hint=f"Install {DISTRIBUTION} beside this package."
            )
        return folder
    inner = path / "espeak-ng-data"
    folder = inner if inner.is_dir() else path
    if not folder.is_dir():
        raise ModelNotFound(f"there is no folder {path}", context={"path": str(path)})
    if not any((folder / name).is_file() for name in CORE_FILES):
        raise ModelNotFound(f"{path} is no espeak-ng-data folder", context={"path": str(path)})
    return folder


def check_data(folder: Path) -> None:
    """Look for damage before the library does: it reads past the end of a short file and crashes.

    Raises: ModelCorrupt.
    """
    for name in CORE_FILES:
        path = folder / name
        if not path.is_file() or not path.stat().st_size:
            raise _corrupt(path, "is missing or empty")
    for name in ("phondata", "phonindex"):
        head = (folder / name).read_bytes()[:4]
        if len(head) < 4 or struct.unpack("<I", head)[0] != _FORMAT_VERSION:
            raise _corrupt(folder / name, "does not begin with its version")
    if not _tables_fit((folder / "phontab").read_bytes()):
        raise _corrupt(folder / "phontab", "does not end where its tables do")
    last = _last_address(folder / "phondata-manifest")
    if last is not None and (folder / "phondata").stat().st_size <= last:
        raise _corrupt(folder / "phondata", "ends before its last entry")


def _tables_fit(raw: bytes) -> bool:
    place = 4
    for _ in range(raw[0]):
        if place >= len(raw):
            return False
        place += _TAB_HEADER + raw[place] * _TAB_ENTRY
    return place == len(raw)


def _last_address(manifest: Path) -> int | None:
    """Offset of the last entry of phondata; None without a manifest."""
    if not manifest.is_file():
        return None
    lines = manifest.read_text("utf-8", "replace").splitlines()
    return max((int(line.split()[1], 16) for line in lines if line[:1] in "SWE" and line[1:]), default=None)


def _corrupt(path: Path, why: str) -> ModelCorrupt:
    return ModelCorrupt(f"{path.name} {why}", context={"path": str(path)})


@lru_cache(maxsize=16)
def read_data(folder: Path) -> EspeakData:
    """The voices of a data folder. Voices without a dictionary are left out: they load and stay silent
    (fo, kaa and xex in 1.52)."""
    root = folder / "lang"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    voices = (_read_voice(path, path.relative_to(root).as_posix()) for path in files)
    audible = tuple(voice for voice in voices if (folder / f"{voice.dictionary}_dict").is_file())
    variants = folder / "voices" / "!v"
    names = (path.name for path in variants.iterdir()) if variants.is_dir() else ()
    return EspeakData(folder, audible, tuple(sorted(names)))


def _read_voice(path: Path, identifier: str) -> EspeakVoice:
    name, dictionary = identifier, ""
    languages: list[tuple[str, int]] = []
    for line in path.read_text("utf-8", "replace").splitlines():
        words = line.split("//")[0].split()
        match words:
            case ["name", *rest]:
                name = " ".join(rest)
            case ["language", tag, *rest]:
                priority = int(rest[0]) if rest and rest[0].isdigit() else _DEFAULT_PRIORITY
                languages.append((tag.lower(), priority))
            case ["dictionary", chosen, *_]:
                dictionary = chosen
    if not dictionary and languages:
        dictionary = languages[0][0].split("-", 1)[0]
    return EspeakVoice(identifier, name, tuple(languages), dictionary)
