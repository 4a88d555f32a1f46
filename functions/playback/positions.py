"""Positions of a growing film: what a player can watch already, and what the encoder should encode next for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from functions.playback.ports import AudienceReader, ReadKeys
    from functions.playback.streams import Streams


@dataclass(frozen=True, slots=True)
class PlayablePart:
    """A part of a film that can be watched, and the address of its manifest, which does not contain the key."""

    from_s: float
    until_s: float
    manifest_url: str


class Positions:
    """Answers players that want to play a position that may not have been encoded yet."""

    def __init__(self, audience: AudienceReader, streams: Streams, keys: ReadKeys) -> None:
        self._audience = audience
        self._streams = streams
        self._keys = keys

    def request_position(
        self, title_id: str, job_id: str, position_s: float, *, stream_ticket: str
    ) -> tuple[PlayablePart, ...]:
        """Return the parts of a film that can be watched; a position that is in none of them is encoded next.

        Only the player of an open stream of the title may ask, because a stream is opened for entitled viewers only.
        Raises Unauthenticated, TooManyAttempts, NotFound or StoreUnavailable.
        """
        stream_id = self._streams.admit_question(stream_ticket, title_id)
        parts = self._audience.request_position(job_id, title_id=title_id, position_s=position_s, viewer=stream_id)
        folder = self._keys.url(f"{container_for(title_id)}/{job_id}")
        return tuple(PlayablePart(part.from_s, part.until_s, f"{folder}/{part.manifest}") for part in parts)
