"""Smoke test of a deployment: requests the first page of the site and a list of titles, and checks the stores."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from infra.azure.tools import Environment
from infra.azure.uploads import warm
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 6
PAUSE_S = 20.0
TIMEOUT_S = 60.0


def smoke(pause: Callable[[float], None] = time.sleep) -> None:
    """Raise CannotRun naming everything that does not answer 200 after some tries; a new Front Door takes minutes."""
    environment = Environment()
    api = environment["NOTFLIX_API_URL"]
    wanted = {
        "the site": environment["NOTFLIX_SITE_URL"],
        "the API": f"{api}/api/titles?limit=1",
    }
    for attempt in range(TRIES):
        failed = {what: why for what, url in wanted.items() if (why := _why_not(url))}
        if not failed:
            down = [store for store in warm(api, pause=pause) if store != "neo4j" or environment.get("NEO4J_URI")]
            failed = dict.fromkeys(down, "its health says that it is down")
        if not failed:
            return
        if attempt < TRIES - 1:
            pause(PAUSE_S)
    raise CannotRun("; ".join(f"{what} does not answer ({why})" for what, why in failed.items()))


def _why_not(url: str) -> str:
    """Return why a URL does not answer 200; empty if it does."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            return "" if response.status == 200 else f"HTTP {response.status}"
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except OSError as error:
        return str(error)
