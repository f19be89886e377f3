"""What requests may say. Checked once, here; inside only domain types travel."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from alltalk_plugin.domain.audio import AudioFormat
from alltalk_plugin.domain.hosts import HostReply
from alltalk_plugin.domain.models import ModelRef, SwapMode
from alltalk_plugin.domain.speech import Chat, ChatId, MessageId, Reply
from alltalk_plugin.settings.schema import Tag


class Wire(BaseModel):
    """A misspelt field is an error: nothing that was asked for is silently left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HostWire(BaseModel):
    """Unknown fields pass: a copied-out adapter may be newer than the service."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Name = Annotated[str, Field(max_length=200)]


class ReplyRequest(Wire):
    """A reply as plain text with its markup, and what is known around it."""

    text: str
    character: Name | None = None
    user_name: Name | None = None
    roster: tuple[Name, ...] = ()
    chat_id: Name = ""
    message_id: Name = ""
    voice: Name | None = None
    language: Tag | None = None
    default_language: Tag | None = None
    languages: tuple[Tag, ...] | None = None

    def reply(self) -> Reply:
        return Reply(
            text=self.text,
            message_id=MessageId(self.message_id),
            character=self.character,
            chat=Chat(id=ChatId(self.chat_id), roster=self.roster, user_name=self.user_name),
            voice=self.voice,
            language=self.language,
            default_language=self.default_language,
            languages=self.languages,
        )


class SpeakRequest(ReplyRequest):
    """`stream` true sends audio as it grows; false the whole file, once it is whole."""

    format: AudioFormat | None = None
    stream: bool = False


class HostOutputRequest(HostWire):
    """See `domain.hosts.HostReply`."""

    text: str
    escaped: bool = False
    character: str | None = None
    user_name: str | None = None
    roster: tuple[str, ...] = ()
    chat_id: str = ""
    message_id: str = ""
    mode: str = ""
    final: bool = True
    greeting: str | None = None
    is_greeting: bool = False
    media_url: str = ""

    def host_reply(self, message_id: str) -> HostReply:
        return HostReply(**{**self.model_dump(), "message_id": message_id})


class StopRequest(HostWire):
    """Which replies of this host to stop; without any field, all of them."""

    message_id: str | None = None
    chat_id: str | None = None


class KeptRequest(HostWire):
    """`audio_file` is the name under which the host keeps it: `id.format`."""

    audio_file: Annotated[str, Field(max_length=64)]


class PanelChange(HostWire):
    """`values` by the keys of the panel's fields; `character` is whom the host's user talks with.

    Of a list of words the value holds what changes: word -> as said, or null to take it out.
    """

    values: dict[str, bool | int | float | str | dict[str, str | None] | None]
    character: str | None = None


class TestSentence(HostWire):
    text: Annotated[str, Field(max_length=2_000)]
    character: str | None = None


class HelloRequest(HostWire):
    """The host's process; `instance` tells two of one process apart. `started_at` is Unix seconds."""

    pid: int = Field(gt=0)
    instance: str = Field(min_length=1, max_length=64)
    started_at: float | None = None


class ByeRequest(HostWire):
    instance: str = Field(min_length=1, max_length=64)


class SwapRequest(Wire):
    """`cause` person: chosen by hand just now; it waits for the minimum interval instead of being refused,
    and a newer choice takes its place."""

    target: ModelRef
    cause: Literal["api", "person"] = "api"
    mode: SwapMode = SwapMode.AUTO
    force: bool = False
    dry_run: bool = False


class PinRequest(Wire):
    pinned: bool = True


class RollbackRequest(Wire):
    """`to` None: the model that was good before."""

    to: ModelRef | None = None
