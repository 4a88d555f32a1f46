"""The public form of usage: the JSON that pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.catalogue.views import card
from functions.usage.model import text_of

if TYPE_CHECKING:
    from functions.catalogue.model import Title
    from functions.usage.model import Mark, Traces, View
    from functions.usage.service import History


def public_view(view: View) -> dict[str, Any]:
    """Return how far a viewer got."""
    return {
        "title_id": view.title_id,
        "position_s": round(view.position_s, 3),
        "duration_s": view.duration_s,
        "progress": round(view.progress, 4),
        "watched_at": text_of(view.watched_at) if view.watched_at else None,
        "finished": view.finished,
    }


def public_history(history: History) -> dict[str, Any]:
    """Return a page of history; a withdrawn title is null."""
    entries = [
        {**public_view(entry.view), "title": card(entry.title) if entry.title else None} for entry in history.entries
    ]
    return {"entries": entries, "cursor": history.cursor}


def public_list(listed: list[tuple[Mark, Title | None]]) -> dict[str, Any]:
    """Return a watch list; a withdrawn title is null."""
    return {
        "titles": [
            {"title_id": mark.title_id, "listed_at": text_of(mark.at), "title": card(title) if title else None}
            for mark, title in listed
        ]
    }


def public_ratings(marks: list[Mark]) -> dict[str, Any]:
    """Return ratings."""
    return {
        "ratings": [{"title_id": mark.title_id, "rating": mark.rating, "rated_at": text_of(mark.at)} for mark in marks]
    }


def public_traces(traces: Traces) -> dict[str, Any]:
    """Return what a title's page shows of a viewer: where they go on, and the marks they set."""
    view = traces.view if traces.view and traces.view.watched_at else None
    return {
        "view": public_view(view) if view else None,
        "resume_s": round(view.resume_s, 3) if view else 0.0,
        "listed": traces.listed_at is not None,
        "rating": traces.rating,
    }
