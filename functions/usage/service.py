"""Operations on usage: opening a title for a viewer, heartbeats, history, the watch list and ratings.

A change is applied to the view that was read, and written only if the view has not changed since, so concurrent
heartbeats never overwrite each other. The graph is notified at half of a title and at its end, of ratings, and when
history is cleared. The message is sent after the change; if sending fails, the next heartbeat repeats the message. A
message may therefore arrive twice but is not lost.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.platform import pagination
from functions.platform.days import day_of, days_until
from functions.platform.errors import Forbidden, ListFull, Malformed, StoreUnavailable, Unauthenticated
from functions.platform.messages import UpdateGraph
from functions.platform.telemetry import NoopTelemetry
from functions.platform.time import to_sortable_text
from functions.usage.days import NO_VIEWING, viewing_between
from functions.usage.model import (
    Heartbeat,
    Mark,
    UsageKind,
    View,
    ViewerTitleState,
    ViewerUsage,
    ViewingSession,
    to_milliseconds,
)
from functions.usage.quality import record_quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from functions.catalogue.model import Title
    from functions.platform.pagination import Page
    from functions.platform.signed_tokens import SignedTokens
    from functions.platform.telemetry import Telemetry
    from functions.usage.days import DayViewing
    from functions.usage.ports import TitleLookup, UsageStore, ViewingDays

log = logging.getLogger(__name__)

PURPOSE = "usage"
TICKET_LIFE = timedelta(hours=24)
"""How long a logged-in player can renew a ticket, and so continue its viewing session."""

HEARTBEAT_LIFE = timedelta(hours=1)
"""How long heartbeats are accepted with a ticket. Players get a new ticket each time they renew their key, every few
minutes; so heartbeats end within an hour after the viewer has logged out."""

SLACK_S = 30.0
"""The maximum difference, in seconds, between the player's length of a film and ours."""

MOST_LISTED = 500
ATTEMPTS = 20
"""How many times a change is attempted if other changes interfere; a viewer has few players."""


@dataclass(frozen=True, slots=True)
class OpenedViewing:
    """The position at which a viewer resumes, and the ticket for heartbeats, None while usage is unavailable."""

    resume_s: float
    ticket: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """A view in the history, and its title unless the title is withdrawn."""

    view: View
    title: Title | None


@dataclass(frozen=True, slots=True)
class ListItem:
    """A mark on the watch list, and its title unless the title is withdrawn."""

    mark: Mark
    title: Title | None


class UsageService:
    """Operations on what viewers watched and marked; `send` enqueues messages to the graph."""

    def __init__(
        self,
        store: UsageStore,
        titles: TitleLookup,
        tokens: SignedTokens,
        days: ViewingDays,
        *,
        send: Callable[[UpdateGraph], None],
        now: Callable[[], datetime],
        telemetry: Callable[[], Telemetry] = NoopTelemetry,
    ) -> None:
        self._store = store
        self._titles = titles
        self._tokens = tokens
        self._days = days
        self._send = send
        self._now = now
        self._telemetry = telemetry

    def open(self, user_id: str, title_id: str, *, duration_s: float, ticket: str = "") -> OpenedViewing:
        """Return where the viewer resumes a title, and a ticket for its heartbeats.

        If `ticket` is a valid ticket of the viewer, it is renewed for the same viewing session. An unavailable store
        does not prevent watching: the result then has no ticket, and the stored position is not lost.
        """
        session = self._session_of(ticket, user_id, title_id) or ViewingSession(
            user_id=user_id,
            title_id=title_id,
            playback_id=secrets.token_hex(8),
            opened_at=to_milliseconds(self._now()),
            duration_s=duration_s,
        )
        try:
            stored = self._store.view(user_id, title_id)
            if stored is None:
                self._store.add(View(session, made_at=to_milliseconds(self._now())))
        except StoreUnavailable as error:
            log.warning("Usage of %s is not stored: %s", title_id, error.detail)
            return OpenedViewing(0.0, None)
        return OpenedViewing(stored.view.resume_s if stored else 0.0, self._sign(session))

    def record_heartbeat(self, title_id: str, ticket: str, beat: Heartbeat) -> None:
        """Update a view; a heartbeat that is stale, or arrives after its view was cleared, changes nothing.

        Raises Unauthenticated for an invalid ticket, Forbidden for a ticket of another title, Malformed for a position
        beyond the end of the title.
        """
        session = self._verify(ticket, heartbeat=True)
        if session.title_id != title_id:
            raise Forbidden("This playback belongs to another film; open this one again.")
        if beat.position_s > session.duration_s + SLACK_S:
            raise Malformed(f"`position_s`: The film lasts {session.duration_s:.1f} s.")
        now = self._now()
        before: View | None = None

        def update(seen: View) -> View:
            nonlocal before
            if seen.session.playback_id != session.playback_id:
                # The other session's message may have been lost, and its player cannot repeat it once this session has
                # taken over. Reporting changes the view, so this heartbeat is then applied to the changed view.
                self._report(seen)
            before = seen
            return seen.after(beat, session, now)

        view = self._change(session.user_id, title_id, update)
        if view and before:
            record_quality(self._telemetry, before, view)
            self._count(viewing_between(before, view), title_id if beat.plays_av1 else None)
        if view:
            self._report(view)

    def _count(self, viewing: DayViewing, in_av1: str | None) -> None:
        """Add to today's counts, or do nothing while their store is unavailable, because viewers must not notice.

        `in_av1` is the title if the device can play AV1, otherwise None.
        """
        if viewing == NO_VIEWING:
            return
        try:
            self._days.count(day_of(self._now()), viewing)
            if in_av1 and viewing.minutes:
                self._days.count_av1(in_av1, viewing.minutes)
        except StoreUnavailable as error:
            log.warning("Some viewing is missing in the counts of today: %s", error.detail)

    def viewing(self, count: int) -> tuple[tuple[date, DayViewing], ...]:
        """Return what was watched on each of the last `count` days, today included, oldest first."""
        days = days_until(self._now(), count)
        found = self._days.viewing_since(days[0])
        return tuple((day, found.get(day, NO_VIEWING)) for day in days)

    def watched_av1_min(self, title_id: str) -> int:
        """Return for how many minutes devices that can play AV1 have watched a title."""
        return self._days.av1_minutes(title_id)

    def _report(self, view: View) -> None:
        """Report the milestone that is due for a view to the graph, and record that it was reported."""
        if not (milestone := view.due) or not view.watched_at:
            return
        progress = round(view.progress, 3)
        self._send(
            UpdateGraph("watched", title_id=view.title_id, user_id=view.user_id, progress=progress, at=view.watched_at)
        )
        self._change(view.user_id, view.title_id, lambda seen: seen.with_reported(milestone))

    def history(
        self,
        user_id: str,
        *,
        unfinished: bool = False,
        age_limit: int | None = None,
        cursor: str = "",
        limit: int = pagination.DEFAULT_LIMIT,
    ) -> Page[HistoryItem]:
        """Return a page of a viewer's history, latest first, without titles for people older than `age_limit`.

        With a limit, withdrawn titles are left out too. Raises Malformed for an invalid cursor.
        """
        below = pagination.position_of(cursor, form=pagination.TITLE_POSITION)
        items: list[HistoryItem] = []
        while len(items) <= limit:
            found = self._store.views(user_id, unfinished=unfinished, below=below, limit=limit + 1)
            titles = self._titles.known(view.title_id for view in found)
            shown = [view for view in found if _is_shown(titles.get(view.title_id), age_limit)]
            items += [HistoryItem(view, titles.get(view.title_id)) for view in shown]
            if len(found) <= limit:
                break
            below = found[-1].place
        return pagination.page_of(items, limit=limit, position=lambda item: item.view.place or "")

    def title_state(self, user_id: str, title_id: str) -> ViewerTitleState:
        """Return everything that is stored about a viewer and a title."""
        return self._store.title_state(user_id, title_id)

    def viewers(self, *, after: str = "") -> Iterator[ViewerUsage]:
        """Yield every viewer with stored usage, sorted by id, starting after the id `after`."""
        return self._store.everyone(after=after)

    def find_viewer(self, user_id: str) -> ViewerUsage | None:
        """Return everything that is stored about a viewer; None if there is nothing."""
        return self._store.viewer(user_id)

    def clear_view(self, user_id: str, title_id: str) -> None:
        """Remove a title from a viewer's history; a player that still plays must reopen the title to restore it."""
        self._store.remove(user_id, UsageKind.VIEW, title_id)
        self._send(UpdateGraph("unwatched", title_id=title_id, user_id=user_id))

    def clear_history(self, user_id: str) -> None:
        """Clear a viewer's whole history."""
        self._store.remove_all(user_id, UsageKind.VIEW)
        self._send(UpdateGraph("unwatched", user_id=user_id))

    def watch_list(
        self,
        user_id: str,
        *,
        age_limit: int | None = None,
        cursor: str = "",
        limit: int = pagination.DEFAULT_LIMIT,
    ) -> Page[ListItem]:
        """Return a page of a viewer's list, latest first, without titles for people older than `age_limit`.

        With a limit, withdrawn titles are left out too. Raises Malformed for an invalid cursor.
        """
        page = self._marks(user_id, UsageKind.LISTED, age_limit, cursor, limit)
        titles = self._titles.known(mark.title_id for mark in page.entries)
        return pagination.Page(tuple(ListItem(mark, titles.get(mark.title_id)) for mark in page.entries), page.cursor)

    def list_title(self, user_id: str, title_id: str) -> None:
        """Put a title on a viewer's list; a title already listed keeps its place. Raises NotFound, ListFull."""
        title = self._titles.get(title_id)
        listed = {mark.title_id for mark in self._store.marks(user_id, UsageKind.LISTED)}
        if title.id in listed:
            return
        if len(listed) >= MOST_LISTED:
            raise ListFull(f"A list can have at most {MOST_LISTED} films; remove one first.")
        self._store.put(Mark(UsageKind.LISTED, user_id, title.id, to_milliseconds(self._now())))

    def unlist_title(self, user_id: str, title_id: str) -> None:
        """Remove a title from a viewer's list."""
        self._store.remove(user_id, UsageKind.LISTED, title_id)

    def ratings(
        self,
        user_id: str,
        *,
        age_limit: int | None = None,
        cursor: str = "",
        limit: int = pagination.DEFAULT_LIMIT,
    ) -> Page[Mark]:
        """Return a page of a viewer's ratings, latest first, without titles for people older than `age_limit`.

        With a limit, withdrawn titles are left out too. Raises Malformed for an invalid cursor.
        """
        return self._marks(user_id, UsageKind.RATED, age_limit, cursor, limit)

    def rate_title(self, user_id: str, title_id: str, rating: int) -> None:
        """Store a thumb up (1) or down (-1), replacing an earlier one. Raises NotFound."""
        title = self._titles.get(title_id)
        mark = Mark(UsageKind.RATED, user_id, title.id, to_milliseconds(self._now()), rating)
        self._store.put(mark)
        self._send(UpdateGraph("rated", title_id=title.id, user_id=user_id, at=mark.at))

    def unrate_title(self, user_id: str, title_id: str) -> None:
        """Remove a rating."""
        self._store.remove(user_id, UsageKind.RATED, title_id)
        self._send(UpdateGraph("rated", title_id=title_id, user_id=user_id, at=to_milliseconds(self._now())))

    def forget(self, user_id: str) -> None:
        """Delete everything that is stored about a viewer; their remaining tickets cannot restore anything."""
        self._store.remove_all(user_id, *UsageKind)

    def _marks(self, user_id: str, kind: UsageKind, age_limit: int | None, cursor: str, limit: int) -> Page[Mark]:
        """Return a page of marks; all are read, because a viewer has at most one of each kind per title."""
        below = pagination.position_of(cursor, form=pagination.TITLE_POSITION)
        found = [mark for mark in self._store.marks(user_id, kind) if below is None or mark.place < below]
        if age_limit is not None:
            titles = self._titles.known(mark.title_id for mark in found)
            found = [mark for mark in found if _is_shown(titles.get(mark.title_id), age_limit)]
        return pagination.page_of(found, limit=limit, position=lambda mark: mark.place)

    def _change(self, user_id: str, title_id: str, change: Callable[[View], View]) -> View | None:
        """Apply `change` to the current view, retrying after concurrent changes; return None if there is no view."""
        for _ in range(ATTEMPTS):
            stored = self._store.view(user_id, title_id)
            if stored is None:
                return None
            changed = change(stored.view)
            if changed == stored.view or self._store.change(changed, over=stored.version):
                return changed
        raise StoreUnavailable("The view is being changed by too many players; try again.")

    def _sign(self, session: ViewingSession) -> str:
        content = {
            "u": session.user_id,
            "t": session.title_id,
            "p": session.playback_id,
            "o": to_sortable_text(session.opened_at),
            "d": session.duration_s,
            "h": int((self._now() + HEARTBEAT_LIFE).timestamp()),
        }
        return self._tokens.sign(PURPOSE, content, until=self._now() + TICKET_LIFE)

    def _verify(self, ticket: str, *, heartbeat: bool = False) -> ViewingSession:
        """Return the session of a ticket. Raises Unauthenticated if it can no longer be renewed.

        With `heartbeat`, the ticket must also still be valid for heartbeats.
        """
        content = self._tokens.verify(PURPOSE, ticket)
        if heartbeat and content.get("h", 0) <= self._now().timestamp():
            raise Unauthenticated("This playback has expired; open the film again.")
        return ViewingSession(
            user_id=content["u"],
            title_id=content["t"],
            playback_id=content["p"],
            opened_at=datetime.fromisoformat(content["o"]),
            duration_s=content["d"],
        )

    def _session_of(self, ticket: str, user_id: str, title_id: str) -> ViewingSession | None:
        """Return the session of a ticket to renew, or None if the ticket is for another viewer or title."""
        if not ticket:
            return None
        try:
            session = self._verify(ticket)
        except Unauthenticated:
            return None
        return session if (session.user_id, session.title_id) == (user_id, title_id) else None


def _is_shown(title: Title | None, age_limit: int | None) -> bool:
    """Return whether a list may show an entry; the age of a withdrawn title is unknown."""
    return age_limit is None or (title is not None and title.details.is_suitable(age_limit))
