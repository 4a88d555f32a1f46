"""The limit of streams per account: which devices watch, and which of them must stop.

A stream is counted when a title is opened and at each renewal of its key. Heartbeats do not touch it, so they need no
additional round trip. If the store of streams is unavailable, titles open without being counted, because a viewer who
pays must be able to watch; the next renewal counts them.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.platform.errors import (
    NotFound,
    StoreUnavailable,
    StreamStopped,
    TooManyAttempts,
    TooManyStreams,
    Unauthenticated,
)
from functions.playback.model import QuestionOutcome, StreamEnded, StreamLimitReached, StreamOpened, StreamRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.platform.signed_tokens import SignedTokens
    from functions.playback.model import Device, Stream
    from functions.playback.ports import StreamStore

log = logging.getLogger(__name__)

PURPOSE = "stream"

QUESTIONS = 60
QUESTION_WINDOW = timedelta(minutes=1)
"""A player that waits for a part of a film asks every two and a half seconds, and once for each seek."""


class StreamTicket(NamedTuple):
    """The content of a ticket: a stream, the login session to which it belongs, and its last renewal.

    `renewal` is 0 if the stream was not counted, because the store was unavailable or it belongs to no account.
    """

    user_id: str
    session_id: str
    stream_id: str
    renewal: int

    @property
    def is_counted(self) -> bool:
        """Return whether the store knows the stream."""
        return self.renewal > 0


def uncounted_stream(stream_id: str) -> StreamTicket:
    """Return the stream of what everybody may play, which counts towards no limit."""
    return StreamTicket("", "", stream_id, 0)


class Streams:
    """The streams of accounts; `limit` is the number that an account may have at the same time."""

    def __init__(
        self,
        store: StreamStore,
        tokens: SignedTokens,
        *,
        limit: int,
        ticket_lifetime: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._tokens = tokens
        self.limit = limit
        self._ticket_lifetime = ticket_lifetime
        self._now = now

    def admit(self, user_id: str, device: Device, title: Title, *, ticket: str, lifetime: timedelta) -> StreamTicket:
        """Renew the stream of a ticket, or open a new one, for `lifetime`; return the content of its new ticket.

        A ticket of another login session is ignored. Raises TooManyStreams, which names the devices that watch, or
        StreamStopped.
        """
        known = self._read(ticket)
        is_mine = known is not None and known[:2] == (user_id, device.session_id)
        stream_id = known.stream_id if known and is_mine else secrets.token_urlsafe(8)
        request = StreamRequest(stream_id, device, title.id, title.details.name)
        try:
            found = self._store.open_stream(user_id, request, limit=self.limit, lifetime=lifetime)
        except StoreUnavailable as error:
            log.warning("A stream of %s is not counted: %s", user_id, error.detail)
            found = StreamOpened(stream_id, 0)
        match found:
            case StreamOpened(opened_id, renewal):
                return StreamTicket(user_id, device.session_id, opened_id, renewal)
            case StreamLimitReached(others):
                raise TooManyStreams(_sentence(self.limit, others))
            case StreamEnded(by):
                raise StreamStopped(f"Playback here was stopped from another device ({by}).")

    def sign(self, ticket: StreamTicket) -> str:
        """Return the text of a ticket; with it, a player renews its stream and leaves it."""
        content = {"u": ticket.user_id, "l": ticket.session_id, "s": ticket.stream_id, "n": ticket.renewal}
        return self._tokens.sign(PURPOSE, content, until=self._now() + self._ticket_lifetime)

    def list_streams(self, user_id: str) -> list[Stream]:
        """Return the streams of an account, oldest first."""
        return self._store.streams_of(user_id)

    def stop(self, user_id: str, stream_id: str, *, by: Device) -> None:
        """Stop a stream; its player is refused at its next renewal. Raises NotFound."""
        if not self._store.stop_stream(user_id, stream_id, by=by.name):
            raise NotFound("This device has already stopped playing.")

    def leave(self, ticket: str) -> None:
        """Remove the stream of a page that was closed. Raises Unauthenticated for an invalid ticket."""
        known = self._read(ticket)
        if known is None:
            raise Unauthenticated("This playback has expired; open the film again.")
        self._store.leave_stream(known.user_id, known.stream_id, renewal=known.renewal)

    def require_open(self, user_id: str, stream_id: str) -> None:
        """Raise Unauthenticated if a stream has ended; do nothing if the store is unavailable."""
        try:
            is_open = self._store.is_open(user_id, stream_id)
        except StoreUnavailable as error:
            log.warning("A stream of %s is not checked: %s", user_id, error.detail)
            return
        if not is_open:
            raise Unauthenticated("This playback has ended; open the film again.")

    def admit_question(self, ticket: str, title_id: str) -> str:
        """Return the id of the open stream of a title whose player asks a question.

        Raises Unauthenticated if the ticket is invalid or its stream does not play the title, TooManyAttempts if the
        player asks too often, StoreUnavailable.
        """
        known = self._read(ticket)
        if known is None:
            raise Unauthenticated("This playback has expired; open the film again.")
        match self._store.count_question(
            known.user_id, known.stream_id, title_id=title_id, most=QUESTIONS, window=QUESTION_WINDOW
        ):
            case QuestionOutcome.ENDED:
                raise Unauthenticated("This playback has ended; open the film again.")
            case QuestionOutcome.TOO_OFTEN:
                wait_s = int(QUESTION_WINDOW.total_seconds())
                raise TooManyAttempts("This player asks too often. Try again in a minute.", wait_s)
            case QuestionOutcome.ALLOWED:
                return known.stream_id

    def _read(self, ticket: str) -> StreamTicket | None:
        """Return the content of a ticket, or None if it is missing, forged or expired."""
        if not ticket:
            return None
        try:
            content = self._tokens.verify(PURPOSE, ticket)
        except Unauthenticated:
            return None
        return StreamTicket(content["u"], content["l"], content["s"], content["n"])


def _sentence(limit: int, others: Iterable[Stream]) -> str:
    """Return the refusal of another stream: who watches what, where and since when."""
    places = "; ".join(f"{one.title} on {one.device}, since {one.since:%H:%M} UTC" for one in others)
    number = "one device" if limit == 1 else f"{limit} devices"
    return f"You can watch on {number} at a time, and you already are: {places}. Stop one to watch here."
