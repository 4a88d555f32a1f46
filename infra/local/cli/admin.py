"""`admin create`: make an administrator, new or of an account that is there, and say how they choose a password."""

from __future__ import annotations

import json
import sys

from infra.local.cli.api import Api
from infra.local.home import Home


def create_administrator(email: str, *, as_json: bool) -> None:
    """Ask the API for it and print what was done; raise CannotRun with the API's own sentence if it refuses."""
    told = Api.of(Home.of()).post("/api/administrators", {"email": email})
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return

    from rich.console import Console
    from rich.text import Text

    if told["created"]:
        done = "is a new administrator"
    elif told["link"]:
        done = "had an account that nobody had confirmed; it is an administrator's now, without its old password"
    else:
        done = "had an account, which is an administrator's now; its password stays as it is"
    choose = f"; to choose a password, open this within 30 minutes: {told['link']}" if told["link"] else "."
    Console().print(Text(f"{told['email']} {done}{choose}"), soft_wrap=True)
