"""Pages of a list: an opaque cursor identifies where the next page begins; the last page has no cursor.

A cursor encodes the sort position of the last entry shown. Clients return it unchanged.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from functions.platform.errors import Malformed
from functions.platform.time import from_text, to_exact_text, to_sortable_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

DEFAULT_LIMIT = 24
LARGEST_LIMIT = 100
ANY_POSITION = r"[\x21-\x7e]{1,300}"
TITLE_POSITION = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z~[a-z0-9-]{1,60}"
"""The format of positions returned by `title_position`."""
TIME_POSITION = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z~[A-Za-z0-9_-]{1,100}"
"""The format of a `TimePosition`."""


@dataclass(frozen=True, slots=True)
class Page[Entry]:
    """Sorted entries, and the cursor of the next page, which is None on the last page."""

    entries: tuple[Entry, ...]
    cursor: str | None


def page_of[Entry](found: Sequence[Entry], *, limit: int, position: Callable[[Entry], str]) -> Page[Entry]:
    """Return the page for `found`, which contains one entry more than `limit` if another page follows.

    `position` returns the sort position of an entry: printable ASCII without spaces.
    """
    shown = tuple(found[:limit])
    more = len(found) > limit
    return Page(shown, cursor_after(position(shown[-1])) if more and shown else None)


def title_position(at: datetime, title_id: str) -> str:
    """Return a unique position of a title in a list sorted by time; later times sort higher."""
    return f"{to_sortable_text(at)}~{title_id}"


def cursor_after(position: str) -> str:
    """Return the cursor of the page that begins after a position."""
    return base64.urlsafe_b64encode(position.encode("ascii")).rstrip(b"=").decode()


def position_of(cursor: str, *, form: str = ANY_POSITION) -> str | None:
    """Return the position encoded in a cursor, None for the empty cursor of a first page. Raises Malformed.

    `form` is the regular expression that the list's positions must match.
    """
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        raw = ""
    if not re.fullmatch(form, raw):
        raise Malformed("The cursor is not one that a page returned; start again without it.")
    return raw


class TimePosition(NamedTuple):
    """The sort position of an entry in a list sorted by time, newest first, then by id."""

    at: datetime
    entry_id: str

    def __str__(self) -> str:
        return f"{to_exact_text(self.at)}~{self.entry_id}"


def time_position_of(cursor: str) -> TimePosition | None:
    """Return the position encoded in a cursor, None for the empty cursor of a first page. Raises Malformed."""
    position = position_of(cursor, form=TIME_POSITION)
    if position is None:
        return None
    at, _, entry_id = position.partition("~")
    return TimePosition(from_text(at), entry_id)
