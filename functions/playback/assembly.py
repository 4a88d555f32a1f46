"""How the parts of playback fit together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.playback.hls import Playlists
from functions.playback.keys import SasKeys
from functions.playback.repository import BlobPlaylists
from functions.playback.service import PlaybackService

if TYPE_CHECKING:
    from functions.platform.resources import Resources
    from functions.playback.ports import EntitlementReader, ProgressReader, TitleReader, UsageRecorder


@dataclass(frozen=True, slots=True)
class PlaybackParts:
    """The service that opens titles, and the playlists for native players."""

    service: PlaybackService
    playlists: Playlists


def assemble(
    resources: Resources,
    *,
    titles: TitleReader,
    encodes: ProgressReader,
    entitlements: EntitlementReader,
    usage: UsageRecorder,
) -> PlaybackParts:
    """Return playback; each connection is opened at its first use."""
    settings = resources.settings()
    keys = SasKeys(resources.signer(), minutes=settings.playback_sas_minutes, front=settings.blob_url)
    playlists = Playlists(resources.signed_tokens(), BlobPlaylists(resources.blob_service()), keys)
    service = PlaybackService(titles, encodes, entitlements, usage, keys, playlists, resources.now)
    return PlaybackParts(service, playlists)
