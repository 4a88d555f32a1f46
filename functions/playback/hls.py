"""Playlists for players that cannot add the key to requests (RFC 8216): a ticket replaces the key and expires with it.

A native HLS player gets only the master playlist's address and follows the addresses in it, so these addresses contain
a ticket. Playlists refer to each other by relative addresses, which keep the ticket, and to all other files by absolute
addresses with a SAS. The addresses of segments do not change while playlists grow, because all addresses behind a
ticket are signed with the one key that was issued together with the ticket.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from functions.platform.errors import NotFound
from functions.platform.film_keys import KEY_FILE, NO_KEYS
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.platform.film_keys import FilmKeys
    from functions.platform.signed_tokens import SignedTokens
    from functions.playback.ports import PlaylistStore, ReadKeys
    from functions.playback.streams import Streams, StreamTicket

PURPOSE = "playlists"
KEY_ADDRESS = "film-keys"
"""The beginning of the address of a film's key, relative to the API's base; the ticket of its playlists follows."""

MASTER = "master.m3u8"

_PLAYLIST = re.compile(r"(?:master|[a-z][a-z0-9]{0,15})\.m3u8", re.ASCII)
_WITH_ADDRESS = ("#EXT-X-MEDIA:", "#EXT-X-MAP:", "#EXT-X-KEY:")
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=(?:"([^"\n]*)"|[^",\n]*)')


class Playlists:
    """Issues tickets for a title's playlists, and returns the playlists and the key that a ticket permits."""

    def __init__(
        self,
        tokens: SignedTokens,
        store: PlaylistStore,
        keys: ReadKeys,
        streams: Streams,
        film_keys: FilmKeys = NO_KEYS,
    ) -> None:
        self._film_keys = film_keys
        self._tokens = tokens
        self._store = store
        self._keys = keys
        self._streams = streams

    def address(
        self, title_id: str, job_id: str, *, until: datetime, stream: StreamTicket, key_id: str | None = None
    ) -> str:
        """Return the address of the master playlist, relative to the API's base; it is valid until the key expires.

        The names in the ticket are short, because proxies limit the length of a path segment. Only the ticket of a
        counted stream names the account: the store does not know other streams, and would report that they have ended.
        """
        content = {"t": title_id, "j": job_id, "s": stream.stream_id}
        if key_id:
            content["k"] = key_id
        if stream.is_counted:
            content["u"] = stream.user_id
        return f"hls/{self._tokens.sign(PURPOSE, content, until=until)}/{MASTER}"

    def read(self, ticket: str, name: str) -> str:
        """Return a playlist of the ticket's title with signed addresses. Raises Unauthenticated or NotFound.

        A ticket is also invalid once its stream has ended, such as when its viewer logs out.
        """
        content, expires_at = self._verified(ticket)
        stream_id = content["s"]
        container, job_id = container_for(content["t"]), content["j"]
        text = self._store.read_playlist(container, f"{job_id}/{name}") if _PLAYLIST.fullmatch(name) else None
        if text is None:
            raise NotFound("There is no such playlist; open the film again.")
        folder = self._keys.url(f"{container}/{job_id}")
        # the key that was issued together with the ticket, because a current key could outlive the ticket
        sas = self._keys.read_key(container, expires_at, stream_id=stream_id).sas
        key = f"../../{KEY_ADDRESS}/{ticket}"  # relative to hls/<ticket>/<playlist>
        return signed(text, lambda path: key if path == KEY_FILE else f"{folder}/{path}?{sas}")

    def read_key(self, ticket: str) -> bytes:
        """Return the key of the ticket's film. Raises Unauthenticated, NotFound if it is not encrypted, FilmKeyMissing.

        Like its playlists, it is refused once the stream of the ticket has ended.
        """
        content, _ = self._verified(ticket)
        if "k" not in content:
            raise NotFound("The film is not encrypted.")
        return self._film_keys.key_of(content["j"], content["k"]).key

    def _verified(self, ticket: str) -> tuple[dict[str, Any], datetime]:
        """Return the content of a ticket and its expiry. Raises Unauthenticated, also if its stream has ended."""
        content, expires_at = self._tokens.verify_with_expiry(PURPOSE, ticket)
        if "u" in content:
            self._streams.require_open(content["u"], content["s"])
        return content, expires_at


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
