"""Every setting with its default and unit. Frozen; one section a class.

The defaults here are the ones in settings.example.yaml (a test compares them).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alltalk_plugin.domain.audio import AudioFormat
from alltalk_plugin.domain.language import LanguageTag, language_tag


def _as_tag(text: str) -> str:
    return language_tag(text)


def _tags(names: str) -> tuple[LanguageTag, ...]:
    return tuple(language_tag(name) for name in names.split())


def _beside_settings(path: Path, info: ValidationInfo) -> Path:
    folder = info.context.get("folder") if info.context else None
    return Path(folder, path.expanduser()) if folder is not None else path


Tag = Annotated[LanguageTag, AfterValidator(_as_tag)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(ge=0.0)]
LocalPath = Annotated[Path, AfterValidator(_beside_settings)]
"""A path that is relative to the settings file's folder, and `~` the user's own."""


class Section(BaseModel):
    """Frozen, and deaf to nothing: an unknown key is an error. A key without a value has its default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, data: object) -> object:
        # "characters:" with nothing but comments below it reads as null in YAML.
        if data is None:
            return {}
        if isinstance(data, dict):
            return {k: v for k, v in data.items() if v is not None or k not in cls.model_fields}
        return data


class Narration(StrEnum):
    ON = "on"
    OFF = "off"
    SILENT = "silent"


class Unmarked(StrEnum):
    AUTO = "auto"
    CHARACTER = "character"
    NARRATOR = "narrator"
    SILENT = "silent"


class SpeechSettings(Section):
    activate: bool = Field(True, description="speak replies at all")
    narrator: Narration = Field(
        Narration.ON, description="on: own voice; off: the character reads it; silent: not spoken"
    )
    unmarked: Unmarked = Field(
        Unmarked.AUTO, description="whose voice reads plain text; auto: narration if the reply has quotes"
    )
    code: Literal["skip", "announce"] = Field("skip", description="fenced code: left out, or announced")
    urls: Literal["skip", "host"] = Field("host", description="bare URLs: left out, or their host spoken")
    parentheses: Literal["speak", "skip", "narrator"] = Field("speak", description="text in ( )")
    inline_voices: bool = Field(
        False, description="[voice:NAME] in a reply chooses a voice up to the end of the paragraph"
    )
    first_clause_chars: int = Field(
        30,
        ge=0,
        description="while a reply is being written its first words may end at a comma after so many"
        " characters; 0: only at a sentence's end",
    )
    max_segment_chars: int = Field(400, ge=40, le=2000, description="longest piece given to an engine")
    deadline_s: Seconds = Field(600.0, description="a reply that is not spoken by then ends with an error")
    max_concurrent_replies: int = Field(8, ge=1, description="replies spoken at the same time")
    cache_mb: int = Field(
        64, ge=0, description="memory for sentences spoken lately, so that a continued reply is quick"
    )
    look_ahead_segments: int = Field(
        6, ge=0, description="how far segments may be regrouped by model when models do not fit together"
    )


class VoiceSettings(Section):
    model: str = Field("espeak", description="id of a model")
    speaker: str | None = Field(None, description="the engine's own word for a speaker or variant")
    reference: tuple[LocalPath, ...] = Field((), description="reference audio files for voice cloning")
    language: Tag | None = Field(None, description="speaks this language only; empty: follows the text")
    rate: float = Field(1.0, ge=0.25, le=4.0, description="speed factor")
    pitch_semitones: float = Field(0.0, ge=-12, le=12, description="shift in semitones")
    gain_db: float = Field(0.0, ge=-24, le=12, description="added after levelling, dB")
    fallback: str | None = Field(None, description="voice that answers when this one cannot")


class CharacterSettings(Section):
    voice: str = Field(description="name of a voice")
    narrator: str | None = Field(None, description="narrator's voice in this character's replies")
    languages: dict[Tag, str] = Field(default_factory=dict, description="language -> voice")
    default_language: Tag | None = Field(None, description="when detection is undecided")
    language: Tag | None = Field(None, description="speaks this language only; nothing is detected")
    aliases: tuple[str, ...] = Field((), description="other names of this character")


class LanguageSettings(Section):
    candidates: tuple[Tag, ...] = Field(
        default_factory=lambda: _tags("en de fr es it pt nl pl ru uk tr cs hu zh ja ko ar hi"),
        description="languages a reply may be in; fewer are told apart better",
    )
    default: Tag | None = Field(None, description="when detection is undecided and nobody says otherwise")
    preference: Tag | None = Field(None, description="the user's language; beats detection in routing")
    detector: str = Field(
        "py3langid", description="py3langid, lingua, lingua-low, pycld2, none, or the name of a plugin's"
    )
    reply_threshold: Probability = Field(0.3, description="a whole reply below this is undecided")
    piece_threshold: Probability = Field(0.7, description="a piece below this inherits the reply's language")
    piece_min_words: int = Field(3, ge=1, description="shorter pieces inherit the reply's language")
    voices: dict[Tag, str] = Field(default_factory=dict, description="language -> voice")


def _as_entry(word: str) -> str:
    if not 0 < len(word) <= _LONGEST_ENTRY or not any(map(str.isalnum, word)) or word.count("*") > 2:
        raise ValueError(
            f"an entry is a word or a phrase of at most {_LONGEST_ENTRY} characters, with at most two '*'"
        )
    return word


_LONGEST_ENTRY = 100
Entry = Annotated[str, AfterValidator(_as_entry)]


class LexiconSettings(Section):
    languages: dict[Tag, dict[Entry, str]] = Field(
        default_factory=dict, description="language -> word as written -> as it is to be said"
    )
    voices: dict[str, dict[Entry, str]] = Field(
        default_factory=dict, description="voice -> the same; wins over the language's"
    )


class ModelSettings(Section):
    engine: str = Field(description="name of an engine")
    path: LocalPath | None = Field(None, description="folder or file of the model")
    device: str = Field("cpu", description="cpu, cuda:0, mps")
    pinned: bool = Field(False, description="never evicted")
    idle_ttl_s: Seconds | None = Field(
        None, description="unloaded after this much idle time, seconds; 0: never; empty: swap.idle_ttl_s"
    )
    options: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="load options of the engine"
    )


class SwapSettings(Section):
    budget_mb: dict[str, Annotated[int, Field(gt=0)]] = Field(
        default_factory=dict,
        description="device -> MB for models; a device left out gets its free memory at start less 10 %",
    )
    mode: Literal["auto", "load_first", "unload_first"] = Field("auto", description="order of a swap")
    min_interval_s: Seconds = Field(30.0, description="between swaps asked by API, rule or schedule")
    max_wait_s: Seconds = Field(30.0, description="longest wait for a model")
    drain_s: Seconds = Field(15.0, description="a swap waits this long for running speech")
    load_timeout_s: Seconds = Field(120.0, description="a load that takes longer has failed")
    overtake_limit: int = Field(6, ge=0, description="how often a waiting request may be overtaken (k)")
    retry_base_s: Seconds = Field(5.0, description="a failed model is tried again after this, doubling")
    retry_max_s: Seconds = Field(300.0, description="and never later than this")
    queue_limit: int = Field(256, ge=1, description="requests that may wait for models")
    idle_ttl_s: Seconds = Field(
        900.0,
        description="a model unused for so long is unloaded, unless its own idle_ttl_s differs; 0: never",
    )
    margin_share: Probability = Field(
        0.1,
        description="room kept free beyond a model's need when it loads, as a share of it; 256 MB at most",
    )
    journal_keep_days: float = Field(90.0, ge=0, description="older journal lines are deleted; 0: no limit")
    journal_keep_rows: int = Field(
        20_000, ge=0, description="the oldest journal lines are deleted above this; 0: no limit"
    )


class AudioSettings(Section):
    format: AudioFormat = Field(AudioFormat.MP3, description="wav, flac, mp3, opus or ogg")
    sample_rate_hz: Literal[16000, 24000, 48000] = Field(24000, description="of everything we write")
    loudness_dbfs: float = Field(-20.0, ge=-40, le=-10, description="level of speech, RMS in dBFS")
    peak_limit: float = Field(0.97, gt=0.1, le=1.0, description="highest sample, full scale is 1")
    pause_clause_s: Seconds = Field(0.08, description="silence after a clause")
    pause_sentence_s: Seconds = Field(0.25, description="silence after a sentence")
    pause_paragraph_s: Seconds = Field(0.55, description="silence after a paragraph")
    pause_speaker_s: Seconds = Field(0.35, description="silence where the speaker changes")
    folder: Path = Field(Path("audio"), description="relative to the data folder")
    keep_days: float = Field(14.0, ge=0, description="audio older than this is deleted; 0: no limit")
    keep_mb: int = Field(2000, ge=0, description="oldest audio goes first above this; 0: no limit")


class ServerSettings(Section):
    host: str = Field("127.0.0.1", description="address to listen on; others than loopback need a token")
    port: int = Field(7851, ge=0, le=65535, description="0: a free one")
    token: str | None = Field(
        None, min_length=16, max_length=32, description="fixed token; empty: a new one each start"
    )
    origins: tuple[str, ...] = Field((), description="web origins allowed besides loopback")
    max_text_chars: int = Field(200_000, ge=1000, description="longest text of one request")
    max_body_mb: int = Field(8, ge=1, description="largest request body, MB")
    idle_exit_s: Seconds = Field(60.0, description="a service started by a program ends after this idle time")


class HostSettings(Section):
    activate: bool = Field(True, description="speak this host's replies")
    autoplay: bool = Field(True, description="start playing by itself")
    greeting: bool = Field(False, description="speak the greeting of a new chat")


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="chat text only at DEBUG")
    keep_files: int = Field(5, ge=1, description="rotated log files kept, 2 MB each")


BUILTIN_VOICES = {
    "default": VoiceSettings(),
    "narrator": VoiceSettings(rate=0.95, pitch_semitones=-3.0),
}
BUILTIN_MODELS = {"espeak": ModelSettings(engine="espeak", pinned=True)}


class Settings(Section):
    """All sections. Names of voices, characters, models and hosts are the user's own.

    The built-in voices and the built-in model are always there, so that a first voice of one's own does
    not take the narrator away; a file may define their names anew.
    """

    speech: SpeechSettings = SpeechSettings()
    voices: dict[str, VoiceSettings] = Field(
        default_factory=lambda: dict(BUILTIN_VOICES),
        description="'default' and 'narrator' exist unless defined anew",
    )
    default_voice: str = Field("default", description="speaks whoever has no voice of their own")
    narrator_voice: str = Field("narrator", description="speaks the narrator")
    characters: dict[str, CharacterSettings] = Field(
        default_factory=dict, description="name as the chat has it -> voice"
    )
    languages: LanguageSettings = LanguageSettings()
    lexicon: LexiconSettings = LexiconSettings()
    models: dict[str, ModelSettings] = Field(
        default_factory=lambda: dict(BUILTIN_MODELS),
        description="'espeak' exists unless defined anew",
    )
    swap: SwapSettings = SwapSettings()
    audio: AudioSettings = AudioSettings()
    server: ServerSettings = ServerSettings()
    hosts: dict[str, HostSettings] = Field(default_factory=dict, description="name of a host -> toggles")
    log: LogSettings = LogSettings()
    plugins: dict[str, SerializeAsAny[BaseModel]] = Field(
        default_factory=dict, description="a section for each plugin that registered one"
    )

    @field_validator("voices")
    @classmethod
    def _with_builtin_voices(cls, voices: dict[str, VoiceSettings]) -> dict[str, VoiceSettings]:
        return {**BUILTIN_VOICES, **voices}

    @field_validator("models")
    @classmethod
    def _with_builtin_models(cls, models: dict[str, ModelSettings]) -> dict[str, ModelSettings]:
        return {**BUILTIN_MODELS, **models}
