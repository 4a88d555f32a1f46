"""Usage as other slices see it: opening a title for a viewer, heartbeats, history, the watch list and ratings.

A view is changed as it was read and written only over that version, so heartbeats that come at once never overwrite
each other. The graph is told at half of a title and at its end, on a rating, and when history is cleared: after the
change is kept, and again by the next heartbeat if that failed, so a message may come twice but is not lost.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from functions.platform.errors import Forbidden, ListFull, Malformed, StoreUnavailable, Unauthenticated
from functions.platform.telemetry import NoopTelemetry
from functions.usage.model import (
    Heartbeat,
    Kind,
    Mark,
    Sitting,
    Traces,
    View,
    cursor_after,
    read_cursor,
    text_of,
    to_milliseconds,
)
from functions.usage.quality import report
from functions.usage.schemas import read_title_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from functions.catalogue.model import Title
    from functions.platform.signed_tokens import SignedTokens
    from functions.platform.telemetry import Telemetry
    from functions.usage.model import UsageStore

log = logging.getLogger(__name__)

PURPOSE = "usage"
TICKET_LIFE = timedelta(hours=24)
"""A player that goes on for longer gets a new ticket each time it renews its key to the film."""

SLACK_S = 30.0
"""A player's length of a film and ours differ by less."""

PAGE_LIMIT = 100
MOST_LISTED = 500
TRIES = 20
"""How often a change is tried anew when others come between; players of one viewer are few."""


class Titles(Protocol):
    """What usage asks of the catalogue."""

    def get(self, title_id: str) -> Title:
        """Return a title; raise NotFound."""

    def known(self, title_ids: Iterable[str]) -> dict[str, Title]:
        """Return those of the titles that there are, by id."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a viewer goes on, and the ticket that their heartbeats carry; None while usage cannot be kept."""

    resume_s: float
    ticket: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """A view in a list, and its title unless that is withdrawn."""

    view: View
    title: Title | None


@dataclass(frozen=True, slots=True)
class History:
    """A page of history, and the cursor of the next one unless this is the last."""

    entries: tuple[Entry, ...]
    cursor: str | None


class Usage:
    """What viewers watched and marked."""

    def __init__(
        self,
        store: UsageStore,
        titles: Titles,
        tickets: SignedTokens,
        tell_graph: Callable[[Mapping[str, object]], None],
        now: Callable[[], datetime],
        telemetry: Callable[[], Telemetry] = NoopTelemetry,
    ) -> None:
        self._store = store
        self._titles = titles
        self._tokens = tickets
        self._tell_graph = tell_graph
        self._now = now
        self._telemetry = telemetry

    def open(self, user_id: str, title_id: str, *, duration_s: float, ticket: str = "") -> Opening:
        """Return where the viewer goes on with a title, and a ticket for its heartbeats.

        A `ticket` of theirs that still lives is prolonged: the sitting stays the same. A store that is away keeps
        nobody from watching; without a ticket the place that was kept before is not lost either.
        """
        sitting = self._sitting_of(ticket, user_id, title_id) or Sitting(
            user_id=user_id,
            title_id=title_id,
            playback_id=secrets.token_hex(8),
            opened_at=to_milliseconds(self._now()),
            duration_s=duration_s,
        )
        try:
            kept = self._store.view(user_id, title_id)
            if kept is None:
                self._store.add(View(sitting, made_at=to_milliseconds(self._now())))
        except StoreUnavailable as error:
            log.warning("Usage of %s is not kept: %s", title_id, error.detail)
            return Opening(0.0, None)
        return Opening(kept.view.resume_s if kept else 0.0, self._seal(sitting))

    def beat(self, title_id: str, ticket: str, beat: Heartbeat) -> None:
        """Carry a view on; a heartbeat that comes late, or twice, or after its history was cleared changes nothing.

        Raise Unauthenticated for a ticket that is none, Forbidden for one of another title, Malformed for a position
        that the title does not have.
        """
        sitting = self._read(ticket)
        if sitting.title_id != title_id:
            raise Forbidden(f"The ticket is for another title than {title_id!r}; open this one first.")
        if beat.position_s > sitting.duration_s + SLACK_S:
            raise Malformed(f"position_s: {title_id!r} lasts {sitting.duration_s:.1f} s.")
        now = self._now()
        before: View | None = None

        def carry_on(seen: View) -> View:
            nonlocal before
            before = seen
            return seen.after(beat, sitting, now)

        view = self._change(sitting.user_id, title_id, carry_on)
        if view and before:
            report(self._telemetry, before, view)
        if view and (milestone := view.due) and view.watched_at:
            watched = {
                "user_id": view.user_id,
                "title_id": title_id,
                "progress": round(view.progress, 3),
                "at": text_of(view.watched_at),
            }
            self._tell_graph({"watched": watched})
            self._change(view.user_id, title_id, lambda seen: seen.having_told(milestone))

    def history(self, user_id: str, *, unfinished: bool = False, cursor: str = "", limit: int = 24) -> History:
        """Return what a viewer watched, the latest first; raise Malformed for a limit or cursor that cannot be."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise Malformed(f"The limit must be from 1 to {PAGE_LIMIT}.")
        below = read_cursor(cursor) if cursor else None
        found = self._store.views(user_id, unfinished=unfinished, below=below, limit=limit + 1)
        shown = found[:limit]
        titles = self._titles.known(view.title_id for view in shown)
        last = shown[-1].place if shown else None
        return History(
            tuple(Entry(view, titles.get(view.title_id)) for view in shown),
            cursor_after(last) if last and len(found) > limit else None,
        )

    def traces(self, user_id: str, title_id: str) -> Traces:
        """Return all that is kept of a viewer and a title."""
        return self._store.traces(user_id, read_title_id(title_id))

    def clear(self, user_id: str, title_id: str) -> None:
        """Take a title out of a viewer's history; players that are still on it bring it back only when opened again."""
        self._store.remove(user_id, Kind.VIEW, read_title_id(title_id))
        self._tell_graph({"unwatched": {"user_id": user_id, "title_id": title_id}})

    def clear_all(self, user_id: str) -> None:
        """Clear a viewer's whole history."""
        self._store.remove_all(user_id, Kind.VIEW)
        self._tell_graph({"unwatched": {"user_id": user_id, "title_id": None}})

    def watch_list(self, user_id: str) -> list[tuple[Mark, Title | None]]:
        """Return a viewer's list, the latest first; a withdrawn title is None."""
        marks = self._store.marks(user_id, Kind.LISTED)
        titles = self._titles.known(mark.title_id for mark in marks)
        return [(mark, titles.get(mark.title_id)) for mark in marks]

    def list_title(self, user_id: str, title_id: str) -> None:
        """Put a title on a viewer's list; one that is there stays where it is. Raise NotFound, ListFull."""
        title = self._titles.get(read_title_id(title_id))
        listed = {mark.title_id for mark in self._store.marks(user_id, Kind.LISTED)}
        if title.id in listed:
            return
        if len(listed) >= MOST_LISTED:
            raise ListFull(f"A list holds {MOST_LISTED} titles; remove one first.")
        self._store.put(Mark(Kind.LISTED, user_id, title.id, to_milliseconds(self._now())))

    def unlist_title(self, user_id: str, title_id: str) -> None:
        """Take a title off a viewer's list."""
        self._store.remove(user_id, Kind.LISTED, read_title_id(title_id))

    def ratings(self, user_id: str) -> list[Mark]:
        """Return what a viewer rated, the latest first."""
        return self._store.marks(user_id, Kind.RATED)

    def rate(self, user_id: str, title_id: str, rating: int) -> None:
        """Keep a thumb up (1) or down (-1) in place of any earlier one; raise NotFound."""
        title = self._titles.get(read_title_id(title_id))
        mark = Mark(Kind.RATED, user_id, title.id, to_milliseconds(self._now()), rating)
        self._store.put(mark)
        self._tell_rating(mark)

    def unrate(self, user_id: str, title_id: str) -> None:
        """Take a rating back."""
        self._store.remove(user_id, Kind.RATED, read_title_id(title_id))
        self._tell_rating(Mark(Kind.RATED, user_id, title_id, to_milliseconds(self._now())))

    def forget(self, user_id: str) -> None:
        """Delete all that is kept of a viewer; tickets that they still hold bring nothing back."""
        self._store.remove_all(user_id, *Kind)

    def _tell_rating(self, mark: Mark) -> None:
        rated = {"user_id": mark.user_id, "title_id": mark.title_id, "rating": mark.rating, "at": text_of(mark.at)}
        self._tell_graph({"rated": rated})

    def _change(self, user_id: str, title_id: str, change: Callable[[View], View]) -> View | None:
        """Apply `change` to the view as it is now, again if another change came between; None if there is none."""
        for _ in range(TRIES):
            kept = self._store.view(user_id, title_id)
            if kept is None:
                return None
            changed = change(kept.view)
            if changed == kept.view or self._store.change(changed, over=kept.version):
                return changed
        raise StoreUnavailable("The view is changed by too many at once; try again.")

    def _seal(self, sitting: Sitting) -> str:
        content = {
            "u": sitting.user_id,
            "t": sitting.title_id,
            "p": sitting.playback_id,
            "o": text_of(sitting.opened_at),
            "d": sitting.duration_s,
        }
        return self._tokens.sign(PURPOSE, content, until=self._now() + TICKET_LIFE)

    def _read(self, ticket: str) -> Sitting:
        """Return the sitting that a ticket speaks for; raise Unauthenticated."""
        content = self._tokens.verify(PURPOSE, ticket)
        return Sitting(
            user_id=content["u"],
            title_id=content["t"],
            playback_id=content["p"],
            opened_at=datetime.fromisoformat(content["o"]),
            duration_s=content["d"],
        )

    def _sitting_of(self, ticket: str, user_id: str, title_id: str) -> Sitting | None:
        """Return the sitting of a ticket to be prolonged, None where it is not this viewer's with this title."""
        if not ticket:
            return None
        try:
            sitting = self._read(ticket)
        except Unauthenticated:
            return None
        return sitting if (sitting.user_id, sitting.title_id) == (user_id, title_id) else None
