"""Conversion between views or marks and flat documents for both stores; times are text that sorts chronologically.

In documents of the first release, the viewing session is named `sitting`, and the reported milestone is named `told`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from functions.platform.time import to_sortable_text
from functions.usage.model import (
    Mark,
    Milestone,
    Quality,
    UsageKind,
    View,
    ViewerTitleState,
    ViewerUsage,
    ViewingSession,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def document_of(view: View) -> dict[str, Any]:
    """Return the document of a view; `place` and `unfinished` exist only for queries."""
    return {
        "kind": UsageKind.VIEW.value,
        "user_id": view.user_id,
        "title_id": view.title_id,
        "position_s": view.position_s,
        "duration_s": view.duration_s,
        "watched_at": to_sortable_text(view.watched_at) if view.watched_at else None,
        "place": view.place,
        "unfinished": view.unfinished,
        "reported": view.reported.value,
        "made_at": to_sortable_text(view.made_at),
        "session": {
            "playback_id": view.session.playback_id,
            "opened_at": to_sortable_text(view.session.opened_at),
            "sequence": view.sequence,
            "played_s": view.played_s,
            "earlier_s": view.earlier_s,
            "finished_before": view.finished_before,
            "quality": asdict(view.quality),
        },
    }


CHANGING = ("position_s", "duration_s", "watched_at", "place", "unfinished", "reported", "session")
"""Fields of a view's document that a heartbeat changes; a Cosmos DB patch can set at most ten."""


def view_of(document: Mapping[str, Any]) -> View:
    """Return the view in a document."""
    session = document.get("session") or document["sitting"]
    return View(
        session=ViewingSession(
            user_id=document["user_id"],
            title_id=document["title_id"],
            playback_id=session["playback_id"],
            opened_at=datetime.fromisoformat(session["opened_at"]),
            duration_s=document["duration_s"],
        ),
        sequence=session["sequence"],
        position_s=document["position_s"],
        watched_at=datetime.fromisoformat(document["watched_at"]) if document["watched_at"] else None,
        played_s=session["played_s"],
        earlier_s=session["earlier_s"],
        reported=Milestone(document["reported"] if "reported" in document else document["told"]),
        quality=Quality(**session["quality"]),
        finished_before=session.get("finished_before", False),
        made_at=datetime.fromisoformat(document["made_at"]),
    )


def document_of_mark(mark: Mark) -> dict[str, Any]:
    """Return the document of a mark."""
    return {
        "kind": mark.kind.value,
        "user_id": mark.user_id,
        "title_id": mark.title_id,
        "at": to_sortable_text(mark.at),
        "rating": mark.rating,
    }


def mark_of(document: Mapping[str, Any]) -> Mark:
    """Return the mark in a document."""
    return Mark(
        kind=UsageKind(document["kind"]),
        user_id=document["user_id"],
        title_id=document["title_id"],
        at=datetime.fromisoformat(document["at"]),
        rating=document["rating"],
    )


def title_state_of(documents: Iterable[Mapping[str, Any]]) -> ViewerTitleState:
    """Return the state contained in the documents of one viewer and one title."""
    view, listed_at, rating = None, None, 0
    for document in documents:
        match UsageKind(document["kind"]):
            case UsageKind.VIEW:
                view = view_of(document)
            case UsageKind.LISTED:
                listed_at = mark_of(document).at
            case UsageKind.RATED:
                rating = mark_of(document).rating
    return ViewerTitleState(view, listed_at, rating)


def viewers_of(documents: Iterable[Mapping[str, Any]]) -> Iterator[ViewerUsage]:
    """Yield the viewers contained in documents that are sorted by viewer."""
    for user_id, its in groupby(documents, key=lambda document: str(document["user_id"])):
        kept = list(its)
        yield ViewerUsage(
            user_id,
            tuple(view_of(document) for document in kept if document["kind"] == UsageKind.VIEW.value),
            tuple(mark_of(document) for document in kept if document["kind"] != UsageKind.VIEW.value),
        )
