"""`mail`: the emails that the local mail server received, read from its Maildir, so the server need not be running."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from infra.local.home import Home
from infra.local.simulators.mail.box import Box

if TYPE_CHECKING:
    from infra.local.simulators.mail.box import Mail


def show_mail(*, as_json: bool) -> None:
    """Print the emails, newest first."""
    mails = Box(Home.of().data("mail")).mails()
    if as_json:
        sys.stdout.write(json.dumps({"mails": [_as_json(mail) for mail in mails]}, ensure_ascii=False) + "\n")
        return

    from rich.console import Console
    from rich.text import Text

    console = Console()
    if not mails:
        console.print(
            "There are no emails yet. Creating an account sends one, unless SMTP_URL is set to another server.",
            highlight=False,
        )
    for mail in mails:
        console.print(Text(mail.subject, "bold"), soft_wrap=True)
        console.print(Text(f"  to {mail.to}, {mail.at.astimezone():%d %b %Y %H:%M:%S}", "dim"), soft_wrap=True)
        for link in mail.links:
            console.print(Text(f"  {link}"), soft_wrap=True)


def _as_json(mail: Mail) -> dict[str, object]:
    return {
        "at": mail.at.isoformat(),
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "links": list(mail.links),
    }
