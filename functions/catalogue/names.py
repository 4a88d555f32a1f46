"""Deriving the description of a film from its file name, with guessit."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from functions.catalogue.model import Details
from functions.catalogue.text import printable


def guess(stem: str) -> Details:
    """Return the name, the year and, for an episode, season and number, derived from the stem of a blob.

    `The.Show.S01E02.1080p` becomes "The Show" S1 E2; parent folders are ignored.
    """
    from guessit import guessit  # slow to import, and only new titles need it

    file_name = printable(PurePosixPath(stem).name)
    found: dict[str, Any] = guessit(f"{file_name}.mkv")
    name = _first(found.get("title")) or file_name.replace(".", " ").replace("_", " ").strip() or "Untitled"
    year = _number(found.get("year"))
    is_episode = found.get("type") == "episode" and found.get("episode") is not None
    return Details(
        name=str(name),
        year=None if name == str(year) and file_name.count(str(year)) == 1 else year,  # "1917" is a name, not a year
        kind="episode" if is_episode else "movie",
        series=str(name) if is_episode else None,
        season=_number(found.get("season")),
        episode=_number(found.get("episode")),
    )


def shown_name(details: Details) -> str:
    """Return the name shown on the site; for an episode, the series name followed by the number."""
    if details.kind != "episode" or details.episode is None:
        return details.name
    season = f"S{details.season:02d}" if details.season is not None else ""
    return f"{details.name} {season}E{details.episode:02d}"


def _first(value: object) -> object:
    """Return the first of several values, because guessit returns a list if it finds more than one."""
    return value[0] if isinstance(value, list) and value else value


def _number(value: object) -> int | None:
    first = _first(value)
    return first if isinstance(first, int) else None
