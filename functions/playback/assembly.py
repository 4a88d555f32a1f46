"""Creates the services of the playback slice with their dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.platform.film_keys import film_keys_of
from functions.playback.hls import Playlists
from functions.playback.keys import SasKeys
from functions.playback.positions import Positions
from functions.playback.repository import BlobPlaylists, RedisStreams
from functions.playback.service import PlaybackService
from functions.playback.streams import Streams

if TYPE_CHECKING:
    from functions.platform.resources import Resources
    from functions.playback.ports import (
        AudienceReader,
        DemandRecorder,
        EntitlementReader,
        ProgressReader,
        TitleReader,
        UsageRecorder,
    )


@dataclass(frozen=True, slots=True)
class PlaybackParts:
    """The service that opens titles, playlists for native players, streams of accounts, positions of growing films."""

    service: PlaybackService
    playlists: Playlists
    streams: Streams
    positions: Positions


STREAM_TICKET_LIFETIME = timedelta(hours=24)
"""Lifetime of a stream ticket; a page that plays gets a new one each time it renews its key."""


def end_streams(resources: Resources, user_id: str, session_id: str) -> None:
    """Remove the streams of a login session that has ended, or of the whole account if `session_id` is empty.

    This needs nothing but Redis, so that no other part of playback can prevent a log-out.
    """
    RedisStreams(resources.redis()).end_streams_of(user_id, session_id=session_id)


def assemble(
    resources: Resources,
    titles: TitleReader,
    encodes: ProgressReader,
    audience: AudienceReader,
    demand: DemandRecorder,
    entitlements: EntitlementReader,
    usage: UsageRecorder,
) -> PlaybackParts:
    """Return the services of playback; each connection is opened at its first use."""
    settings = resources.settings()
    keys = SasKeys(
        resources.signer(),
        minutes=settings.playback_sas_minutes,
        front=settings.blob_url,
        token_key=settings.cdn_token_key,
    )
    streams = Streams(
        RedisStreams(resources.redis()),
        resources.signed_tokens(),
        limit=settings.streams_per_account,
        ticket_lifetime=STREAM_TICKET_LIFETIME,
        now=resources.now,
    )
    film_keys = film_keys_of(settings)
    blobs = BlobPlaylists(resources.interactive_blob_service())
    playlists = Playlists(resources.signed_tokens(), blobs, keys, streams, film_keys)
    service = PlaybackService(
        titles,
        encodes,
        demand,
        entitlements,
        usage,
        keys,
        playlists,
        streams,
        resources.now,
        film_keys,
        finds_intros=settings.find_intros != "never",
    )
    return PlaybackParts(service, playlists, streams, Positions(audience, streams, keys))
