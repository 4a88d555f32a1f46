"""Opening a title for a viewer: its addresses, the key for reading its blobs, and how far it can be watched."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from functions.catalogue.model import Status
from functions.platform.errors import AgeLimited, EntitlementRequired, NotFound, NotPlayable, StoreUnavailable
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import container_for
from functions.playback.licences import licence_until
from functions.playback.streams import uncounted_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from functions.billing.model import Entitlement
    from functions.catalogue.model import Playback, SkippablePart, Title
    from functions.platform.film_keys import FilmKeys
    from functions.platform.viewer import Viewer
    from functions.playback.hls import Playlists
    from functions.playback.model import Device
    from functions.playback.ports import (
        DemandRecorder,
        EntitlementReader,
        ProgressReader,
        ReadKeys,
        TitleReader,
        UsageRecorder,
    )
    from functions.playback.streams import Streams


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subtitles:
    """A subtitle file; the session's key must be added to its address."""

    language: str
    label: str
    url: str
    automatic: bool = False


class _Film(TypedDict):
    """The fields of a session that describe the files of a film."""

    job_id: str
    manifest_url: str
    hls_url: str
    duration_s: float
    thumbnails_url: str | None
    chapters_url: str | None
    subtitles: tuple[Subtitles, ...]


@dataclass(frozen=True, slots=True)
class PlaybackSession:
    """Everything that a player needs. Addresses do not contain the key; the player adds it to each request for a blob.

    A player that cannot add the key uses `hls_ticket_url`. `clear_keys` has the key of an encrypted film by its id,
    both in hexadecimal; it is None if the film is not encrypted. A trailer has neither usage ticket nor stream ticket.
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
    stream_ticket: str = field(repr=False)
    resume_s: float
    duration_s: float
    front_s: float
    percent: float
    uploaded_percent: float | None
    thumbnails_url: str | None
    chapters_url: str | None
    skippable: tuple[SkippablePart, ...]
    subtitles: tuple[Subtitles, ...]
    licence_until: datetime | None
    clear_keys: Mapping[str, str] | None = field(repr=False)  # must never be logged


@dataclass(frozen=True, slots=True)
class FilmPreview:
    """What an owner's page needs to show pictures of a film; the key is added to each request for a blob."""

    manifest_url: str
    sas: str = field(repr=False)  # must never be logged
    expires_at: datetime
    duration_s: float
    clear_keys: Mapping[str, str] | None = field(repr=False)  # must never be logged


_WHY_NOT = {
    Status.ANNOUNCED: "“{name}” is announced, but not available yet.",
    Status.ENCODING: "“{name}” has just arrived and is being prepared. Try again in a few seconds.",
    Status.FAILED: "“{name}” could not be prepared. The owner of this site can see the reason in the Studio.",
    Status.READY: "“{name}” has no film.",
}


class PlaybackService:
    """Opens titles for viewers."""

    def __init__(
        self,
        titles: TitleReader,
        encodes: ProgressReader,
        demand: DemandRecorder,
        entitlements: EntitlementReader,
        usage: UsageRecorder,
        keys: ReadKeys,
        playlists: Playlists,
        streams: Streams,
        now: Callable[[], datetime],
        film_keys: FilmKeys = NO_KEYS,
        *,
        finds_intros: bool = True,
    ) -> None:
        self._titles = titles
        self._encodes = encodes
        self._demand = demand
        self._entitlements = entitlements
        self._usage = usage
        self._keys = keys
        self._playlists = playlists
        self._streams = streams
        self._now = now
        self._film_keys = film_keys
        self._finds_intros = finds_intros

    def open_title(
        self,
        title_id: str,
        viewer: Viewer,
        device: Device,
        *,
        ticket: str = "",
        stream_ticket: str = "",
        download: bool = False,
    ) -> PlaybackSession:
        """Return everything needed to play or to download the title on a device.

        A player that renews its key while it plays passes its usage ticket and its stream ticket. With `download`, no
        viewing begins, and the session has a licence. Raises NotFound, EntitlementRequired, AgeLimited, NotPlayable,
        TooManyStreams or StreamStopped; FilmKeyMissing if the key of an encrypted film is lost.
        """
        title, playback, entitlement = self._watchable(title_id, viewer)
        if download and not playback.complete:
            raise NotPlayable(f"“{title.details.name}” is not complete yet. Download it later.")
        progress = None if playback.complete else self._encodes.progress(playback.job_id)
        front_s, percent = (playback.duration_s, 100.0) if playback.complete else (0.0, 0.0)
        if progress:
            front_s, percent = progress.front_s, progress.percent
        clear_keys = self._clear_keys(playback)
        container = container_for(title_id)
        folder = self._keys.url(f"{container}/{playback.job_id}")
        now = self._now()
        expires_at = self._keys.expires_at(now)
        stream = self._streams.admit(viewer.user_id, device, title, ticket=stream_ticket, lifetime=expires_at - now)
        key = self._keys.read_key(container, expires_at, stream_id=stream.stream_id)
        if playback.on_demand:
            self._want_renditions(playback.job_id, by=viewer.user_id)
        start = None
        if not download:
            start = self._usage.open(viewer.watcher_id, title_id, duration_s=playback.duration_s, ticket=ticket)
        return PlaybackSession(
            title_id=title_id,
            name=title.details.name,
            status=Status.READY if playback.complete else Status.ENCODING,
            hls_ticket_url=self._playlists.address(
                title_id, playback.job_id, until=expires_at, stream=stream, key_id=playback.key_id
            ),
            sas=key.sas,
            expires_at=key.expires_at,
            usage_ticket=start.ticket if start else None,
            stream_ticket=self._streams.sign(stream),
            resume_s=start.resume_s if start else 0.0,
            front_s=front_s,
            percent=percent,
            uploaded_percent=progress.uploaded_percent if progress else None,
            skippable=playback.skippable if self._finds_intros else (),
            licence_until=licence_until(entitlement, now) if download else None,
            clear_keys=clear_keys,
            **_film_of(playback, folder),
        )

    def open_trailer(self, title_id: str, viewer: Viewer | None) -> PlaybackSession:
        """Return everything needed to play the trailer of a title to anybody; `viewer` is None if nobody is logged in.

        Whoever may see a title's page may play its trailer, unless the age limit of a profile forbids it. The session
        has the name of the title. It counts neither as a viewing nor as a stream, and permits only the trailer. Raises
        NotFound, AgeLimited; FilmKeyMissing if the key of an encrypted trailer is lost.
        """
        title = self._titles.get(title_id, drafts=viewer is not None and viewer.admin)
        trailer = self._titles.find_trailer(title)
        playback = trailer.playback if trailer and trailer.is_trailer_of(title) else None
        if trailer is None or playback is None:
            raise NotFound(f"“{title.details.name}” has no trailer.")
        _require_suitable(title, viewer)
        container = container_for(trailer.id)
        folder = self._keys.url(f"{container}/{playback.job_id}")
        expires_at = self._keys.expires_at(self._now())
        stream = uncounted_stream(f"trailer of {title.id}")
        key = self._keys.read_key(container, expires_at, stream_id=stream.stream_id)
        return PlaybackSession(
            title_id=title.id,
            name=title.details.name,
            status=Status.READY,
            hls_ticket_url=self._playlists.address(
                trailer.id, playback.job_id, until=expires_at, stream=stream, key_id=playback.key_id
            ),
            sas=key.sas,
            expires_at=key.expires_at,
            usage_ticket=None,
            stream_ticket="",
            resume_s=0.0,
            front_s=playback.duration_s,
            percent=100.0,
            uploaded_percent=None,
            skippable=(),
            licence_until=None,
            clear_keys=self._clear_keys(playback),
            **_film_of(playback, folder),
        )

    def licence_of(self, title_id: str, viewer: Viewer) -> datetime:
        """Return until when the viewer may play a download.

        Raises NotFound, EntitlementRequired, AgeLimited or NotPlayable.
        """
        return licence_until(self._watchable(title_id, viewer)[2], self._now())

    def preview_title(self, title_id: str) -> FilmPreview:
        """Return what is needed to show pictures of a title's film to an owner.

        This counts neither as a viewing nor as a stream. Raises NotFound, NotPlayable.
        """
        playback = _playback_of(self._titles.get(title_id, drafts=True))
        container = container_for(title_id)
        key = self._keys.read_key(container, self._keys.expires_at(self._now()), stream_id=f"preview of {title_id}")
        manifest_url = self._keys.url(f"{container}/{playback.job_id}/manifest.mpd")
        return FilmPreview(
            manifest_url, key.sas, key.expires_at, playback.duration_s, clear_keys=self._clear_keys(playback)
        )

    def _want_renditions(self, job_id: str, *, by: str) -> None:
        """Note that the renditions of a film are wanted; without them, it can be played too."""
        try:
            self._demand.want(job_id, by=by)
        except StoreUnavailable as error:  # the player repeats this whenever it renews its key
            log.warning("the renditions of job %s were not requested: %s", job_id, error.detail)

    def _clear_keys(self, playback: Playback) -> dict[str, str] | None:
        """Return the key of an encrypted film by its id, or None. Raises FilmKeyMissing."""
        if playback.key_id is None:
            return None
        return {playback.key_id: self._film_keys.key_of(playback.job_id, playback.key_id).key.hex()}

    def _watchable(self, title_id: str, viewer: Viewer) -> tuple[Title, Playback, Entitlement]:
        """Return a title that the viewer may watch.

        Raises NotFound, EntitlementRequired, AgeLimited or NotPlayable.
        """
        title = self._titles.get(title_id, drafts=viewer.admin)
        if title.trailer_of:
            raise NotFound("This is a trailer, which is played under the id of its title.")
        entitlement = self._entitlements.of(viewer)
        if not entitlement.entitled:
            raise EntitlementRequired(f"Subscribe to watch “{title.details.name}”; the plans are on the plans page.")
        _require_suitable(title, viewer)
        return title, _playback_of(title), entitlement


def _require_suitable(title: Title, viewer: Viewer | None) -> None:
    """Raise AgeLimited if the age limit of a viewer's profile forbids a title; nobody else has a limit."""
    if viewer and not title.details.is_suitable(viewer.age_limit):
        raise AgeLimited("This profile cannot play this film. Switch to another profile to watch it.")


def _playback_of(title: Title) -> Playback:
    """Return the film of a title. Raises NotPlayable if it has none that can be watched."""
    if title.playback is None or not title.watchable:
        raise NotPlayable(_WHY_NOT[title.status].format(name=title.details.name))
    return title.playback


def _film_of(playback: Playback, folder: str) -> _Film:
    """Return the fields of a session that describe the files of a film in a folder."""
    return {
        "job_id": playback.job_id,
        "manifest_url": f"{folder}/manifest.mpd",
        "hls_url": f"{folder}/master.m3u8",
        "duration_s": playback.duration_s,
        "thumbnails_url": f"{folder}/thumbnails.vtt" if playback.thumbnails else None,
        "chapters_url": f"{folder}/chapters.vtt" if playback.chapters else None,
        "subtitles": tuple(
            Subtitles(track.language, track.label, f"{folder}/{track.name}.vtt", automatic=track.automatic)
            for track in playback.subtitles
        ),
    }
