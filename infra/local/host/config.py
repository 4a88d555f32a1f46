"""The host's configuration: the environment overrides `host.json`, and both override `local.settings.json`."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.local.host.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

OVERRIDE_PREFIX = "AzureFunctionsJobHost__"
NO_LIMIT = -1
SETTING = re.compile(r"%([^%]+)%")
TIMESPAN = re.compile(r"(?:(?P<d>\d+)\.)?(?P<h>\d{1,2}):(?P<m>\d{1,2})(?::(?P<s>\d{1,2}(?:\.\d{1,7})?))?")


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """Options of queue listeners, with the names of `extensions.queues` in host.json."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_polling_s: float = 60.0
    visibility_s: int = 0
    max_dequeue_count: int = 5
    base64: bool = True


@dataclass(frozen=True, slots=True)
class Keys:
    """The host's keys; an empty key is never accepted."""

    function: str = ""
    master: str = ""
    blobs: str = ""


@dataclass(frozen=True, slots=True)
class HostConfig:
    """The configuration of the host, in the units that it uses.

    `max_outstanding` is the number of HTTP requests that may run or wait; NO_LIMIT permits any number.
    """

    host_id: str
    route_prefix: str
    queues: QueueOptions
    blob_queue: QueueOptions
    function_timeout_s: float | None
    max_body_bytes: int
    max_outstanding: int
    cors_origins: frozenset[str]
    cors_credentials: bool
    keys: Keys


def load_config(root: Path, app: str, environment: MutableMapping[str, str]) -> HostConfig:
    """Return the configuration in `root`; add the missing Values of local.settings.json to `environment`."""
    local = _read_json(root / "local.settings.json") if (root / "local.settings.json").is_file() else {}
    for name, value in local.get("Values", {}).items():
        environment.setdefault(name, value)
    host = _lower(overridden(_read_json(root / "host.json"), environment))
    extensions = host.get("extensions", {})
    try:
        queues = queue_options(extensions.get("queues", {}))
        timeout = str(host.get("functiontimeout", "00:30:00"))
        local_host = local.get("Host", {})
        return HostConfig(
            host_id=environment.get("AzureFunctionsWebHost__hostid", app.replace("_", "-").lower()),
            route_prefix=str(extensions.get("http", {}).get("routeprefix", "api")).strip("/"),
            queues=queues,
            blob_queue=blob_queue_options(extensions.get("blobs", {}), queues),
            function_timeout_s=None if timeout == "-1" else timespan_s(timeout),
            max_outstanding=int(extensions.get("http", {}).get("maxoutstandingrequests", NO_LIMIT)),
            max_body_bytes=int(environment.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", 100 * 1024 * 1024)),
            cors_origins=frozenset(
                origin.strip().rstrip("/")
                for origin in environment.get("NOTFLIX_CORS", local_host.get("CORS", "")).split(",")
                if origin.strip()
            ),
            cors_credentials=bool(local_host.get("CORSCredentials", False)),
            keys=Keys(
                function=environment.get("NOTFLIX_FUNCTION_KEY", ""),
                master=environment.get("NOTFLIX_MASTER_KEY", ""),
                blobs=environment.get("NOTFLIX_BLOBS_KEY", ""),
            ),
        )
    except ValueError as error:
        raise StartupError(f"host.json or one of its overrides is wrong: {error}.") from None


def queue_options(section: Mapping[str, Any]) -> QueueOptions:
    """Read `extensions.queues` (names in lower case) with the real host's defaults; raise ValueError."""
    batch_size = int(section.get("batchsize", 16))
    if not 1 <= batch_size <= 32:
        raise ValueError(f"batchSize is {batch_size}, it must be between 1 and 32")
    encoding = str(section.get("messageencoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise ValueError(f"messageEncoding is {encoding!r}, it must be base64 or none")
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=int(section.get("newbatchthreshold", batch_size // 2 * (os.cpu_count() or 1))),
        max_polling_s=timespan_s(section.get("maxpollinginterval", "00:01:00")),
        visibility_s=int(timespan_s(section.get("visibilitytimeout", "00:00:00"))),
        max_dequeue_count=int(section.get("maxdequeuecount", 5)),
        base64=encoding == "base64",
    )


def blob_queue_options(section: Mapping[str, Any], queues: QueueOptions) -> QueueOptions:
    """Return the options of the internal queue of blob triggers, derived from `extensions.blobs` as the real host does.

    Source: `SharedBlobQueueListenerFactory.BlobsOptionsToQueuesOptions` of the WebJobs storage extension.
    """
    parallel = int(section.get("maxdegreeofparallelism", 8 * (os.cpu_count() or 1)))
    batch_size = min(32, parallel // 2 + 1)
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=parallel - batch_size,
        max_polling_s=queues.max_polling_s,
        max_dequeue_count=int(section.get("poisonblobthreshold", 5)),
        base64=queues.base64,
    )


def overridden(host: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return host.json with `a.b` replaced by `AzureFunctionsJobHost__a__b` from the environment, ignoring case."""
    result: dict[str, Any] = _lower(host)
    for name, value in environment.items():
        if not name.lower().startswith(OVERRIDE_PREFIX.lower()):
            continue
        *path, last = name[len(OVERRIDE_PREFIX) :].lower().split("__")
        section = result
        for step in path:
            inner = section.get(step)
            if not isinstance(inner, dict):
                inner = section[step] = {}
            section = inner
        section[last] = value
    return result


def timespan_s(text: object) -> float:
    """Return the seconds of a .NET TimeSpan `[d.]hh:mm[:ss[.fffffff]]`; raise ValueError for anything else."""
    match = TIMESPAN.fullmatch(str(text))
    if match is None or int(match["h"]) > 23 or int(match["m"]) > 59 or float(match["s"] or 0) >= 60:
        raise ValueError(f"{text!r} is not a time span like 00:00:05")
    return int(match["d"] or 0) * 86400 + int(match["h"]) * 3600 + int(match["m"]) * 60 + float(match["s"] or 0)


def with_settings(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Replace each `%NAME%` by that setting; raise StartupError if it is not set."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise StartupError(f"The setting {match[1]} that {text!r} names is not set.")
        return environment[match[1]]

    return SETTING.sub(value, text)


def _lower(value: Any) -> Any:
    """Return a copy of the JSON with all names in lower case, because .NET's configuration ignores case."""
    if isinstance(value, dict):
        return {name.lower(): _lower(inner) for name, inner in value.items()}
    return value


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StartupError(f"There is no {path.name} in {path.parent}.") from None
    except ValueError as error:
        raise StartupError(f"{path} is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise StartupError(f"{path} must contain a JSON object.")
    return content
