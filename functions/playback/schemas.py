"""The JSON of playback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from functions.catalogue.model import SkippablePart
from functions.platform.decoding import convert
from functions.platform.field_types import JobId, Time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.playback.model import Device, Stream
    from functions.playback.positions import PlayablePart
    from functions.playback.service import FilmPreview, PlaybackSession

Ticket = Annotated[str, Meta(max_length=4000)]
PlaylistName = Annotated[str, Meta(max_length=100)]
UsageTicket = Annotated[
    str | None, Meta(description="The ticket of the session that is renewed; absent or null for a new one.")
]


StreamTicketText = Annotated[
    str | None,
    Meta(description="The stream ticket of this page's last session, also of another title; absent or null if none."),
]
StreamId = Annotated[str, Meta(max_length=64, description="The id of a stream.")]


ClearKeys = Annotated[
    dict[str, str] | None,
    Meta(
        description="The key of an encrypted film by its id, both in hexadecimal, as players with Clear Key take it; "
        "null if the film is not encrypted."
    ),
]


class OpenPlayback(Struct, frozen=True):
    """The body of a request to open a title; a page that opened a title before sends its tickets."""

    usage_ticket: UsageTicket = None
    stream_ticket: StreamTicketText = None
    download: Annotated[
        bool, Meta(description="Whether the title is stored on the device instead of played: no viewing begins.")
    ] = False


class PositionRequest(Struct, frozen=True):
    """The position in a growing film that a player wants to play."""

    stream_ticket: Annotated[str, Meta(min_length=1, max_length=2000, description="The ticket of the open stream.")]
    job_id: JobId
    position_s: Annotated[float, Meta(ge=0, le=1_000_000, description="The position in seconds.")]


class FilmPart(Struct, frozen=True):
    """A part of a film that can be watched."""

    from_s: float
    until_s: Annotated[float, Meta(description="How far the part can be watched; it may grow.")]
    manifest_url: Annotated[str, Meta(description="The DASH manifest from this part on; add the key as to any blob.")]


class FilmParts(Struct, frozen=True):
    """The parts of a film that can be watched: first the one from its start, then others in order."""

    parts: tuple[FilmPart, ...]

    @classmethod
    def of(cls, parts: Iterable[PlayablePart]) -> FilmParts:
        """Return the JSON of parts."""
        return cls(tuple(FilmPart(part.from_s, part.until_s, part.manifest_url) for part in parts))


class StreamLeft(Struct, frozen=True):
    """The stream of a page that was closed."""

    stream_ticket: Annotated[str, Meta(min_length=1, max_length=2000)]


class OpenStream(Struct, frozen=True):
    """A title that a device of the account plays."""

    stream_id: str
    title_id: str
    title: Annotated[str, Meta(description="The name of the title.")]
    device: Annotated[str, Meta(description="Browser and operating system in a few words.")]
    since: Time
    here: Annotated[bool, Meta(description="Whether the device is the caller's.")]


class OpenStreams(Struct, frozen=True):
    """What the account plays at the moment, oldest first, and how many titles it may play at the same time."""

    limit: int
    streams: tuple[OpenStream, ...]

    @classmethod
    def of(cls, streams: Iterable[Stream], limit: int, device: Device) -> OpenStreams:
        """Return the JSON of the streams of the account to which `device` belongs."""
        listed = tuple(
            OpenStream(
                stream_id=one.stream_id,
                title_id=one.title_id,
                title=one.title,
                device=one.device,
                since=one.since,
                here=one.session_id == device.session_id,
            )
            for one in streams
        )
        return cls(limit, listed)


class SubtitleTrack(Struct, frozen=True):
    """A WebVTT file; the session's key must be added to its address."""

    language: str
    label: str
    url: str
    automatic: Annotated[bool, Meta(description="Whether a machine made them from the sound; nobody has checked them.")]


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
    usage_ticket: Annotated[
        str | None, Meta(description="For heartbeats; null while usage cannot be stored, and for a trailer.")
    ]
    stream_ticket: Annotated[
        str,
        Meta(
            description="Send it with the next request of this page to open or renew, and when the page closes; empty "
            "for a trailer."
        ),
    ]
    resume_s: Annotated[float, Meta(description="Where the viewer stopped.")]
    duration_s: float
    front_s: Annotated[float, Meta(description="How much of the title can be watched, from its start.")]
    percent: Annotated[float, Meta(description="How much of the encode is done, from 0 to 100.")]
    uploaded_percent: Annotated[
        float | None,
        Meta(description="How much of the film has arrived, from 0 to 100, while it is uploaded; null once all has."),
    ]
    thumbnails_url: str | None
    chapters_url: Annotated[str | None, Meta(description="The chapters as WebVTT; null if the film has none.")]
    skippable: Annotated[
        tuple[SkippablePart, ...],
        Meta(description="The intro and the credits of an episode, where known."),
    ]
    subtitles: tuple[SubtitleTrack, ...]
    licence_until: Annotated[
        Time | None, Meta(description="Until when the device may play a download; null unless `download` is true.")
    ]
    clear_keys: ClearKeys

    @classmethod
    def of(cls, session: PlaybackSession) -> PlaybackOpened:
        """Return the JSON of a session."""
        return convert(session, cls, from_attributes=True)


class Licence(Struct, frozen=True):
    """The licence of a download."""

    licence_until: Annotated[Time, Meta(description="Until when the device may play the download.")]


class PreviewOpened(Struct, frozen=True):
    """What an owner's page needs to show pictures of a film."""

    manifest_url: Annotated[str, Meta(description="The DASH manifest.")]
    sas: Annotated[str, Meta(description="The key, a query string, to add to each request for a blob.")]
    expires_at: Annotated[Time, Meta(description="When the key expires.")]
    duration_s: float
    clear_keys: ClearKeys

    @classmethod
    def of(cls, preview: FilmPreview) -> PreviewOpened:
        """Return the JSON of a preview."""
        return convert(preview, cls, from_attributes=True)
