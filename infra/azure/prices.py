"""The prices used by the plan, the documentation and cost estimates, read from one dated table, prices.csv.

Pay-as-you-go list prices in US dollars. Each line contains the region, the day on which its source was read, and
whether the source could be read at all ("certain").
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("prices.csv")
HOURS_A_MONTH = 730
SECONDS_A_MONTH = HOURS_A_MONTH * 3600


@dataclass(frozen=True, slots=True)
class Price:
    """A line of the table: `usd` is the price of one `unit` or, for a free grant, the number of free units."""

    key: str
    usd: float
    unit: str
    region: str
    read: date
    source: str
    certain: bool


@cache
def prices() -> dict[str, Price]:
    """Return every price by its key."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["key"]: Price(
                row["key"],
                float(row["usd"]),
                row["unit"],
                row["region"],
                date.fromisoformat(row["read"]),
                row["source"],
                row["certain"] == "yes",
            )
            for row in csv.DictReader(file)
        }


def usd(key: str) -> float:
    """Return the price of one unit."""
    return prices()[key].usd


def encode_usd(seconds: float, *, cores: float = 4, memory_gib: float = 8) -> float:
    """Return the cost of running one encoder for `seconds`, without the free grant."""
    return seconds * (cores * usd("containers-vcpu-s") + memory_gib * usd("containers-gib-s"))


def free_encode_s(*, cores: float = 4, memory_gib: float = 8) -> float:
    """Return how many seconds per month an encoder is free."""
    return min(usd("containers-vcpu-s-free") / cores, usd("containers-gib-s-free") / memory_gib)


def table() -> str:
    """Return a Markdown table of all prices for the documentation."""
    lines = ["| Price | US dollars | for one | region | read | source |", "| --- | --- | --- | --- | --- | --- |"]
    for price in prices().values():
        mark = "" if price.certain else " (unchecked)"
        lines.append(
            f"| `{price.key}` | {price.usd:.9g}{mark} | {price.unit} | {price.region} | {price.read} | {price.source} |"
        )
    return "\n".join(lines)
