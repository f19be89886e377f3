"""Languages by their English names, for sentences that people read."""

from __future__ import annotations

from alltalk_plugin.domain.language import LanguageTag, base_language

_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cmn": "Chinese", "cs": "Czech", "da": "Danish",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian",
    "lv": "Latvian", "nb": "Norwegian", "nl": "Dutch", "nn": "Norwegian", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def language_name(tag: LanguageTag) -> str:
    """`fr-CA` gives "French (fr-CA)", `fr` "French"; a language without a name here stays its tag."""
    name = _NAMES.get(base_language(tag))
    if name is None:
        return tag
    return name if tag == base_language(tag) else f"{name} ({tag})"
