"""Playlists for players that sign nothing themselves (RFC 8216): a ticket stands for the key, and dies with it.

A native HLS player is given one address and follows what stands in it. So the address carries a ticket; playlists name
each other by relative addresses, which carry it on, and everything else by address and SAS. A title's segments keep
their addresses while its playlists grow, since all that one ticket reads is signed with the key of its own time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from functions.platform.errors import NotFound
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.signed_tokens import SignedTokens
    from functions.playback.keys import Keys, ReadKey

PURPOSE = "hls"
MASTER = "master.m3u8"

_PLAYLIST = re.compile(r"(?:master|[a-z][a-z0-9]{0,15})\.m3u8", re.ASCII)
_WITH_ADDRESS = ("#EXT-X-MEDIA:", "#EXT-X-MAP:")
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=(?:"([^"\n]*)"|[^",\n]*)')


class PlaylistStore(Protocol):
    """Where playlists lie."""

    def read(self, container: str, blob: str) -> str | None:
        """Return the text of a playlist, or None where there is none; raise StoreUnavailable."""


class Playlists:
    """Gives out tickets to a title's playlists, and reads the playlists that a ticket opens."""

    def __init__(self, tickets: SignedTokens, store: PlaylistStore, keys: Keys) -> None:
        self._tokens = tickets
        self._store = store
        self._keys = keys

    def address(self, title_id: str, job_id: str, *, key: ReadKey, at: datetime) -> str:
        """Return the address, from that of the API on, of the master playlist; `key` was given out at `at`."""
        content = {"title_id": title_id, "job_id": job_id, "at": int(at.timestamp())}
        return f"hls/{self._tokens.sign(PURPOSE, content, until=key.expires_at)}/{MASTER}"

    def read(self, ticket: str, name: str) -> str:
        """Return a playlist of the ticket's title, its addresses signed; raise Unauthenticated or NotFound."""
        content = self._tokens.verify(PURPOSE, ticket)
        container, job_id = container_for(content["title_id"]), content["job_id"]
        text = self._store.read(container, f"{job_id}/{name}") if _PLAYLIST.fullmatch(name) else None
        if text is None:
            raise NotFound("There is no such playlist here; open the title again.")
        folder = self._keys.url(f"{container}/{job_id}")
        # as of the ticket's time: a key as of now could outlive it
        sas = self._keys.read_key(container, datetime.fromtimestamp(content["at"], UTC)).sas
        return signed(text, lambda path: f"{folder}/{path}?{sas}")


def signed(playlist: str, address: Callable[[str], str]) -> str:
    """Return the playlist with `address(path)` for every path in it but those of playlists."""
    # not splitlines(), which also ends lines at characters that the name of a track may hold
    return "\n".join(_signed_line(line, address) for line in playlist.split("\n"))


def _signed_line(line: str, address: Callable[[str], str]) -> str:
    path = line.strip()
    if not path:
        return line
    if not path.startswith("#"):
        return line.replace(path, _signed_path(path, address), 1)
    if not path.startswith(_WITH_ADDRESS):
        return line
    tag, _, attributes = line.partition(":")
    return f"{tag}:{_ATTRIBUTE.sub(lambda match: _signed_attribute(match, address), attributes)}"


def _signed_attribute(match: re.Match[str], address: Callable[[str], str]) -> str:
    """Return an attribute; the name of a track may itself look like one, so each is taken whole, from the left."""
    name, quoted = match.groups()
    return f'URI="{_signed_path(quoted, address)}"' if name == "URI" and quoted else match.group()


def _signed_path(path: str, address: Callable[[str], str]) -> str:
    return path if path.endswith(".m3u8") else address(path)
