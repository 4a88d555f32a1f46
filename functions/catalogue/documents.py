"""Conversion between titles and Mongo documents, which have flat details and extra fields for queries."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from functions.catalogue.model import (
    Artwork,
    DescriptionSource,
    Details,
    Metadata,
    PartKind,
    PlayableRendition,
    PlayableSubtitles,
    Playback,
    Rating,
    SkippablePart,
    Status,
    Title,
)
from functions.catalogue.search import genre_key, series_key, tokens_of
from functions.platform.pagination import title_position

if TYPE_CHECKING:
    from collections.abc import Mapping

_DETAILS = tuple(field.name for field in fields(Details))
_LISTS = tuple(field.name for field in fields(Details) if field.default == ())
_METADATA = tuple(field.name for field in fields(Metadata))

UNREAD_IN_LISTS = ("tokens", "genre_keys", "edits", "ratings", "awards", "languages", "countries")
"""Fields that are not shown in lists; the projection of summaries excludes them."""


def document_of(title: Title) -> dict[str, Any]:
    """Return the document of a title; the fields from `tokens` to `position` exist only for queries."""
    return {
        "_id": title.id,
        "stem": title.stem,
        "film": title.film,
        "draft": title.draft,
        "trailer_of": title.trailer_of,
        **asdict(title.details),
        "metadata": {**asdict(title.metadata), "source": title.metadata.source.value},
        "artwork": asdict(title.artwork),
        "status": title.status.value,
        "failure": title.failure,
        "playback": _stored_playback(title.playback) if title.playback else None,
        "edits": {name: _plain(value) for name, value in title.edits.items()},
        "tokens": tokens_of(title.details),
        "genre_keys": [genre_key(genre) for genre in title.details.genres],
        "series_key": series_key(title.details.series),
        "listed": title.listed,
        "position": title_position(title.added_at, title.id),
        "added_at": title.added_at,
        "updated_at": title.updated_at,
        "published": title.published,
        "page_format": title.page_format,
        "revision": title.revision,
    }


def _stored_playback(playback: Playback) -> dict[str, Any]:
    parts = [{"kind": part.kind.value, "start_s": part.start_s, "end_s": part.end_s} for part in playback.skippable]
    return {**asdict(playback), "skippable": parts}


def _plain(value: object) -> object:
    """Convert a field of `Details` to the form stored in Mongo; ratings become documents."""
    return [asdict(part) if isinstance(part, Rating) else part for part in value] if isinstance(value, tuple) else value


def title_of(document: Mapping[str, Any]) -> Title:
    """Return the title that a document contains; fields that the projection excluded have their default values."""
    details = {name: document[name] for name in _DETAILS if name in document}
    return Title(
        id=document["_id"],
        stem=document["stem"],
        details=_details(details),
        added_at=document["added_at"],
        updated_at=document["updated_at"],
        status=Status(document["status"]),
        failure=document["failure"],
        metadata=_metadata(document["metadata"]),
        artwork=Artwork(**document["artwork"]),
        playback=_playback(document["playback"]),
        edits=_edits(document.get("edits", {})),
        published=document["published"],
        page_format=document.get("page_format", 0),
        revision=document["revision"],
        film=document.get("film"),
        draft=document.get("draft", False),
        trailer_of=document.get("trailer_of"),
    )


def _metadata(document: Mapping[str, Any]) -> Metadata:
    known = {name: document[name] for name in _METADATA if name in document}
    return Metadata(**{**known, "source": DescriptionSource(document["source"])})


def _details(values: dict[str, Any]) -> Details:
    return Details(**_edits(values))


def _edits(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert stored fields to the types of `Details`: arrays to tuples, and documents to `Rating`s."""
    read: dict[str, Any] = dict(values)
    for name in _LISTS:
        if name in read:
            read[name] = tuple(Rating(**part) if isinstance(part, dict) else part for part in read[name])
    return read


def _playback(document: Mapping[str, Any] | None) -> Playback | None:
    if document is None:
        return None
    return Playback(
        **{
            **document,
            "renditions": tuple(PlayableRendition(**rendition) for rendition in document["renditions"]),
            "audio": tuple(document["audio"]),
            "subtitles": tuple(PlayableSubtitles(**track) for track in document["subtitles"]),
            "skippable": tuple(
                SkippablePart(**{**part, "kind": PartKind(part["kind"])}) for part in document.get("skippable", ())
            ),
        }
    )
