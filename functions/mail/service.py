"""Mail: a letter that was asked for is written and handed over, put off while the mail server is away, or given up.

What is logged of a letter is its kind and a pseudonym of whom it is for: never the address, never the link.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.mail.letters import letter_for
from functions.mail.model import message_of, request_of
from functions.platform.errors import MailRefused, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.mail.model import Carrier, Request

log = logging.getLogger(__name__)

PAUSES_S = (60, 120, 240, 480, 900)
"""How long a letter is put off after the first, second, … series of failed tries; after the last it is given up.

Together they make half an hour, which is as long as a link lives. A server that greylists wants some minutes.
"""


class Mail:
    """Sends letters; `enqueue` puts a message into the queue after a delay in seconds, `pseudonym` disguises."""

    def __init__(
        self, carrier: Carrier, *, pseudonym: Callable[[str], str], enqueue: Callable[[Mapping[str, object], int], None]
    ) -> None:
        self._carrier = carrier
        self._pseudonym = pseudonym
        self._enqueue = enqueue

    def send(self, message: Mapping[str, object], *, message_id: str) -> None:
        """Send the letter that a message asks for; raise MailUnavailable or Malformed for the queue to try again.

        What the mail server refuses for good is logged and done with.
        """
        request = request_of(message, message_id=message_id)
        try:
            self._carrier.carry(letter_for(request.kind, request.link), to=request.to, letter_id=request.letter_id)
        except MailRefused as error:
            log.error("%s was not sent: %s", self._shown(request), error.detail)
            return
        log.info("%s was sent.", self._shown(request))

    def settle_failed(self, message: Mapping[str, object], *, message_id: str) -> None:
        """Put off a letter that every try of the queue failed to send; give it up once its link has ended."""
        try:
            request = request_of(message, message_id=message_id)
        except Malformed as error:
            log.error("A message of send-mail is for no letter and is dropped: %s", error.detail)
            return
        if request.deferrals >= len(PAUSES_S):
            log.error("%s is given up: it could not be sent in any try.", self._shown(request))
            return
        pause_s = PAUSES_S[request.deferrals]
        self._enqueue(message_of(replace(request, deferrals=request.deferrals + 1)), pause_s)
        log.warning("%s could not be sent and is put off for %d s.", self._shown(request), pause_s)

    def _shown(self, request: Request) -> str:
        # folded, so that an address has one pseudonym in all logs however it was typed
        return f"A letter of kind {request.kind} to {self._pseudonym(request.to.casefold())}"
