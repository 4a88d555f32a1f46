"""`admin create`: create an administrator or promote an account, and print the link to set a password."""

from __future__ import annotations

import json
import sys

from infra.local.cli.api import Api
from infra.local.home import Home


def create_administrator(email: str, *, as_json: bool) -> None:
    """Call the API and print the result; raise CannotRun with the API's message if the API refuses the request."""
    answer = Api.of(Home.of()).post("/api/administrators", {"email": email})
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return

    from rich.console import Console
    from rich.text import Text

    if answer["created"]:
        done = "is a new administrator"
    elif answer["link"]:
        done = "had an unconfirmed account, which is now an administrator; its old password was removed"
    else:
        done = "already had an account, which is now an administrator; its password is unchanged"
    choose = f"; to set a password, open this link within 30 minutes: {answer['link']}" if answer["link"] else "."
    Console().print(Text(f"{answer['email']} {done}{choose}"), soft_wrap=True)
