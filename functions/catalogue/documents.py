"""The title as a Mongo document, and back: flat details, and beside them what only queries need."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from functions.catalogue.model import (
    Artwork,
    Details,
    Metadata,
    PlayableRendition,
    PlayableSubtitles,
    Playback,
    Rating,
    Source,
    Status,
    Title,
)
from functions.catalogue.search import genre_key, position_of, series_key, tokens_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_DETAILS = tuple(field.name for field in fields(Details))
_LISTS = ("genres", "directors", "writers", "actors", "languages", "countries")

UNREAD_IN_LISTS = ("tokens", "genre_keys", "edits", "ratings", "awards", "languages", "countries")
"""Fields that no list shows: a projection leaves them out."""


def document_of(title: Title) -> dict[str, Any]:
    """Return the document of a title; from `tokens` to `position` it is what a title is found by."""
    return {
        "_id": title.id,
        "stem": title.stem,
        **asdict(title.details),
        "metadata": {**asdict(title.metadata), "source": title.metadata.source.value},
        "artwork": asdict(title.artwork),
        "status": title.status.value,
        "failure": title.failure,
        "playback": asdict(title.playback) if title.playback else None,
        "edits": {name: _plain(value) for name, value in title.edits.items()},
        "tokens": tokens_of(title.details),
        "genre_keys": [genre_key(genre) for genre in title.details.genres],
        "series_key": series_key(title.details.series),
        "listed": title.listed,
        "position": position_of(title.id, title.added_at),
        "added_at": title.added_at,
        "updated_at": title.updated_at,
        "published": title.published,
        "revision": title.revision,
    }


def _plain(value: object) -> object:
    """Return a field of `Details` as Mongo takes it: documents for ratings."""
    return [asdict(part) if isinstance(part, Rating) else part for part in value] if isinstance(value, tuple) else value


def title_of(document: Mapping[str, Any]) -> Title:
    """Return the title in a document; what a projection left out takes its default."""
    details = {name: document[name] for name in _DETAILS if name in document}
    return Title(
        id=document["_id"],
        stem=document["stem"],
        details=_details(details),
        added_at=document["added_at"],
        updated_at=document["updated_at"],
        status=Status(document["status"]),
        failure=document["failure"],
        metadata=Metadata(**{**document["metadata"], "source": Source(document["metadata"]["source"])}),
        artwork=Artwork(**document["artwork"]),
        playback=_playback(document["playback"]),
        edits=_edits(document.get("edits", {})),
        published=document["published"],
        revision=document["revision"],
    )


def _details(values: dict[str, Any]) -> Details:
    return Details(**_edits(values))


def _edits(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of `Details` as it holds them: tuples for arrays, `Rating`s for their documents."""
    read: dict[str, Any] = dict(values)
    for name in _LISTS:
        if name in read:
            read[name] = tuple(read[name])
    if "ratings" in read:
        read["ratings"] = tuple(Rating(**rating) for rating in read["ratings"])
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
        }
    )
