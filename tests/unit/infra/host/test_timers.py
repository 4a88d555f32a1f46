"""NCRONTAB expressions, and timers while storage is away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Never, cast

import pytest
from azure.core.exceptions import ServiceRequestError

from infra.local.host import timers
from infra.local.host.timers import Schedule, Timer

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.host.invocations import Invoker
    from infra.local.host.storage import Storage


@pytest.mark.parametrize(
    ("expression", "after", "then"),
    [
        ("* * * * * *", "2026-11-24T10:00:00", "2026-11-24T10:00:01"),
        ("0 * * * * *", "2026-11-24T10:00:00", "2026-11-24T10:01:00"),
        ("*/20 * * * * *", "2026-11-24T10:00:41", "2026-11-24T10:01:00"),
        ("5/20 * * * * *", "2026-11-24T10:00:26", "2026-11-24T10:00:45"),
        ("0 */5 * * * *", "2026-11-24T23:59:59", "2026-11-25T00:00:00"),
        ("*/5 * * * *", "2026-11-24T10:01:00", "2026-11-24T10:05:00"),
        ("0 30 9-17 * * *", "2026-11-24T17:30:00", "2026-11-25T09:30:00"),
        ("0 0 0,12 * * *", "2026-11-24T00:00:00", "2026-11-24T12:00:00"),
        ("0 0 8-18/4 * * *", "2026-11-24T12:00:00", "2026-11-24T16:00:00"),
        ("0 0 0 * * Mon-Fri", "2026-11-27T00:00:00", "2026-11-30T00:00:00"),
        ("0 0 0 * * 0", "2026-11-24T00:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 1 JAN *", "2026-11-24T00:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 13 * Friday", "2026-11-24T00:00:00", "2027-08-13T00:00:00"),
        ("0 0 0 29 2 *", "2026-11-24T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 31 * *", "2026-11-30T12:00:00", "2026-12-31T00:00:00"),
    ],
)
def test_the_next_time_follows(expression: str, after: str, then: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert Schedule.parse(expression).next_after(moment) == datetime.fromisoformat(then).replace(tzinfo=UTC)


def test_the_next_time_is_later_even_within_a_second() -> None:
    moment = datetime(2026, 11, 24, 10, 0, 0, 999_999, tzinfo=UTC)
    assert Schedule.parse("* * * * * *").next_after(moment) == datetime(2026, 11, 24, 10, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "60 * * * * *", "* * 24 * * *", "x * * * * *", "9-5 * * * * *", "*/0 * * * * *", "1- * * *"],
)
def test_a_wrong_expression_is_told(expression: str) -> None:
    with pytest.raises(ValueError, match=r"fields|not within|not a number"):
        Schedule.parse(expression)


def test_a_time_that_never_comes_is_told() -> None:
    with pytest.raises(ValueError, match="no future time"):
        Schedule.parse("0 0 0 31 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC))


class AwayStorage:
    """Storage that does not answer when a schedule is read for the first time, nor when it is stored."""

    def __init__(self) -> None:
        self.reads = 0

    def blob(self, container: str, name: str) -> Any:
        del container, name
        return SimpleNamespace(download_blob=self._download)

    async def call(self, function: Callable[..., Any]) -> Any:
        return function()

    async def put(self, container: str, name: str, content: str) -> Never:
        raise ServiceRequestError("refused")

    def _download(self) -> Any:
        self.reads += 1
        if self.reads == 1:
            raise ServiceRequestError("refused")
        return SimpleNamespace(readall=lambda: b"{}")


def test_a_timer_runs_on_while_storage_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "RETRY_S", 0.01)

    async def run_twice() -> int:
        storage, runs, done = AwayStorage(), list[Any](), asyncio.Event()

        async def run(function: object, payload: object) -> bool:
            runs.append((function, payload))
            if len(runs) == 2:
                done.set()
            return True

        function = SimpleNamespace(name="tick", full_name="Host.Functions.tick", trigger={"schedule": "* * * * * *"})
        invoker = cast("Invoker", SimpleNamespace(run=run))
        timer = Timer(cast("Storage", storage), invoker, cast("Any", function), host_id="api")
        running = asyncio.create_task(timer.run())
        finished = asyncio.create_task(done.wait())
        await asyncio.wait({running, finished}, return_when=asyncio.FIRST_COMPLETED)
        assert not running.done(), running
        running.cancel()
        return len(runs)

    assert asyncio.run(run_twice()) == 2
