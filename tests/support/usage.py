"""Usage in memory: a store that satisfies the contract of the real ones, and viewers who send heartbeats."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from functions.platform.errors import StoreUnavailable
from functions.platform.signed_tokens import SignedTokens
from functions.usage.days import NO_VIEWING, DayViewing
from functions.usage.model import (
    Heartbeat,
    Mark,
    StoredView,
    UsageKind,
    View,
    ViewerTitleState,
    ViewerUsage,
    ViewingSession,
)
from functions.usage.service import UsageService
from tests.support.catalogue import World, make_playback, make_title
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from functions.platform.messages import UpdateGraph

ADA, BOB = "a" * 32, "b" * 32
FILM_S = 120.0


def make_session(title_id: str = "film", *, user_id: str = ADA, opened_s: float = 0, **changes: Any) -> ViewingSession:
    """Return a session with a film of two minutes, opened `opened_s` seconds after noon."""
    made = ViewingSession(user_id, title_id, "0123456789abcdef", NOON + timedelta(seconds=opened_s), FILM_S)
    return replace(made, **changes)


def make_view(title_id: str = "film", *, position_s: float = 0, watched_s: float = 0, **changes: Any) -> View:
    """Return a view whose position was reported `watched_s` seconds after noon; `changes` apply to its session."""
    session = make_session(title_id, **changes)
    return View(session).after(Heartbeat(0, position_s), session, NOON + timedelta(seconds=watched_s))


class MemoryUsage:
    """Usage in memory; `after_reading` is called after a view is read, so that a test can make a concurrent change."""

    def __init__(self) -> None:
        self.after_reading: Callable[[], None] = lambda: None
        self._views: dict[tuple[str, str], StoredView] = {}
        self._marks: dict[tuple[str, UsageKind, str], Mark] = {}
        self._versions = 0
        self._lock = Lock()

    def view(self, user_id: str, title_id: str) -> StoredView | None:
        kept = self._views.get((user_id, title_id))
        self.after_reading()
        return kept

    def add(self, view: View) -> bool:
        with self._lock:
            if (view.user_id, view.title_id) in self._views:
                return False
            self._keep(view)
            return True

    def change(self, view: View, *, over: str) -> bool:
        with self._lock:
            kept = self._views.get((view.user_id, view.title_id))
            if kept is None or kept.version != over:
                return False
            self._keep(view)
            return True

    def views(self, user_id: str, *, unfinished: bool, below: str | None, limit: int) -> list[View]:
        placed = {
            kept.view.place: kept.view
            for (owner, _), kept in self._views.items()
            if owner == user_id and (kept.view.unfinished or not unfinished)
        }
        places = sorted((place for place in placed if place and (below is None or place < below)), reverse=True)
        return [placed[place] for place in places[:limit]]

    def put(self, mark: Mark) -> None:
        self._marks[mark.user_id, mark.kind, mark.title_id] = mark

    def marks(self, user_id: str, kind: UsageKind) -> list[Mark]:
        found = [mark for mark in self._marks.values() if (mark.user_id, mark.kind) == (user_id, kind)]
        return sorted(found, key=lambda mark: (mark.at, mark.title_id), reverse=True)

    def title_state(self, user_id: str, title_id: str) -> ViewerTitleState:
        kept = self._views.get((user_id, title_id))
        listed = self._marks.get((user_id, UsageKind.LISTED, title_id))
        rated = self._marks.get((user_id, UsageKind.RATED, title_id))
        return ViewerTitleState(
            kept.view if kept else None, listed.at if listed else None, rated.rating if rated else 0
        )

    def everyone(self, *, after: str) -> Iterator[ViewerUsage]:
        owners = {owner for owner, _ in self._views} | {owner for owner, _, _ in self._marks}
        for user_id in sorted(owner for owner in owners if owner > after):
            if kept := self.viewer(user_id):
                yield kept

    def viewer(self, user_id: str) -> ViewerUsage | None:
        views = tuple(kept.view for (owner, _), kept in self._views.items() if owner == user_id)
        marks = tuple(mark for (owner, _, _), mark in self._marks.items() if owner == user_id)
        return ViewerUsage(user_id, views, marks) if views or marks else None

    def remove(self, user_id: str, kind: UsageKind, title_id: str) -> None:
        self._views.pop((user_id, title_id) if kind is UsageKind.VIEW else ("", ""), None)
        self._marks.pop((user_id, kind, title_id), None)

    def remove_all(self, user_id: str, *kinds: UsageKind) -> None:
        if UsageKind.VIEW in kinds:
            self._views = {key: kept for key, kept in self._views.items() if key[0] != user_id}
        self._marks = {key: mark for key, mark in self._marks.items() if key[0] != user_id or key[1] not in kinds}

    def _keep(self, view: View) -> None:
        self._versions += 1
        self._views[view.user_id, view.title_id] = StoredView(view, str(self._versions))


class MemoryViewingDays:
    """Viewing by day in memory; unavailable on request."""

    def __init__(self) -> None:
        self.unavailable = False
        self.days: dict[date, DayViewing] = {}
        self.av1: dict[str, int] = {}

    def count(self, day: date, viewing: DayViewing) -> None:
        if self.unavailable:
            raise StoreUnavailable("The document store does not answer.")
        self.days[day] = self.days.get(day, NO_VIEWING) + viewing

    def viewing_since(self, day: date) -> dict[date, DayViewing]:
        if self.unavailable:
            raise StoreUnavailable("The document store does not answer.")
        return {counted: viewing for counted, viewing in self.days.items() if counted >= day}

    def count_av1(self, title_id: str, minutes: int) -> None:
        if self.unavailable:
            raise StoreUnavailable("The document store does not answer.")
        self.av1[title_id] = self.av1.get(title_id, 0) + minutes

    def av1_minutes(self, title_id: str) -> int:
        if self.unavailable:
            raise StoreUnavailable("The document store does not answer.")
        return self.av1.get(title_id, 0)


@dataclass
class Screen:
    """A player, which has a ticket and numbers its heartbeats."""

    usage: UsageService
    title_id: str
    ticket: str
    resume_s: float
    sequence: int = -1

    def at(self, position_s: float, *, sequence: int | None = None, **more: Any) -> None:
        """Send a heartbeat, with the next sequence number unless one is given."""
        self.sequence = self.sequence + 1 if sequence is None else sequence
        self.usage.record_heartbeat(self.title_id, self.ticket, Heartbeat(self.sequence, position_s, **more))


@dataclass
class Cinema:
    """Usage with everything it depends on in memory: films of two minutes, and the messages to the graph."""

    world: World = field(default_factory=World)
    store: MemoryUsage = field(default_factory=MemoryUsage)
    days: MemoryViewingDays = field(default_factory=MemoryViewingDays)
    sent: list[UpdateGraph] = field(default_factory=list)

    def __post_init__(self) -> None:
        playback = make_playback(complete=True)
        self.world.with_titles(
            make_title(name, added_s=number, playback=playback)
            for number, name in enumerate(("film", "other", "third"))
        )
        self.tickets = SignedTokens("k" * 32, self.clock)
        self.usage = UsageService(
            self.store, self.world.catalogue, self.tickets, self.days, send=self._send, now=self.clock
        )
        self.queue_is_away = False

    @property
    def clock(self) -> Any:
        """Return the clock, which shows the same time until it is moved."""
        return self.world.clock

    def opens(self, user_id: str = ADA, title_id: str = "film", *, ticket: str = "") -> Screen:
        """Open a title, a second after the previous one."""
        self.clock.forward(seconds=1)
        opening = self.usage.open(user_id, title_id, duration_s=FILM_S, ticket=ticket)
        assert opening.ticket
        return Screen(self.usage, title_id, opening.ticket, opening.resume_s)

    def position(self, user_id: str = ADA, title_id: str = "film") -> float | None:
        """Return the stored position of a viewer, or None if there is none."""
        kept = self.store.view(user_id, title_id)
        return kept.view.position_s if kept and kept.view.watched_at else None

    def _send(self, message: UpdateGraph) -> None:
        if self.queue_is_away:
            raise StoreUnavailable("The queue does not answer.")
        self.sent.append(message)


def make_usage(
    store: MemoryUsage, world: World, *, send: Callable[[UpdateGraph], None] = lambda message: None
) -> UsageService:
    """Return the usage service with a store; without `send`, it notifies no graph."""
    return UsageService(
        store,
        world.catalogue,
        SignedTokens("k" * 32, world.clock),
        MemoryViewingDays(),
        send=send,
        now=world.clock,
    )
