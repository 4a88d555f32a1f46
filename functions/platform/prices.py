"""The prices used by the plan of a deployment, the documentation and the costs of encodes: one dated table, prices.csv.

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
