"""Search: the words by which titles are found.

Folding keeps only letters and digits, so typed text cannot contain an operator of the store.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.platform.errors import Malformed

if TYPE_CHECKING:
    from functions.catalogue.model import Details

MAX_WORDS = 8
MAX_LENGTH = 200

_UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i"})


def fold(text: str) -> str:
    """Return `text` without case and diacritics: "Amélie" and "AMELIE" fold to the same string."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).translate(_UNDECOMPOSED)


def words(text: str) -> list[str]:
    """Return the folded words of `text` in order; an apostrophe does not end a word ("Schindler's")."""
    return re.findall(r"[^\W_]+", re.sub(r"['’]", "", fold(text)))


def tokens_of(details: Details) -> tuple[str, ...]:
    """Return the words by which a title is found: the words of its name, people and genres."""
    return tuple(sorted({word for text in (details.name, *details.people, *details.genres) for word in words(text)}))


def is_alike(details: Details, guessed: Details) -> bool:
    """Return whether a description may be that of a file whose name was `guessed`.

    Name and number of the episode are equal, and so is the year, if both are known.
    """
    names = {tuple(words(name)) for name in (details.name, details.series) if name}
    is_named = tuple(words(guessed.name)) in names
    years = {details.year, guessed.year} - {None}
    return is_named and details.number == guessed.number and len(years) < 2


def genre_key(genre: str) -> str:
    """Return the normalized key by which genres are compared; "Sci-Fi" and "sci fi" have the same key."""
    return "-".join(words(genre))


def series_key(series: str | None) -> str | None:
    """Return the normalized key by which series names are compared, or None if there is no name."""
    return "-".join(words(series or "")) or None


@dataclass(frozen=True, slots=True)
class Search:
    """A search for titles whose tokens include all words in `whole` and one word that begins with `beginning`."""

    whole: tuple[str, ...] = ()
    beginning: str = ""
    genre: str = ""


def read_search(query: str, genre: str) -> Search:
    """Return the search for typed text, in which the last word may be incomplete. Raises Malformed."""
    if len(query) > MAX_LENGTH or len(genre) > MAX_LENGTH:
        raise Malformed(f"A search can have at most {MAX_LENGTH} characters.")
    typed = words(query)[:MAX_WORDS]
    if query.strip() and not typed:
        raise Malformed("The search has no letter or digit.")
    if genre.strip() and not genre_key(genre):
        raise Malformed("The genre has no letter or digit.")
    return Search(tuple(dict.fromkeys(typed[:-1])), typed[-1] if typed else "", genre_key(genre))
