"""The domain of playback: streams, which are playback sessions that count towards the limit of their account.

A stream is open while the key that was last issued for it is valid, so its end needs no message from the player.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Device:
    """Where a viewer watches: the id of the login session, and the short name of the browser."""

    session_id: str = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A title that a device plays; `since` is when the device opened it."""

    stream_id: str
    session_id: str = field(repr=False)
    device: str
    title_id: str
    title: str
    since: datetime


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A request to open or renew a stream; `stream_id` is a new id or the id of the stream to renew.

    A device that opens the same title again without the id of its stream, as after a crash, continues that stream.
    """

    stream_id: str
    device: Device
    title_id: str
    title: str


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """A stream that may play; `renewal` distinguishes this renewal from earlier and later ones."""

    stream_id: str
    renewal: int


@dataclass(frozen=True, slots=True)
class StreamLimitReached:
    """The refusal of another stream, with the open streams of the account, oldest first."""

    open: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The refusal to renew a stream that was stopped; `stopped_by` is the name of the device that stopped it."""

    stopped_by: str


class QuestionOutcome(StrEnum):
    """Whether the player of a stream may ask a question; the values are those that the script in Redis returns."""

    ALLOWED = "allowed"
    ENDED = "ended"
    TOO_OFTEN = "too often"
