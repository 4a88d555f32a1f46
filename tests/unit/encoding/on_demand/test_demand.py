"""Who opens many titles begins a limited number of encodes, and the films that are watched are encoded first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from functions.accounts.rate_limits import RENDITIONS_OF_ACCOUNT
from functions.encoding.on_demand.service import RenditionDemand
from functions.platform.errors import StoreUnavailable
from tests.support.account_world import World
from tests.support.on_demand_world import OnDemandWorld

if TYPE_CHECKING:
    from functions.platform.queues import Queues

MOST = RENDITIONS_OF_ACCOUNT.attempts


class Library(OnDemandWorld):
    """Many ready titles with renditions on demand; `open_title` is called with a number and the account."""

    def __init__(self, titles: int) -> None:
        super().__init__()
        self.people = World(clock=self.clock)
        accounts, queues = self.people.accounts, cast("Queues", self.queues)
        self.demand = RenditionDemand(self.on_demand, lambda: queues, self.clock, accounts.may_begin_renditions)
        first = self.jobs.get_job(self.job_id)
        self.job_ids = [first.id]
        for number in range(1, titles):
            job = replace(first, id=f"{number:012x}", title_id=f"film-{number}")
            self.jobs.put_job(job)
            self.job_ids.append(job.id)

    def want(self, number: int, user_id: str) -> None:
        """Note that an account opens a title."""
        self.clock.forward(seconds=1)
        self.demand.want(self.job_ids[number], by=user_id)

    @property
    def begun(self) -> list[str]:
        return [job.id for job in self.jobs.all_jobs() if job.on_demand]


def test_one_account_begins_a_limited_number_of_encodes_a_day() -> None:
    library = Library(MOST + 3)
    for number in range(MOST + 2):
        library.want(number, "ada")
    assert len(library.begun) == MOST
    library.want(MOST, "bob")
    assert len(library.begun) == MOST + 1, "another account begins it"
    library.clock.forward(seconds=RENDITIONS_OF_ACCOUNT.window_s)
    library.want(MOST + 1, "ada")
    assert len(library.begun) == MOST + 2


def test_who_watches_what_is_there_or_being_made_uses_up_nothing() -> None:
    library = Library(MOST + 1)
    for _ in range(2 * MOST):
        library.want(0, "ada")
    for number in range(1, MOST):
        library.want(number, "ada")
    assert len(library.begun) == MOST


def test_a_demand_that_cannot_be_counted_begins_no_encode_and_is_noted_again_later() -> None:
    library = Library(1)
    library.people.limiter.away = True
    with pytest.raises(StoreUnavailable):
        library.want(0, "ada")
    assert library.begun == []


def test_the_film_that_somebody_watches_is_encoded_before_those_that_were_only_opened() -> None:
    library = Library(11)
    for number in range(10):
        library.want(number, "ada")
    library.want(10, "bob")
    assert library.on_demand.list_unfinished(limit=1) == [library.job_ids[10]]
    library.want(3, "cleo")
    assert library.on_demand.list_unfinished(limit=2) == [library.job_ids[3], library.job_ids[10]]
    for _ in range(5):
        library.clock.forward(minutes=2)
        library.want(10, "bob")
    assert library.on_demand.list_unfinished(limit=1) == [library.job_ids[10]]
