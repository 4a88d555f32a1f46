"""Opening a title for a viewer: its addresses, the key for reading its blobs, and how far it can be watched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.platform.errors import EntitlementRequired, NotPlayable
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.platform.viewer import Viewer
    from functions.playback.hls import Playlists
    from functions.playback.ports import EntitlementReader, ProgressReader, ReadKeys, TitleReader, UsageRecorder


@dataclass(frozen=True, slots=True)
class Subtitles:
    """A subtitle file; the session's key must be added to its address."""

    language: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PlaybackSession:
    """Everything that a player needs. Addresses do not contain the key; the player adds it to each request for a blob.

    A player that cannot add the key uses `hls_ticket_url`.
    """

    title_id: str
    job_id: str
    name: str
    status: str
    manifest_url: str
    hls_url: str
    hls_ticket_url: str = field(repr=False)  # as confidential as the key; relative to the API's base
    sas: str = field(repr=False)  # must never be logged
    expires_at: datetime
    usage_ticket: str | None = field(repr=False)
    resume_s: float
    duration_s: float
    front_s: float
    percent: float
    thumbnails_url: str | None
    subtitles: tuple[Subtitles, ...]


_WHY_NOT = {
    Status.ANNOUNCED: "is announced, but not available yet.",
    Status.ENCODING: "has just arrived and is being prepared. Try again in a few seconds.",
    Status.FAILED: "could not be prepared. Its owner can see the reason in the Studio.",
    Status.READY: "has no film.",
}


class PlaybackService:
    """Opens titles for viewers."""

    def __init__(
        self,
        titles: TitleReader,
        encodes: ProgressReader,
        entitlements: EntitlementReader,
        usage: UsageRecorder,
        keys: ReadKeys,
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

    def open_title(self, title_id: str, viewer: Viewer, ticket: str = "") -> PlaybackSession:
        """Return everything needed to play the title. Raises NotFound, EntitlementRequired or NotPlayable.

        `ticket` is the usage ticket of a player that renews its key while it plays.
        """
        title = self._titles.get(title_id)
        if not self._entitlements.of(viewer).entitled:
            raise EntitlementRequired(f"Subscribe to watch {title.details.name!r}; the plans are on the plans page.")
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
        start = self._usage.open(viewer.user_id, title_id, duration_s=playback.duration_s, ticket=ticket)
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
            usage_ticket=start.ticket,
            resume_s=start.resume_s,
            duration_s=playback.duration_s,
            front_s=front_s,
            percent=percent,
            thumbnails_url=f"{folder}/thumbnails.vtt" if playback.thumbnails else None,
            subtitles=tuple(
                Subtitles(track.language, track.label, f"{folder}/{track.name}.vtt") for track in playback.subtitles
            ),
        )
