"""Views and marks as flat documents, the same in either store, and back; times are text that sorts as they do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from functions.usage.model import Everything, Kind, Mark, Milestone, Quality, Sitting, Traces, View, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def document_of(view: View) -> dict[str, Any]:
    """Return the document of a view; `place` and `unfinished` are what it is found by."""
    return {
        "kind": Kind.VIEW.value,
        "user_id": view.user_id,
        "title_id": view.title_id,
        "position_s": view.position_s,
        "duration_s": view.duration_s,
        "watched_at": text_of(view.watched_at) if view.watched_at else None,
        "place": view.place,
        "unfinished": view.unfinished,
        "told": view.told.value,
        "made_at": text_of(view.made_at),
        "sitting": {
            "playback_id": view.sitting.playback_id,
            "opened_at": text_of(view.sitting.opened_at),
            "sequence": view.sequence,
            "played_s": view.played_s,
            "earlier_s": view.earlier_s,
            "quality": asdict(view.quality),
        },
    }


CHANGING = ("position_s", "duration_s", "watched_at", "place", "unfinished", "told", "sitting")
"""Fields of a view's document that a heartbeat changes; a patch of Cosmos DB has room for ten."""


def view_of(document: Mapping[str, Any]) -> View:
    """Return the view in a document."""
    sitting = document["sitting"]
    return View(
        sitting=Sitting(
            user_id=document["user_id"],
            title_id=document["title_id"],
            playback_id=sitting["playback_id"],
            opened_at=datetime.fromisoformat(sitting["opened_at"]),
            duration_s=document["duration_s"],
        ),
        sequence=sitting["sequence"],
        position_s=document["position_s"],
        watched_at=datetime.fromisoformat(document["watched_at"]) if document["watched_at"] else None,
        played_s=sitting["played_s"],
        earlier_s=sitting["earlier_s"],
        told=Milestone(document["told"]),
        quality=Quality(**sitting["quality"]),
        made_at=datetime.fromisoformat(document["made_at"]),
    )


def document_of_mark(mark: Mark) -> dict[str, Any]:
    """Return the document of a mark."""
    return {
        "kind": mark.kind.value,
        "user_id": mark.user_id,
        "title_id": mark.title_id,
        "at": text_of(mark.at),
        "rating": mark.rating,
    }


def mark_of(document: Mapping[str, Any]) -> Mark:
    """Return the mark in a document."""
    return Mark(
        kind=Kind(document["kind"]),
        user_id=document["user_id"],
        title_id=document["title_id"],
        at=datetime.fromisoformat(document["at"]),
        rating=document["rating"],
    )


def traces_of(documents: Iterable[Mapping[str, Any]]) -> Traces:
    """Return what the documents of one viewer and one title say together."""
    view, listed_at, rating = None, None, 0
    for document in documents:
        match Kind(document["kind"]):
            case Kind.VIEW:
                view = view_of(document)
            case Kind.LISTED:
                listed_at = mark_of(document).at
            case Kind.RATED:
                rating = mark_of(document).rating
    return Traces(view, listed_at, rating)


def everything_of(documents: Iterable[Mapping[str, Any]]) -> Iterator[Everything]:
    """Yield the viewers in documents that come in the order of their viewers."""
    for user_id, its in groupby(documents, key=lambda document: str(document["user_id"])):
        kept = list(its)
        yield Everything(
            user_id,
            tuple(view_of(document) for document in kept if document["kind"] == Kind.VIEW.value),
            tuple(mark_of(document) for document in kept if document["kind"] != Kind.VIEW.value),
        )
