"""Playback in memory: keys with a readable text, and playlists."""

from __future__ import annotations

from datetime import datetime, timedelta

from functions.platform.errors import StoreUnavailable
from functions.platform.signed_tokens import SignedTokens
from functions.playback.hls import Playlists
from functions.playback.keys import ReadKey
from tests.support.catalogue import Clock

SIGNING_KEY = "k" * 32


class Keys:
    """Keys whose text contains their container and their time of issue; they are valid for an hour."""

    def read_key(self, container: str, now: datetime) -> ReadKey:
        return ReadKey(f"sig={container}&at={now:%H%M}", now + timedelta(hours=1))

    def url(self, path: str) -> str:
        return f"http://blobs/{path}"


class MemoryPlaylists:
    """Playlists by container and name; unavailable on request."""

    def __init__(self, texts: dict[tuple[str, str], str] | None = None) -> None:
        self.texts = texts or {}
        self.away = False

    def read_playlist(self, container: str, blob: str) -> str | None:
        if self.away:
            raise StoreUnavailable("The film's storage does not answer; try again in a minute.")
        return self.texts.get((container, blob))


def make_playlists(store: MemoryPlaylists | None = None, clock: Clock | None = None) -> Playlists:
    """Return an issuer of tickets; by default, its clock shows noon and there are no playlists."""
    return Playlists(SignedTokens(SIGNING_KEY, clock or Clock()), store or MemoryPlaylists(), Keys())
