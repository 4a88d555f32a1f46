"""From watching to recommendations: heartbeats, history, ratings, the graph with its rebuilds, and shelves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from functions import bootstrap
from functions.accounts.moderation import FORGET_AGAIN_S
from functions.catalogue import triggers as catalogue_triggers
from functions.catalogue.model import Status
from functions.catalogue.omdb import Miss, Missed
from functions.catalogue.posters import PosterRefused
from functions.catalogue.schemas import TitleEdit
from functions.platform.errors import NotFound, Unauthenticated
from functions.recommendations import triggers as recommendations_triggers
from functions.usage import triggers as usage_triggers
from functions.usage.model import Heartbeat, Quality
from tests.simulation.flow import Flow, FlowRun
from tests.simulation.host import SimulatedHost, functions_of
from tests.simulation.kernel import Port
from tests.support.catalogue import (
    MemoryFilms,
    MemoryPosters,
    MemoryPublicationLock,
    MemorySite,
    MemoryTitles,
    make_playback,
    make_title,
)
from tests.support.graph import Content, MemoryRebuildStore, content_from, content_of_memory
from tests.support.memory_graph import MemoryGraph
from tests.support.usage import FILM_S, MemoryUsage, MemoryViewingDays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from functions.usage.model import ViewingSession
    from tests.simulation.kernel import Simulation
    from tests.simulation.wiring import Wiring

VIEWERS = tuple(letter * 32 for letter in "abc")
NAMES = ("dawn", "dusk", "harbour", "lantern", "tide")
DIRECTORS, GENRES = ("Ada Lindt", "Bo Ek"), ("War", "Drama")
STORES = ("documents", "queues", "graph", "storage")
LASTING = ("graph",)
"""What the graph misses in a long outage, a rebuild restores."""

GAPS = (0.0, 0.0, 5.0, 15.0, 15.0, 30.0, 120.0, 3000.0, 8 * 86_400.0)
"""Seconds between two actions: many happen at the same time, and the longest gap makes a rebuild due."""

ACTIONS = (
    *("watch", "watch", "watch", "watch", "clear view", "clear history", "rate", "list", "home", "leave"),
    *("rebuild", "edit_title", "withdraw_title", "open_title"),
)

POSITIONS = (20.0, 70.0, 118.0)
"""The positions of the heartbeats of one viewing: before half of the film, after it, and in the credits."""

ORDINARY = (NotFound, Unauthenticated)
"""Errors that a viewer may get in response to a request."""


class WatchRun(FlowRun):
    """One run: what some viewers and the owner do, as the seed determines, and the invariants."""

    def __init__(self, simulation: Simulation, flow: WatchFlow) -> None:
        self.simulation = simulation
        simulation.stores, simulation.lasting = STORES, LASTING
        self.titles, self.usage, self.graph = MemoryTitles(), MemoryUsage(), MemoryGraph()
        self.days = MemoryViewingDays()
        self.host = SimulatedHost(
            simulation, functions_of(usage_triggers, recommendations_triggers, catalogue_triggers)
        )

        def missed() -> Missed:
            return Missed(Miss.UNREACHABLE, "OMDb did not answer in time.")

        def refused() -> bytes:
            raise PosterRefused("The poster's host does not answer.", passing=True)

        def port(store: str, name: str, target: object, **away: Callable[[], Any]) -> Any:
            return Port(simulation, store, name, target, away)

        flow.wiring.connect(
            self.host,
            {
                "usage": port("documents", "usage", self.usage),
                "viewing_days": port("documents", "viewing_days", self.days),
                "titles": port("documents", "titles", self.titles),
                "rebuild_store": port("documents", "rebuild_store", MemoryRebuildStore()),
                "publication_lock": port("documents", "publication_lock", MemoryPublicationLock()),
                "site": port("storage", "site", MemorySite()),
                "films": port("omdb", "films", MemoryFilms({}), by_id=missed, by_name=missed),
                "posters": port("omdb", "posters", MemoryPosters({}), fetch=refused),
                "graph": port("graph", "graph", self.graph),
            },
        )
        for number, name in enumerate(NAMES):
            details = {"directors": (DIRECTORS[number % 2],), "genres": (GENRES[number // 3],)}
            self.titles.add(make_title(name, added_s=number, playback=make_playback(complete=True), **details))
        self.acknowledged: dict[tuple[str, str], tuple[ViewingSession, int]] = {}
        self.opened = 0
        self.cleared: set[tuple[str, str]] = set()
        self.gone: set[str] = set()
        self.refused: set[tuple[str, str]] = set()
        self._plan_history()

    def _plan_history(self) -> None:
        rng, at = self.simulation.rng, self.simulation.now
        viewers, names = rng.sample(VIEWERS, rng.choice((1, 2, 3))), rng.sample(NAMES, rng.choice((1, 2, 5)))
        for number in range(rng.randrange(3, 12)):
            at += timedelta(seconds=rng.choice(GAPS))
            self._plan_action(f"#{number}", rng.choice(ACTIONS), rng.choice(viewers), rng.choice(names), at)

    def _plan_action(self, number: str, action: str, viewer: str, name: str, at: datetime) -> None:
        """Plan what a viewer or the owner does."""
        rng = self.simulation.rng
        match action:
            case "watch":
                self._plan_viewing(number, viewer, name, at)
            case "clear view":
                self.cleared.add((viewer, name))
                self._plan(f"clear_view{number}", lambda: bootstrap.usage().clear_view(viewer, name), at)
            case "clear history":
                self.cleared |= {(viewer, each) for each in NAMES}
                self._plan(f"clear_history{number}", lambda: bootstrap.usage().clear_history(viewer), at)
            case "rate":
                rating = rng.choice((1, -1, 0))
                self._plan(f"rate{number}", lambda: self._rate(viewer, name, rating), at)
            case "list":
                self._plan(f"list{number}", lambda: self._list(viewer, name), at)
            case "home":
                self._plan(f"home{number}", lambda: bootstrap.graph().recommendations.home(viewer), at)
            case "leave":
                self.cleared |= {(viewer, each) for each in NAMES}
                self._plan(f"leave{number}", lambda: self._leave(viewer), at)
            case "rebuild":
                self._plan(f"start_rebuild{number}", lambda: bootstrap.graph().rebuild.start(), at)
            case "edit_title":
                edit = TitleEdit(directors=[rng.choice(DIRECTORS)], genres=[rng.choice(GENRES)])
                self._plan(f"edit_title{number}", lambda: bootstrap.catalogue().edit_title(name, edit), at)
            case "withdraw_title":
                self._plan(f"withdraw_title{number}", lambda: bootstrap.catalogue().withdraw_title(name), at)
            case "open_title":
                ready = Status.READY
                self._plan(
                    f"open_title{number}", lambda: bootstrap.catalogue().open_title(name, stem=name, status=ready), at
                )

    def _plan_viewing(self, number: str, viewer: str, name: str, at: datetime) -> None:
        """Open a title as a viewer, and send heartbeats."""
        tickets: list[str] = []

        def open_title() -> None:
            if viewer not in self.gone:
                opened = bootstrap.usage().open(viewer, name, duration_s=FILM_S)
                tickets.extend([opened.ticket] if opened.ticket else [])
                self.opened += 1

        def report(sequence: int, position_s: float) -> None:
            if tickets:
                beat = Heartbeat(sequence, position_s, quality=Quality(startup_ms=800))
                bootstrap.usage().record_heartbeat(name, tickets[0], beat)
                self._acknowledge(viewer, name, tickets[0], sequence)

        self._plan(f"open{number}", open_title, at)
        for sequence, position_s in enumerate(POSITIONS[: self.simulation.rng.randrange(1, 4)]):
            after = timedelta(seconds=15 * (sequence + 1))
            self._plan(f"heartbeat{number}.{sequence}", partial(report, sequence, position_s), at + after)

    def _plan(self, name: str, work: Callable[[], object], at: datetime) -> None:
        def ask() -> None:
            try:
                work()
            except ORDINARY as error:
                self.simulation.note(f"{name} was answered {type(error).__name__}")

        self.host.request(name, ask, at=at)

    # Requests

    def _acknowledge(self, viewer: str, name: str, ticket: str, sequence: int) -> None:
        session = bootstrap.usage()._verify(ticket)
        known = self.acknowledged.get((viewer, name))
        if known is None or (session.order, sequence) > (known[0].order, known[1]):
            self.acknowledged[viewer, name] = (session, sequence)

    def _rate(self, viewer: str, name: str, rating: int) -> None:
        if viewer in self.gone:
            return
        if rating:
            try:
                bootstrap.usage().rate_title(viewer, name, rating)
            except NotFound:  # an earlier, unacknowledged try may have stored the rating before a withdrawal
                self.refused.add((viewer, name))
                raise
        else:
            bootstrap.usage().unrate_title(viewer, name)

    def _list(self, viewer: str, name: str) -> None:
        if viewer not in self.gone:
            bootstrap.usage().list_title(viewer, name)

    def _leave(self, viewer: str) -> None:
        """Delete everything about a viewer, now and once more after an hour, as the deletion of an account does."""
        self.gone.add(viewer)
        self._forget(viewer)
        again = self.simulation.now + timedelta(seconds=FORGET_AGAIN_S)
        self.host.request("leave", lambda: self._forget(viewer), at=again)

    def _forget(self, viewer: str) -> None:
        bootstrap.usage().forget(viewer)
        bootstrap.graph().sync.request_forgetting(viewer)

    # What must be true in the end

    def broken(self) -> Iterator[str]:
        """Yield a sentence for each invariant that does not hold."""
        self.host.restart()
        yield from self._lost_heartbeats()
        if (starts := sum(day.starts for day in self.days.days.values())) > self.opened:
            yield f"{starts} playbacks were counted, but {self.opened} titles were opened"
        for viewer in self.gone & {owner for owner, _ in self.content.viewings | self.content.opinions}:
            yield f"{viewer[:2]} has left, but is in the graph"
        for viewer in self.gone:
            if any(usage.user_id == viewer for usage in self.usage.everyone(after="")):
                yield f"{viewer[:2]} has left, but has usage"
        expected = content_from(self.titles, self.usage)
        now = self.content
        for part, is_now, should_be in (
            ("titles", _shown(now), _shown(expected)),
            ("relations", now.relations, expected.relations),
            ("viewings", set(now.viewings), set(expected.viewings)),  # the next rebuild corrects the times
            ("opinions", self._certain(now), self._certain(expected)),
        ):
            if is_now != should_be:
                yield f"the graph's {part} are {is_now}, not {should_be}"
        yield from self._broken_shelves(expected)
        begun = bootstrap.graph().rebuild.start()
        while not bootstrap.graph().rebuild.advance(begun.id, within_s=60):
            pass
        if (rebuilt := self.content) != expected:
            yield f"after a rebuild, the graph is {rebuilt}, not {expected}"

    def _certain(self, content: Content) -> dict[tuple[str, str], int]:
        """Return the ratings that were not refused; the graph learns of the others at the next rebuild."""
        return {key: rating for key, rating in content.opinions.items() if key not in self.refused}

    @property
    def content(self) -> Content:
        """Return the content of the graph."""
        return content_of_memory(self.graph)

    def _lost_heartbeats(self) -> Iterator[str]:
        for (viewer, name), (session, sequence) in self.acknowledged.items():
            stored = self.usage.view(viewer, name)
            if (viewer, name) in self.cleared:
                continue
            if stored is None:
                yield f"{viewer[:2]} watched {name}, but has no view of it"
            elif (stored.view.session.order, stored.view.sequence) < (session.order, sequence):
                yield f"heartbeat {sequence} of {viewer[:2]} for {name} was acknowledged, but is lost"

    def _broken_shelves(self, expected: Content) -> Iterator[str]:
        catalogue = {title.id: title for title in self.titles.in_order(after="", limit=100)}
        for viewer in VIEWERS:
            watched = {title for owner, title in expected.viewings if owner == viewer}
            for shelf in bootstrap.graph().recommendations.home(viewer):
                if shelf.id.startswith("because-") and shelf.id.removeprefix("because-") not in watched:
                    yield f"{viewer[:2]} has a shelf {shelf.id}, but has not watched that title"
                for pick in shelf.picks:
                    if pick.id in watched:
                        yield f"{viewer[:2]} is recommended {pick.id} again"
                    if not catalogue[pick.id].watchable:
                        yield f"{viewer[:2]} is recommended {pick.id}, which cannot be watched"
        for title in catalogue.values():
            picks = bootstrap.graph().recommendations.similar(title.id) if title.listed else []
            if any(not catalogue[pick.id].listed for pick in picks):
                yield f"a withdrawn title is similar to {title.id}"


def _shown(content: Content) -> dict[str, tuple[Any, ...]]:
    """Return the titles without their revisions, because an edit that changes nothing is not published."""
    return {title_id: (watchable, name) for title_id, (_, watchable, name) in content.titles.items()}


@dataclass
class WatchFlow(Flow):
    """The flow."""

    wiring: Wiring
    name: str = "watch to recommended"

    def begin(self, simulation: Simulation) -> FlowRun:
        """Return a run of this flow in a simulation."""
        self.wiring.seed(simulation.seed)
        return WatchRun(simulation, self)
