"""Opening a title for a viewer: what plays it, the key to read it with, and how far it can be watched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from functions.catalogue.model import Status
from functions.platform.errors import NotPlayable
from functions.platform.identifiers import container_for
from functions.playback.entitlement import admit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.accounts.model import Viewer
    from functions.catalogue.model import Title
    from functions.playback.entitlement import Entitlements
    from functions.playback.hls import Playlists
    from functions.playback.keys import Keys


class Titles(Protocol):
    """What playback asks of the catalogue."""

    def get(self, title_id: str) -> Title:
        """Return a title; raise NotFound."""


class EncodeProgress(Protocol):
    """How far an encode is: percent of all its work, and the seconds from the start that can be watched."""

    @property
    def percent(self) -> float:
        """Return how much of the work is done, from 0 to 100."""

    @property
    def front_s(self) -> float:
        """Return up to where the title plays."""


class Encodes(Protocol):
    """What playback asks of encoding."""

    def progress(self, job_id: str) -> EncodeProgress | None:
        """Return how far a job is, or None if it is not known."""


class Opening(Protocol):
    """Where a viewer goes on, and the ticket that their heartbeats carry; None while usage cannot be kept."""

    @property
    def resume_s(self) -> float:
        """Return the place to begin at."""

    @property
    def ticket(self) -> str | None:
        """Return the ticket."""


class Usage(Protocol):
    """What playback asks of usage."""

    def open(self, user_id: str, title_id: str, *, duration_s: float, ticket: str = "") -> Opening:
        """Return where the viewer goes on; `ticket` is that of a player which has been going on and renews its key."""


@dataclass(frozen=True, slots=True)
class Subtitles:
    """A subtitle file; its address needs the session's key."""

    language: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PlaybackSession:
    """All that a player needs; addresses stand without the key, which it adds to every request for a blob.

    A player that cannot do that takes `hls_ticket_url`.
    """

    title_id: str
    job_id: str
    name: str
    status: str
    manifest_url: str
    hls_url: str
    hls_ticket_url: str = field(repr=False)  # as good as the key; from the address of the API on
    sas: str = field(repr=False)  # it may not reach a log
    expires_at: datetime
    usage_ticket: str | None = field(repr=False)
    resume_s: float
    duration_s: float
    front_s: float
    percent: float
    thumbnails_url: str | None
    subtitles: tuple[Subtitles, ...]


_WHY_NOT = {
    Status.ANNOUNCED: "has been announced, but its film is not here yet.",
    Status.ENCODING: "has just arrived; its first picture is being made. Try again in a few seconds.",
    Status.FAILED: "could not be encoded; its owner sees the reason under its job.",
    Status.READY: "has no film.",
}


class Playback:
    """Opens titles."""

    def __init__(
        self,
        titles: Titles,
        encodes: Encodes,
        entitlements: Entitlements,
        usage: Usage,
        keys: Keys,
        playlists: Playlists,
        now: Callable[[], datetime],
    ) -> None:
        self._titles = titles
        self._encodes = encodes
        self._entitlements = entitlements
        self._usage = usage
        self._keys = keys
        self._playlists = playlists
        self._now = now

    def open(self, title_id: str, viewer: Viewer, ticket: str = "") -> PlaybackSession:
        """Return what plays the title; raise NotFound, EntitlementRequired or NotPlayable.

        `ticket` is the usage ticket of a player that has been going on and renews its key.
        """
        title = self._titles.get(title_id)
        admit(viewer, title, self._entitlements)
        playback = title.playback
        if playback is None or not title.watchable:
            raise NotPlayable(f"{title.details.name!r} {_WHY_NOT[title.status]}")
        front_s, percent = playback.duration_s, 100.0
        if not playback.complete:
            progress = self._encodes.progress(playback.job_id)
            front_s, percent = (progress.front_s, progress.percent) if progress else (0.0, 0.0)
        container = container_for(title_id)
        folder = self._keys.url(f"{container}/{playback.job_id}")
        now = self._now()
        key = self._keys.read_key(container, now)
        opening = self._usage.open(viewer.user_id, title_id, duration_s=playback.duration_s, ticket=ticket)
        return PlaybackSession(
            title_id=title_id,
            job_id=playback.job_id,
            name=title.details.name,
            status=Status.READY if playback.complete else Status.ENCODING,
            manifest_url=f"{folder}/manifest.mpd",
            hls_url=f"{folder}/master.m3u8",
            hls_ticket_url=self._playlists.address(title_id, playback.job_id, key=key, at=now),
            sas=key.sas,
            expires_at=key.expires_at,
            usage_ticket=opening.ticket,
            resume_s=opening.resume_s,
            duration_s=playback.duration_s,
            front_s=front_s,
            percent=percent,
            thumbnails_url=f"{folder}/thumbnails.vtt" if playback.thumbnails else None,
            subtitles=tuple(
                Subtitles(track.language, track.label, f"{folder}/{track.name}.vtt") for track in playback.subtitles
            ),
        )
