"""How the parts of playback fit together, given the neighbours and clients that the composition root has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.playback.hls import Playlists
from functions.playback.keys import SasKeys
from functions.playback.service import Playback
from functions.playback.storage import BlobPlaylists

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azure.storage.blob import BlobServiceClient

    from functions.platform.blob_signing import Signer
    from functions.platform.settings import Settings
    from functions.platform.signed_tokens import SignedTokens
    from functions.playback.entitlement import Entitlements
    from functions.playback.service import Encodes, Titles, Usage


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The slices that playback asks."""

    titles: Titles
    encodes: Encodes
    entitlements: Entitlements
    usage: Usage


@dataclass(frozen=True, slots=True)
class PlaybackParts:
    """The opener of titles, and what gives native players their playlists."""

    opener: Playback
    playlists: Playlists


def assemble(
    settings: Settings,
    blobs: BlobServiceClient,
    signer: Signer,
    neighbours: Neighbours,
    tickets: SignedTokens,
    now: Callable[[], datetime],
) -> PlaybackParts:
    """Return playback; nothing is connected to before it is used."""
    keys = SasKeys(signer, minutes=settings.playback_sas_minutes, front=settings.blob_url)
    playlists = Playlists(tickets, BlobPlaylists(blobs), keys)
    asked = (neighbours.titles, neighbours.encodes, neighbours.entitlements, neighbours.usage)
    return PlaybackParts(Playback(*asked, keys, playlists, now), playlists)
