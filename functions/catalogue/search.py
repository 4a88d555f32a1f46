"""Words and cursors: how a title is found, and how the next page of a list is named.

Only letters and digits survive folding, so nothing that a person types can be an operator of a store.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.platform.errors import Malformed

if TYPE_CHECKING:
    from datetime import datetime

    from functions.catalogue.model import Details

MAX_WORDS = 8
MAX_LENGTH = 200

_UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i"})
_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z~[a-z0-9-]{1,60}")


def fold(text: str) -> str:
    """Return `text` without case and diacritics: "Amélie" and "AMELIE" fold to the same."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).translate(_UNDECOMPOSED)


def words(text: str) -> list[str]:
    """Return the folded words of `text` in order; an apostrophe joins ("Schindler's" is one word)."""
    return re.findall(r"[^\W_]+", re.sub(r"['’]", "", fold(text)))


def tokens_of(details: Details) -> tuple[str, ...]:
    """Return every word by which the title is found: of its name, its people and its genres."""
    return tuple(sorted({word for text in (details.name, *details.people, *details.genres) for word in words(text)}))


def genre_key(genre: str) -> str:
    """Return the form in which genres are compared: "Sci-Fi" and "sci fi" are the same."""
    return "-".join(words(genre))


def series_key(series: str | None) -> str | None:
    """Return the form in which the names of series are compared, None where there is none."""
    return "-".join(words(series or "")) or None


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: titles with all of `whole` among their tokens, and one that begins with `beginning`."""

    whole: tuple[str, ...] = ()
    beginning: str = ""
    genre: str = ""


def read_search(query: str, genre: str) -> Search:
    """Return the search for what a person typed; its last word may be unfinished."""
    if len(query) > MAX_LENGTH or len(genre) > MAX_LENGTH:
        raise Malformed(f"A search has at most {MAX_LENGTH} characters.")
    typed = words(query)[:MAX_WORDS]
    if query.strip() and not typed:
        raise Malformed("There is no letter or digit in what is searched for.")
    if genre.strip() and not genre_key(genre):
        raise Malformed("There is no letter or digit in the genre.")
    return Search(tuple(dict.fromkeys(typed[:-1])), typed[-1] if typed else "", genre_key(genre))


def position_of(title_id: str, added_at: datetime) -> str:
    """Return where a title stands in lists: newer ones sort higher, and no two are equal."""
    return f"{added_at:%Y-%m-%dT%H:%M:%S}.{added_at.microsecond // 1000:03d}Z~{title_id}"


def cursor_after(position: str) -> str:
    """Return the opaque name of the page that begins below `position`."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """Return the position a cursor stands for; raise Malformed if no page ever gave it out."""
    try:
        position = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        position = ""
    if not _POSITION.fullmatch(position):
        raise Malformed("The cursor is not one that a page of titles gave; begin again without it.")
    return position
