"""What the prices in `functions/platform/prices.csv` mean for a deployment, and their table for the documentation."""

from __future__ import annotations

from functions.platform.prices import prices, usd

HOURS_A_MONTH = 730
SECONDS_A_MONTH = HOURS_A_MONTH * 3600


def free_encode_s(*, cores: float = 4, memory_gib: float = 8) -> float:
    """Return for how many seconds per month an encoder runs free of charge."""
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
