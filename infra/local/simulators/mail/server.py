"""The SMTP server, on loopback: it accepts non-ASCII addresses and refuses recipients that are not email addresses."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session

    from infra.local.simulators.mail.box import Box

log = logging.getLogger(__name__)

LARGEST_BYTES = 1_000_000
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


class MailHandler:
    """The handler of aiosmtpd: checks recipients and stores emails."""

    def __init__(self, box: Box) -> None:
        self._box = box

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient if it is an email address."""
        if not _ADDRESS.fullmatch(address):
            return "553 5.1.3 That is not an address"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store an email once for each recipient."""
        content = envelope.original_content or b""
        try:
            for recipient in envelope.rcpt_tos:
                await asyncio.to_thread(self._box.keep, recipient, content)
        except OSError as error:
            log.error("An email could not be stored: %s", error)
            return "452 4.3.1 The email could not be stored"
        return "250 2.0.0 Kept"


def smtp_for(box: Box) -> SMTP:
    """Return the SMTP protocol object for one connection; aiosmtpd needs a running event loop."""
    return SMTP(
        MailHandler(box),
        data_size_limit=LARGEST_BYTES,
        enable_SMTPUTF8=True,
        hostname="notflix.localhost",
        ident="Notflix",
    )


async def serve(host: str, port: int, box: Box, *, stopped: asyncio.Event | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until `stopped`."""
    loop = asyncio.get_running_loop()
    stopped = stopped or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: smtp_for(box), host, port)
    async with server:
        await stopped.wait()
        server.close_clients()
