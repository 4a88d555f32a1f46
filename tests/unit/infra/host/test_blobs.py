"""The patterns of blob triggers, and how often a container is listed."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Never, cast

import pytest
from azure.core.exceptions import ResourceNotFoundError, ServiceRequestError

from infra.local.host import blobs
from infra.local.host.blobs import IDLE_SHARE, BlobTrigger, BlobWatcher, path_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.host.blobs import BlobQueue
    from infra.local.host.storage import Storage

LISTING_S, REPORTING_S = 0.4, 60.0


@pytest.mark.parametrize(
    ("template", "name", "values"),
    [
        ("{name}", "a/b/c.mkv", {"name": "a/b/c.mkv"}),
        ("{name}.mkv", "film.mkv", {"name": "film"}),
        ("{folder}/{name}.{ending}", "in/film.en.srt", {"folder": "in", "name": "film.en", "ending": "srt"}),
        ("fixed.txt", "fixed.txt", {}),
    ],
)
def test_a_name_gives_its_values(template: str, name: str, values: dict[str, str]) -> None:
    match = path_pattern(template).fullmatch(name)
    assert match is not None
    assert match.groupdict() == values


@pytest.mark.parametrize(
    ("template", "name"), [("{name}.mkv", "film.mp4"), ("{name}.mkv", "filmxmkv"), ("in/{name}", "out/a")]
)
def test_another_name_does_not_match(template: str, name: str) -> None:
    assert path_pattern(template).fullmatch(name) is None


class SlowStorage:
    """A container of two pages, in which each storage call takes a while on the clock `now_s`."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self.now_s += LISTING_S / 5 if function in (next, list) else REPORTING_S / 2
        return function(*arguments)

    async def ensure(self, create: Callable[[], object]) -> None:
        create()

    async def put(self, container: str, name: str, content: bytes) -> None:
        del container, name, content
        self.now_s += REPORTING_S / 2

    def blob(self, container: str, name: str) -> Any:
        del container, name
        return SimpleNamespace(exists=lambda: False)

    def container(self, name: str) -> Any:
        del name
        pages = [[SimpleNamespace(name=f"{page}.mkv", etag="0x1")] for page in "ab"]
        listing = SimpleNamespace(by_page=lambda: iter(pages))
        return SimpleNamespace(create_container=lambda: None, list_blobs=lambda: listing)


class Reported:
    """The internal queue of blob triggers, which records the blobs that were enqueued."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def enqueue(self, trigger: BlobTrigger, name: str, etag: str) -> None:
        del trigger, etag
        self.names.append(name)


def test_pause_after_a_listing_does_not_count_the_time_spent_on_reporting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the next uploads would wait for five times the time that it took to start the last ones."""
    storage, reported, pauses = SlowStorage(), Reported(), list[float]()

    async def paused(seconds: float) -> Never:
        pauses.append(seconds)
        raise asyncio.CancelledError

    monkeypatch.setattr(time, "monotonic", lambda: storage.now_s)
    monkeypatch.setattr(asyncio, "sleep", paused)
    monkeypatch.setattr(blobs, "SCAN_S", 0)
    function = SimpleNamespace(full_name="Host.Functions.start_title")
    hosts = cast("Storage", storage)
    trigger = BlobTrigger(cast("Any", function), hosts, "uploads", path_pattern("{name}"), by_event=False)
    watcher = BlobWatcher(trigger, cast("BlobQueue", reported), hosts, host_id="api", webhook="")
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watcher.run())
    assert reported.names == ["a.mkv", "b.mkv"]
    assert storage.now_s - 1000 > 2 * REPORTING_S
    assert pauses == [pytest.approx(IDLE_SHARE * LISTING_S)]


class RestartingStorage(SlowStorage):
    """Storage that is away, then lacks the container, is away again, and then has it."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Exception | None] = [ServiceRequestError("refused"), None, ServiceRequestError("refused")]
        self.has_container = False
        self.forgets = [False, True]

    async def ensure(self, create: Callable[[], object]) -> None:
        if self.answers and (fault := self.answers.pop(0)):
            raise fault
        create()
        self.has_container = not (self.forgets and self.forgets.pop())

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if not self.has_container:
            raise ResourceNotFoundError("no container")
        return await super().call(function, *arguments)


def test_a_container_is_watched_again_after_storage_has_been_killed_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage, reported, pauses = RestartingStorage(), Reported(), list[float]()

    async def paused(seconds: float) -> None:
        pauses.append(seconds)
        if reported.names or len(pauses) > 9:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", paused)
    hosts = cast("Storage", storage)
    function = SimpleNamespace(full_name="Host.Functions.start_title")
    trigger = BlobTrigger(cast("Any", function), hosts, "uploads", path_pattern("{name}"), by_event=False)
    watcher = BlobWatcher(trigger, cast("BlobQueue", reported), hosts, host_id="api", webhook="")
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watcher.run())
    assert reported.names == ["a.mkv", "b.mkv"]
    assert len(pauses) == 4, "away, without the container, away again, listed"
