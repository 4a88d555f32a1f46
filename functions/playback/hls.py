"""Playlists for players that cannot add the key to requests (RFC 8216): a ticket replaces the key and expires with it.

A native HLS player gets only the master playlist's address and follows the addresses in it, so these addresses contain
a ticket. Playlists refer to each other by relative addresses, which keep the ticket, and to all other files by absolute
addresses with a SAS. The addresses of segments do not change while playlists grow, because everything that is read with
a ticket is signed with the key that was issued together with the ticket.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.platform.errors import NotFound
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.signed_tokens import SignedTokens
    from functions.playback.keys import ReadKey
    from functions.playback.ports import PlaylistStore, ReadKeys

PURPOSE = "hls"
MASTER = "master.m3u8"

_PLAYLIST = re.compile(r"(?:master|[a-z][a-z0-9]{0,15})\.m3u8", re.ASCII)
_WITH_ADDRESS = ("#EXT-X-MEDIA:", "#EXT-X-MAP:")
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=(?:"([^"\n]*)"|[^",\n]*)')


class Playlists:
    """Issues tickets for a title's playlists, and returns the playlists that a ticket permits."""

    def __init__(self, tokens: SignedTokens, store: PlaylistStore, keys: ReadKeys) -> None:
        self._tokens = tokens
        self._store = store
        self._keys = keys

    def address(self, title_id: str, job_id: str, *, key: ReadKey, at: datetime) -> str:
        """Return the address of the master playlist, relative to the API's base; `key` was issued at `at`."""
        content = {"title_id": title_id, "job_id": job_id, "at": int(at.timestamp())}
        return f"hls/{self._tokens.sign(PURPOSE, content, until=key.expires_at)}/{MASTER}"

    def read(self, ticket: str, name: str) -> str:
        """Return a playlist of the ticket's title with signed addresses. Raises Unauthenticated or NotFound."""
        content = self._tokens.verify(PURPOSE, ticket)
        container, job_id = container_for(content["title_id"]), content["job_id"]
        text = self._store.read_playlist(container, f"{job_id}/{name}") if _PLAYLIST.fullmatch(name) else None
        if text is None:
            raise NotFound("There is no such playlist; open the title again.")
        folder = self._keys.url(f"{container}/{job_id}")
        # the key for the ticket's own time, because a current key could outlive the ticket
        sas = self._keys.read_key(container, datetime.fromtimestamp(content["at"], UTC)).sas
        return signed(text, lambda path: f"{folder}/{path}?{sas}")


def signed(playlist: str, address: Callable[[str], str]) -> str:
    """Return the playlist with every path replaced by `address(path)`, except paths of playlists."""
    # not splitlines(), which also splits at characters that a track's name can contain
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
    """Return an attribute, signed if it is a URI.

    Attributes are matched from the left, because a track's name can contain text that looks like an attribute.
    """
    name, quoted = match.groups()
    return f'URI="{_signed_path(quoted, address)}"' if name == "URI" and quoted else match.group()


def _signed_path(path: str, address: Callable[[str], str]) -> str:
    return path if path.endswith(".m3u8") else address(path)
