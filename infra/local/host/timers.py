"""Timer triggers: NCRONTAB schedules in UTC. As in the real host, their status is in `azure-webjobs-hosts/timers`."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ResourceNotFoundError

from infra.local.host.config import with_settings
from infra.local.host.errors import StartupError
from infra.local.host.protos import TypedData
from infra.local.host.storage import HOSTS_CONTAINER

if TYPE_CHECKING:
    from infra.local.host.invocations import Invoker
    from infra.local.host.storage import Storage
    from infra.local.host.worker import Function

log = logging.getLogger(__name__)

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
NEVER = datetime(1, 1, 1, tzinfo=UTC)  # .NET's default(DateTime), which the real host writes for "not yet"
RETRY_S = 1.0
HORIZON = timedelta(days=8 * 366)  # there is a 29 February at least every eight years


@dataclass(frozen=True, slots=True)
class Schedule:
    """An NCRONTAB expression: the allowed seconds, minutes, hours, days, months and weekdays (0 is Sunday).

    Unlike in cron, day and weekday must both match.
    """

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Schedule:
        """Parse six fields, or five (at second 0); raise ValueError."""
        fields = expression.split()
        if len(fields) == 5:
            fields.insert(0, "0")
        if len(fields) != 6:
            raise ValueError(f"{expression!r} has {len(fields)} fields, an NCRONTAB expression has six")
        second, minute, hour, day, month, weekday = fields
        return cls(
            seconds=_field(second, 0, 59),
            minutes=_field(minute, 0, 59),
            hours=_field(hour, 0, 23),
            days=_field(day, 1, 31),
            months=_field(month, 1, 12, names=MONTHS),
            weekdays=_field(weekday, 0, 6, names=DAYS),
        )

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time after `moment`; raise ValueError if there is none."""
        time = moment.replace(microsecond=0) + timedelta(seconds=1)
        end = time + HORIZON
        while time < end:
            if time.month not in self.months or not self._on_day(time):
                time = time.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif time.hour not in self.hours:
                time = time.replace(minute=0, second=0) + timedelta(hours=1)
            elif time.minute not in self.minutes:
                time = time.replace(second=0) + timedelta(minutes=1)
            elif time.second not in self.seconds:
                time += timedelta(seconds=1)
            else:
                return time
        raise ValueError("the schedule has no future time")

    def _on_day(self, time: datetime) -> bool:
        return time.day in self.days and time.isoweekday() % 7 in self.weekdays


def _field(text: str, low: int, high: int, *, names: list[str] | None = None) -> frozenset[int]:
    values: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = _number(first, low, names)
            end = _number(last, low, names) if last else (high if step else start)
        if not (low <= start <= end <= high) or (step and not step.isdecimal()) or step == "0":
            raise ValueError(f"{part!r} is not within {low}-{high}")
        values.update(range(start, end + 1, int(step or 1)))
    return frozenset(values)


def _number(text: str, low: int, names: list[str] | None) -> int:
    if names and text[:3] in names:
        return names.index(text[:3]) + low
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a number")
    return int(text)


@dataclass(frozen=True, slots=True)
class Status:
    """The times of the last and the next run of a timer."""

    last: datetime
    next: datetime
    updated: datetime

    def as_json(self) -> dict[str, str]:
        """Return the JSON object that is stored and passed to the function."""
        return {"Last": self.last.isoformat(), "Next": self.next.isoformat(), "LastUpdated": self.updated.isoformat()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Status:
        """Parse the result of `as_json`."""
        return cls(*(datetime.fromisoformat(content[name]) for name in ("Last", "Next", "LastUpdated")))


class Timer:
    """Calls one function on its schedule, never twice at the same time, and once at the start if a run was missed."""

    def __init__(self, storage: Storage, invoker: Invoker, function: Function, *, host_id: str) -> None:
        try:
            self._schedule = Schedule.parse(with_settings(function.trigger["schedule"]))
            self._schedule.next_after(datetime.now(UTC))
        except ValueError as error:
            raise StartupError(f"Function {function.name} has a wrong schedule: {error}.") from None
        self._storage = storage
        self._invoker = invoker
        self._function = function
        self._blob = f"timers/{host_id}/{function.full_name}/status"
        self._monitored = bool(function.trigger.get("useMonitor", True))

    async def run(self) -> None:
        """Run the schedule until cancelled, also while storage is away."""
        status, past_due = self._judge(await self._load(), datetime.now(UTC))
        await self._save(status)
        if past_due or self._function.trigger.get("runOnStartup"):
            status = await self._fire(status, datetime.now(UTC), past_due=past_due)
        while True:
            while (wait_s := (status.next - datetime.now(UTC)).total_seconds()) > 0:
                await asyncio.sleep(min(wait_s, 3600))
            status = await self._fire(status, max(status.next, datetime.now(UTC)), past_due=False)

    def _judge(self, stored: Status | None, now: datetime) -> tuple[Status, bool]:
        """Return the initial status, and whether a run was missed while no host ran."""
        fresh = Status(last=NEVER, next=self._schedule.next_after(now), updated=now)
        if stored is None:
            return fresh, False
        if self._schedule.next_after(stored.updated) != stored.next:  # the schedule has changed
            return Status(last=stored.last, next=fresh.next, updated=now), False
        return stored, stored.next < now

    async def _fire(self, status: Status, moment: datetime, *, past_due: bool) -> Status:
        payload = {
            "IsPastDue": past_due,
            "ScheduleStatus": status.as_json() if self._monitored else None,
            "Schedule": {"AdjustForDST": True},
        }
        await self._invoker.run(self._function, TypedData(json=json.dumps(payload)))
        status = Status(last=moment, next=self._schedule.next_after(moment), updated=moment)
        await self._save(status)
        return status

    async def _load(self) -> Status | None:
        if not self._monitored:
            return None
        while True:
            try:
                download = await self._storage.call(self._storage.blob(HOSTS_CONTAINER, self._blob).download_blob)
                return Status.from_json(json.loads(await self._storage.call(download.readall)))
            except (ResourceNotFoundError, ValueError, KeyError):
                return None
            except AzureError as error:
                log.error("The schedule of %s cannot be read: %s", self._function.name, error)
                await asyncio.sleep(RETRY_S)

    async def _save(self, status: Status) -> None:
        """Store when the function ran; if storage does not answer, the next run is stored."""
        if not self._monitored:
            return
        try:
            await self._storage.put(HOSTS_CONTAINER, self._blob, json.dumps(status.as_json()))
        except AzureError as error:
            log.error("The schedule of %s cannot be stored: %s", self._function.name, error)
