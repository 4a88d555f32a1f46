"""What viewers see as the names of audio and subtitle tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.languages import UNKNOWN, language_name
from functions.encoding.text_plan import TrackRole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

LONGEST_LABEL = 80

_SUFFIXES = {
    TrackRole.COMMENTARY: "commentary",
    TrackRole.DESCRIPTION: "audio description",
    TrackRole.FORCED: "forced",
    TrackRole.HEARING_IMPAIRED: "SDH",
    TrackRole.AUTOMATIC: "automatic",
}


class TrackLabels:
    """Unique labels for the tracks of one kind; those without a language are numbered. `given` are in use already."""

    def __init__(self, kind: str, given: Iterable[str] = ()) -> None:
        self._kind = kind
        self._given = list(given)

    def next(self, language: str, title: str, roles: Collection[TrackRole]) -> str:
        """Return the label of the next track: its own title, or else its language and purpose."""
        label = printable(title)
        if not label:
            name = f"{self._kind} {len(self._given) + 1}" if language == UNKNOWN else language_name(language)
            uses = ", ".join(_SUFFIXES[role] for role in roles)
            label = f"{name} ({uses})" if uses else name
        unique, count = label, 1
        while unique in self._given:
            count += 1
            unique = f"{label} {count}"
        self._given.append(unique)
        return unique


def printable(title: str) -> str:
    """Return a title from a file as one short line of printable characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in title)
    return " ".join(plain.split())[:LONGEST_LABEL]
