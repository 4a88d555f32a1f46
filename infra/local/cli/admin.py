"""`admin create`, `list`, `revoke`, `reset-second-factor`: who is an administrator, and how one gets back in."""

from __future__ import annotations

import json
import sys

from infra.local.cli.api import Api
from infra.local.home import CannotRun, Home


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


def reset_second_factor(email: str, *, as_json: bool) -> None:
    """Call the API and print the result; raise CannotRun with the API's message if the API refuses the request."""
    answer = Api.of(Home.of()).post("/api/second-factor-resets", {"email": email})
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return

    from rich.console import Console
    from rich.text import Text

    removed = int(answer["removed"])
    if removed:
        what = f"{removed} second {'step was' if removed == 1 else 'steps were'} removed"
        done = f"{what}, every device was logged out, and an email was sent. The password is unchanged."
    else:
        done = "this account has no second step. Every device was logged out."
    Console().print(Text(f"{answer['email']}: {done}"), soft_wrap=True)


def show_administrators(*, as_json: bool) -> None:
    """List the administrators."""
    found = Api.of(Home.of()).get("/api/administrators")["administrators"]
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        return
    lines = [one["email"] + ("" if one["confirmed"] else " (has not set a password yet)") for one in found]
    sys.stdout.write("\n".join(lines or ["There are no administrators yet."]) + "\n")


def revoke_administrator(email: str) -> None:
    """Revoke the rights of an administrator; raise CannotRun if there is none with this address."""
    api = Api.of(Home.of())
    wanted = email.strip().casefold()
    found = api.get("/api/administrators")["administrators"]
    user_id = next((one["user_id"] for one in found if one["email"].casefold() == wanted), None)
    if user_id is None:
        raise CannotRun(f"{email} is not an administrator; `./notflix admin list` shows who is.")
    api.delete(f"/api/administrators/{user_id}")
    sys.stdout.write(f"{email} is no longer an administrator, and is logged out everywhere. The account remains.\n")
