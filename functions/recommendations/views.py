"""Recommendations and rebuilds as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from functions.recommendations.model import Pick, Shelf
    from functions.recommendations.rebuild import Progress


def public_shelf(shelf: Shelf) -> dict[str, Any]:
    """Return a shelf as the home page shows it."""
    return {
        "id": shelf.id,
        "heading": shelf.heading,
        "reason": shelf.reason,
        "titles": [public_pick(pick) for pick in shelf.picks],
    }


def public_pick(pick: Pick) -> dict[str, Any]:
    """Return a card with its reason."""
    return {**pick.card, "reason": {"kind": pick.reason.kind.value, "words": pick.reason.words}}


def public_progress(progress: Progress) -> dict[str, Any]:
    """Return how far a rebuild is."""
    return {
        "id": progress.id,
        "phase": progress.phase.value,
        "titles": progress.titles,
        "titles_in_all": progress.titles_in_all,
        "viewers": progress.viewers,
        "views": progress.views,
        "steps": progress.steps,
        "started_at": _time(progress.started_at),
        "updated_at": _time(progress.updated_at),
        "finished_at": _time(progress.finished_at) if progress.finished_at else None,
        "reason": progress.reason,
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
