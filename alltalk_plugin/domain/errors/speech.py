"""What can go wrong between a reply and its audio, apart from models."""

from __future__ import annotations

from alltalk_plugin.domain.errors.base import AlltalkError


class SpeechError(AlltalkError):
    """A reply or a segment could not be spoken."""

    code = "speech_failed"


class NothingToSay(SpeechError):
    """The text holds no letter or digit once everything unspeakable is taken out."""

    code = "nothing_to_say"
    default_hint = "Nothing to do: the reply has no words."


class SpeechOff(SpeechError):
    """Speaking is switched off in the settings."""

    code = "speech_off"
    default_hint = "Set speech.activate (and the host's own activate) to true to hear replies."


class VoiceNotFound(SpeechError):
    """No voice of that name; context: voice, nearest."""

    code = "voice_not_found"
    default_hint = "Run 'alltalk-plugin voices' for the names that exist."


class LanguageUnsupported(SpeechError):
    """The engine cannot really speak this language or script; context: language, reason."""

    code = "language_unsupported"
    default_hint = "Give this language a voice on an engine that speaks it (languages: in the settings)."


class ReferenceUnusable(SpeechError):
    """A voice's reference audio cannot be used for cloning; context: path, reason."""

    code = "reference_unusable"
    default_hint = "Give the voice a clean recording of one speaker, 3 to 30 seconds long."


class DeadlineExceeded(SpeechError):
    """The work did not end in the time it was given; context: deadline_s."""

    code = "deadline_exceeded"
    default_hint = "Raise speech.deadline_s or choose a faster voice."


class TooManyReplies(SpeechError):
    """More replies are being spoken at once than the service allows; context: limit."""

    code = "too_many_replies"
    default_hint = "Wait for a reply to end, or raise speech.max_concurrent_replies."


class Cancelled(SpeechError):
    """The caller went away or said stop."""

    code = "cancelled"
    default_hint = "Nothing to do: the work was stopped on request."


class AudioError(AlltalkError):
    """Audio could not be encoded, stored or found."""

    code = "audio_failed"


class AudioNotFound(AudioError):
    code = "audio_not_found"
    default_hint = "The audio was deleted by retention or never existed; speak the reply again."


class FormatUnsupported(AudioError):
    code = "format_unsupported"
    default_hint = "Use wav, flac, mp3, opus or ogg."


class StoreFailed(AudioError):
    """The audio could not be written; context: path, errno."""

    code = "store_failed"
    default_hint = "Check free disk space and that the audio folder is writable."
