"""The worked example of docs/azure.md: what a month of a service costs in all, computed from the table of prices.

An API instance is billed while it runs at least one function, for at least a second. So calls that come one by one cost
much more than calls that come together: what counts is the share of time in which an instance is busy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from functions.encoding.spending.costs import CORE_S_PER_MEGAPIXEL, CORES, WAKE_S, replica_microusd
from functions.platform.prices import usd
from infra.azure.plan import BILLED_S, idle_usd
from infra.azure.prices import free_encode_s
from infra.azure.template import Choices

SUBSCRIBERS, WATCHED_H, WATCHED_GB_AN_HOUR = 500, 10, 1.5
FILMS, FILM_H = 50, 100 / 60
MEGAPIXELS_A_SECOND = 24 * 3.84
"""Of the five rungs of 1080p, at 24 frames per second."""
SEGMENTS_GB_AN_HOUR, MASTER_GB_AN_HOUR = 4.0, 4.0
FILES_AN_HOUR = 900 * 6 + 130
"""Segments of 4 s for five rungs and one audio track, and thumbnails."""
READS_AN_HOUR = 900 * 2
CALLS_AN_HOUR = 280
"""Calls of the API per hour watched, as in `bench load`: a heartbeat every 15 s and a new key every two minutes."""
EVENINGS_H = 5 * 30
"""Hours of a month in which the subscribers watch: five every evening."""
MISSES = 0.01
"""Share of the requests that a CDN passes on to storage (tests/integration/playback/test_edge.py)."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the owner has chosen; `cdn` is the price of a gigabyte in the table, empty for streaming from storage."""

    name: str
    choices: Choices
    encoders: int
    cdn: str


SERVICES = (
    Service("`standard`, from storage", Choices(), 10, ""),
    Service("`standard`, CDN", Choices(), 10, "cdn-volume"),
    Service("`small`, CDN", Choices("small", memory_mb=512), 2, "cdn-volume"),
    Service("`small`, dearer CDN", Choices("small", memory_mb=512), 2, "cdn-standard"),
)


def bill(service: Service) -> dict[str, float]:
    """Return the price of each part of a month in US dollars."""
    return {
        "encoding": _encoding_usd(),
        "starting encoders": FILMS * service.encoders * WAKE_S * replica_microusd(1) / 1e6,
        "free grant of encoding": -free_encode_s() * replica_microusd(1) / 1e6,
        "writing segments": FILMS * FILM_H * FILES_AN_HOUR * usd("storage-write"),
        "storing films and their masters": FILMS * FILM_H * (SEGMENTS_GB_AN_HOUR + MASTER_GB_AN_HOUR) * usd("storage"),
        **_streaming(service.cdn),
        "API": _api_usd(service.choices.memory_mb),
        "idle": idle_usd(service.choices),
    }


def _encoding_usd() -> float:
    replica_s = FILMS * FILM_H * 3600 * MEGAPIXELS_A_SECOND * CORE_S_PER_MEGAPIXEL / CORES
    return replica_s * replica_microusd(1) / 1e6


def _streaming(cdn: str) -> dict[str, float]:
    """Return the price of what viewers watch: traffic of the CDN, and traffic and reads of storage."""
    hours = SUBSCRIBERS * WATCHED_H
    share = MISSES if cdn else 1.0
    from_storage_gb = hours * WATCHED_GB_AN_HOUR * share
    return {
        "traffic of the CDN": hours * WATCHED_GB_AN_HOUR * usd(cdn) if cdn else 0.0,
        "traffic of storage": max(0.0, from_storage_gb - usd("egress-free")) * usd("egress"),
        "reading segments": hours * READS_AN_HOUR * share * usd("storage-read"),
    }


def _api_usd(memory_mb: int) -> float:
    """Return the price of the calls that viewers cause; the free grant of GB-seconds is used up by the timers."""
    calls = SUBSCRIBERS * WATCHED_H * CALLS_AN_HOUR
    a_second = calls / (EVENINGS_H * 3600)
    busy = 1 - math.exp(-a_second * BILLED_S)  # the share of the time in which a call has begun less than a second ago
    gb_s = EVENINGS_H * 3600 * busy * memory_mb / 1024
    return gb_s * usd("functions-gb-s") + max(0.0, calls - usd("functions-calls-free")) * usd("functions-call")


def table() -> str:
    """Return a Markdown table for the documentation with a column for each service."""
    bills = [bill(service) for service in SERVICES]
    text = ["| $ a month | " + " | ".join(service.name for service in SERVICES) + " |"]
    text.append("| --- |" + " --- |" * len(SERVICES))
    for what in bills[0]:
        cells = [f"{lines[what]:.2f}" if lines[what] else "–" for lines in bills]
        text.append(f"| {what} | " + " | ".join(cells) + " |")
    totals = [sum(lines.values()) for lines in bills]
    text.append("| together | " + " | ".join(f"{total:.0f}" for total in totals) + " |")
    text.append("| **per subscriber** | " + " | ".join(f"**{total / SUBSCRIBERS:.2f}**" for total in totals) + " |")
    return "\n".join(text)
