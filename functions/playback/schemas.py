"""The JSON of playback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from functions.platform.field_types import Time

if TYPE_CHECKING:
    from functions.playback.service import PlaybackSession

Ticket = Annotated[str, Meta(max_length=4000)]
PlaylistName = Annotated[str, Meta(max_length=100)]
UsageTicket = Annotated[
    str | None, Meta(description="The ticket of the session that is renewed; absent or null for a new one.")
]


class OpenPlayback(Struct, frozen=True):
    """The body of a request to open a title; only a player that renews its key sends fields."""

    usage_ticket: UsageTicket = None


class SubtitleTrack(Struct, frozen=True):
    """A WebVTT file; the session's key must be added to its address."""

    language: str
    label: str
    url: str


class PlaybackOpened(Struct, frozen=True):
    """Everything that a player needs. Addresses do not contain the key; the player adds it to each blob request."""

    title_id: str
    job_id: str
    name: str
    status: Literal["ready", "encoding"]
    manifest_url: Annotated[str, Meta(description="The DASH manifest.")]
    hls_url: Annotated[str, Meta(description="The HLS master playlist.")]
    hls_ticket_url: Annotated[
        str,
        Meta(description="The HLS master playlist for a player that cannot add the key, relative to the API's base."),
    ]
    sas: Annotated[str, Meta(description="The key, a query string, to add to each request for a blob.")]
    expires_at: Annotated[Time, Meta(description="When the key expires; open the title again before that.")]
    usage_ticket: Annotated[str | None, Meta(description="For heartbeats; null while usage cannot be stored.")]
    resume_s: Annotated[float, Meta(description="Where the viewer stopped.")]
    duration_s: float
    front_s: Annotated[float, Meta(description="How much of the title can be watched, from its start.")]
    percent: Annotated[float, Meta(description="How much of the encode is done, from 0 to 100.")]
    thumbnails_url: str | None
    subtitles: tuple[SubtitleTrack, ...]

    @classmethod
    def of(cls, session: PlaybackSession) -> PlaybackOpened:
        """Return the JSON of a session."""
        return msgspec.convert(session, cls, from_attributes=True)
