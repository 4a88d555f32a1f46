"""Opening a title whose renditions are made on demand says that they are wanted; a fault there keeps nobody waiting."""

from __future__ import annotations

import pytest

from functions.platform.errors import EntitlementRequired, StoreUnavailable
from tests.support.catalogue import make_playback, make_title
from tests.support.playback import LAPTOP, Demand
from tests.unit.playback.test_playback import VIEWER, opener

FILM = make_title("film", playback=make_playback("job", complete=True, on_demand=True))


def test_each_opening_and_each_renewal_of_a_key_says_that_the_renditions_are_wanted() -> None:
    demand = Demand()
    service = opener(FILM, demand=demand)
    session = service.open_title("film", VIEWER, LAPTOP)
    service.open_title("film", VIEWER, LAPTOP, stream_ticket=session.stream_ticket)
    service.open_title("film", VIEWER, LAPTOP, download=True)
    assert demand.wanted == ["job", "job", "job"]
    assert demand.accounts == [VIEWER.user_id] * 3, "profiles of an account are limited together"


def test_a_title_without_such_renditions_is_not_noted() -> None:
    demand = Demand()
    whole = make_title("film", playback=make_playback("job", complete=True))
    opener(whole, demand=demand).open_title("film", VIEWER, LAPTOP)
    assert demand.wanted == []


def test_who_may_not_watch_wants_nothing_and_neither_does_a_preview() -> None:
    demand = Demand()
    with pytest.raises(EntitlementRequired):
        opener(FILM, demand=demand, entitled=False).open_title("film", VIEWER, LAPTOP)
    opener(FILM, demand=demand).preview_title("film")
    assert demand.wanted == []


def test_the_title_opens_although_the_demand_cannot_be_noted() -> None:
    demand = Demand(trouble=StoreUnavailable("The document store does not answer."))
    assert opener(FILM, demand=demand).open_title("film", VIEWER, LAPTOP).status == "ready"
