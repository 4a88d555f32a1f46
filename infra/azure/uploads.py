"""The Event Grid subscription that sends upload events to the API app, created with retries once the app runs.

The key of the blob extension exists only after the host has started with the app's code, and Event Grid validates the
webhook's URL when the subscription is created. So both steps can fail for a while after a first deployment.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from infra.azure.tools import az, found
from infra.local.home import REPOSITORY, CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.azure.tools import Environment

PATIENCE_S = 900.0
PAUSE_S = 10.0
REQUEST_TIMEOUT_S = 60.0
SUBSCRIPTION = "uploads"
DEAD_EVENTS = "dead-events"


def warm(api_url: str, *, pause: Callable[[float], None] = time.sleep, patience_s: float = PATIENCE_S) -> list[str]:
    """Call the API until it answers; return the stores that it reports as down. Raise CannotRun if it never does."""
    url = f"{api_url}/api/health"
    deadline = time.monotonic() + patience_s
    while True:
        answer, why = _health(url)
        if answer is not None:
            stores = answer.get("stores", {})
            return sorted(name for name, store in stores.items() if not store.get("up"))
        if time.monotonic() > deadline:
            raise CannotRun(
                f"The API did not answer at {url} within {patience_s / 60:.0f} minutes ({why}). Its logs are in "
                "Application Insights; `./notflix azure deployed` continues from here."
            )
        pause(PAUSE_S)


def _health(url: str) -> tuple[dict[str, dict[str, dict[str, bool]]] | None, str]:
    """Return the body of the health route and an empty string, or None and the reason."""
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_TIMEOUT_S) as response:
            return json.load(response), ""
    except urllib.error.HTTPError as error:
        try:
            body = json.load(error)  # 503 with a body: the app runs and a store is down
        except ValueError:
            return None, f"HTTP {error.code}"
        return (body, "") if isinstance(body, dict) and "stores" in body else (None, f"HTTP {error.code}")
    except (OSError, ValueError) as error:
        return None, str(error)


def subscribe(
    environment: Environment, *, pause: Callable[[float], None] = time.sleep, patience_s: float = PATIENCE_S
) -> bool:
    """Ensure that upload events reach the API app; return whether the subscription had to be created.

    Raises CannotRun with Azure's last error if it still fails after `patience_s` seconds.
    """
    group, app = environment["AZURE_RESOURCE_GROUP"], environment["NOTFLIX_API_NAME"]
    topic, storage = environment["NOTFLIX_EVENT_TOPIC"], environment["NOTFLIX_STORAGE_NAME"]
    deadline = time.monotonic() + patience_s
    key = _key(group, app, pause, deadline)
    if _is_subscribed(group, topic, key):
        return False
    while True:
        try:
            az(
                "deployment", "group", "create", "--name", "events", "--resource-group", group,
                "--template-file", str(REPOSITORY / "infra" / "events.bicep"),
                "--parameters", f"apiName={app}", f"topicName={topic}", f"storageName={storage}",
            )  # fmt: skip
        except CannotRun as error:
            if time.monotonic() > deadline:
                raise CannotRun(
                    f"Event Grid could not be set up to send uploads to {app}, so a film that is uploaded now waits "
                    f"until that works; `./notflix azure deployed` tries again. Azure's error: {error}"
                ) from None
        else:
            return True
        pause(PAUSE_S)


def _key(group: str, app: str, pause: Callable[[float], None], deadline: float) -> str:
    """Wait until the host has created the key of the blob extension, and return it."""
    while True:
        try:
            keys = az("functionapp", "keys", "list", "--name", app, "--resource-group", group)
            why = "there is none yet"
        except CannotRun as error:
            keys, why = {}, str(error)
        if key := ((keys or {}).get("systemKeys") or {}).get("blobs_extension"):
            return str(key)
        if time.monotonic() > deadline:
            raise CannotRun(
                f"{app} has no key for blob events ({why}). The key appears once the app has started with its "
                "code; see its logs in Application Insights, then `./notflix azure deployed`."
            )
        pause(PAUSE_S)


def _is_subscribed(group: str, topic: str, key: str) -> bool:
    """Return whether the subscription exists with the current key and a dead-letter container."""
    shown = found(
        "eventgrid", "system-topic", "event-subscription", "show", "--name", SUBSCRIPTION, "--resource-group", group,
        "--system-topic-name", topic, "--include-full-endpoint-url", "true",
    )  # fmt: skip
    if not shown or shown.get("provisioningState") != "Succeeded":
        return False
    url = (shown.get("destination") or {}).get("endpointUrl") or ""
    dead = ((shown.get("deadLetterWithResourceIdentity") or {}).get("deadLetterDestination") or {}).get(
        "blobContainerName"
    )
    return parse_qs(urlsplit(url).query).get("code") == [key] and dead == DEAD_EVENTS
