"""Deferring a message whose attempts are used up, when trying later may help."""

from __future__ import annotations

DEFERRALS_S = (60, 120, 240, 480, 900)
"""How many seconds a message is deferred after each exhausted series of attempts; after the last one, it is given up.

The sum is half an hour, because a later email would surprise its reader, and a graph that has missed more is rebuilt. A
server with greylisting accepts an email after some minutes, and an outage of a store rarely lasts longer.
"""


def next_deferral_s(deferrals: int) -> int | None:
    """Return for how many seconds a message is deferred that was deferred `deferrals` times, or None to give it up."""
    return DEFERRALS_S[deferrals] if deferrals < len(DEFERRALS_S) else None
