"""What a speech server offers: its models and voices. For the service and the command line; blocks.

There is no standard beyond `GET /models`. Where voices are listed, seen in 2026: `/audio/voices`
(Kokoro-FastAPI, vLLM-Omni, oMLX; some take `?model=`), `/voices` (GPUStack), inside the models (Speaches).
OpenAI, openedai-speech and LocalAI list none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote

from alltalk_plugin.domain.engines import EngineVoice
from alltalk_plugin.domain.errors import ModelIncompatible, VoiceNotFound
from alltalk_plugin.domain.language import LanguageTag, language_tag
from alltalk_plugin.engines.remote.access import Never, failure_of, headers_of, key_of
from alltalk_plugin.engines.remote.answers import Asked, refusal
from alltalk_plugin.engines.remote.line import Broken, Call, Late, Line
from alltalk_plugin.engines.remote.options import Endpoint, endpoint_of

LIST_BYTES = 4_000_000
"""OpenRouter's list of models has half a megabyte."""
_SPEECH_TASKS = ("text-to-speech", "tts", "speech")


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model as its server names it. `speech`: it is for speech; None when the server does not say."""

    name: str
    speech: bool | None = None
    voices: tuple[EngineVoice, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteOffer:
    """What a server said of itself; empty where it said nothing. `base_url` is what the option should be."""

    base_url: str
    models: tuple[RemoteModel, ...] = ()
    voices: tuple[EngineVoice, ...] = ()


def discover(base_url: str, key_env: str = "", *, model: str = "", timeout_s: float = 10.0) -> RemoteOffer:
    """Ask a server for its models, and for the voices (of `model`, where that makes a difference).

    `key_env` is the variable that holds the key, as in the options. Makes at most three requests.

    Raises: RemoteUnavailable, RemoteRefused, RemoteBusy, RemoteError, ModelIncompatible (the address).
    """
    endpoint = endpoint_of(base_url)
    asking = _Asking(endpoint, key_of(key_env), timeout_s)
    try:
        models = models_in(asking.get("/models"))
        own = next((one.voices for one in models if one.name == model), ())
        query = f"?model={quote(model, safe='')}" if model else ""
        voices = (
            own or voices_in(asking.get(f"/audio/voices{query}")) or voices_in(asking.get(f"/voices{query}"))
        )
    finally:
        asking.line.close()
    # What was taken to the letter may read otherwise once it is shortened.
    again = endpoint.url if endpoint_of(endpoint.url) == endpoint else base_url.strip()
    return RemoteOffer(again, models, voices)


class _Asking:
    def __init__(self, endpoint: Endpoint, key: str, timeout_s: float) -> None:
        self.line = Line(endpoint, connect_s=timeout_s)
        self._prefix = endpoint.prefix
        self._asked = Asked(endpoint.url, key=key)
        self._timeout_s = timeout_s
        self._until_s = time.monotonic() + timeout_s

    def get(self, path: str) -> object:
        """The document there; None when there is none."""
        call = Call("GET", f"{self._prefix}{path}", headers_of(self._asked.key))
        try:
            with self.line.ask(call, Never(), self._until_s) as answer:
                head, body = answer.head, answer.beginning(self._until_s, LIST_BYTES)
        except (Late, Broken) as error:
            timeout_s = self._timeout_s
            raise failure_of(error, self._asked, connect_s=timeout_s, answer_s=timeout_s).error from error
        if head.status == HTTPStatus.OK:
            with suppress(ValueError):  # a page, or cut off
                return json.loads(body)
            return None
        refused = refusal(head.status, head.headers, body, self._asked, datetime.now(UTC)).error
        if isinstance(refused, ModelIncompatible | VoiceNotFound):
            return None  # it has no such list
        raise refused


def models_in(document: object) -> tuple[RemoteModel, ...]:
    """The models in an answer to `GET /models`, those for speech first."""
    found = [
        RemoteModel(name, _for_speech(entry), voices_in(entry))
        for entry in _entries(document, "data", "models")
        if isinstance(entry, dict) and (name := _name(entry, "id", "name"))
    ]
    return tuple(sorted(found, key=lambda model: {True: 0, None: 1, False: 2}[model.speech]))


def voices_in(document: object) -> tuple[EngineVoice, ...]:
    """The voices in an answer, whatever its shape: names, or objects with an id, a name or a voice_id."""
    found = []
    for entry in _entries(document, "voices", "data"):
        if isinstance(entry, str):
            found.append(EngineVoice(entry, entry, ()))
        elif isinstance(entry, dict) and (speaker := _name(entry, "id", "voice_id", "name")):
            found.append(EngineVoice(speaker, _name(entry, "name") or speaker, tuple(_languages(entry))))
    return tuple(found)


def _entries(document: object, *keys: str) -> list[object]:
    if isinstance(document, dict):
        document = next((document[key] for key in keys if isinstance(document.get(key), list)), None)
    return document if isinstance(document, list) else []


def _name(entry: dict[object, object], *keys: str) -> str:
    return next((value for key in keys if isinstance(value := entry.get(key), str) and value), "")


def _for_speech(entry: dict[object, object]) -> bool | None:
    task = entry.get("task")
    if isinstance(task, str):
        return task in _SPEECH_TASKS
    return True if isinstance(entry.get("voices"), list) else None


def _languages(entry: dict[object, object]) -> Iterator[LanguageTag]:
    told = entry.get("languages", entry.get("language"))
    for text in told if isinstance(told, list) else [told]:
        if isinstance(text, str):
            with suppress(ValueError):  # a word such as "English"
                yield language_tag(text)
