"""A body that no route accepts is refused while it arrives: the API needs no memory for it and answers others."""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from functions.billing.triggers import LARGEST_EVENT_KB
from functions.pages.triggers import LARGEST_PAGE_KB
from infra.local.cli.product import API_BODIES
from infra.local.home import REPOSITORY
from tests.integration.host.running import RunningHost
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack

LIMIT = int(API_BODIES["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"])
BODY = 99_000_000
GROWTH = BODY // 10  # far less than the body, and more than what other requests and the allocator need meanwhile
PIECE = b"{}," * 10_000
PLANS = 20
WITHIN_S = PATIENCE_S


@pytest.fixture(scope="module")
def api(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    running = RunningHost(stack.environment["AzureWebJobsStorage"], tmp_path_factory.mktemp("host") / "host.log")
    try:
        yield running.start(app="function_app", root=REPOSITORY, **stack.environment, **API_BODIES)
    finally:
        running.close()


def send(api: RunningHost, size: int, *, declared: bool) -> tuple[int | None, int]:
    """Send a JSON body of about `size` bytes, with or without its length; return the status and the number sent.

    There is no status if the host has closed the connection before its answer could be read.
    """
    connection = HTTPConnection("127.0.0.1", api.port, timeout=WITHIN_S)
    connection.putrequest("POST", "/api/sessions")
    connection.putheader("Content-Type", "application/json")
    connection.putheader(*(("Content-Length", str(size)) if declared else ("Transfer-Encoding", "chunked")))
    connection.endheaders(b'{"email":[' if declared else b'a\r\n{"email":[\r\n')
    sent = 10
    with suppress(ConnectionError):  # the host closes the connection once it has refused the body
        while sent + len(PIECE) < size:
            connection.send(PIECE if declared else b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
            sent += len(PIECE)
    try:
        return connection.getresponse().status, sent
    except ConnectionError:  # what was sent after the refusal has reset the connection
        return None, sent
    finally:
        connection.close()


def memory_of(pid: int, *, name: str) -> int:
    """Return a figure of a process's memory in bytes: VmRSS, or VmHWM, its maximum."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) << 10


@pytest.mark.parametrize("declared", [True, False], ids=["with its length", "in chunks"])
def test_a_body_of_99_mb_takes_no_memory_and_delays_nobody(api: RunningHost, declared: bool) -> None:
    assert api.process is not None
    pid = api.process.pid
    plans: list[int] = []

    def ask() -> None:
        plans.extend(api.get("/api/plans", timeout=WITHIN_S).status_code for _ in range(PLANS))

    ask()
    send(api, LIMIT * 2, declared=declared)  # the memory of the first calls is not measured
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="utf-8")  # sets VmHWM to VmRSS (proc(5))
    before = memory_of(pid, name="VmRSS")
    asking = threading.Thread(target=ask)
    asking.start()
    status, sent = send(api, BODY, declared=declared)
    asking.join()
    grown = memory_of(pid, name="VmHWM") - before
    assert status in (413, None)
    assert sent < BODY // 2
    assert grown < GROWTH, f"{grown:,} bytes"
    assert plans == [200] * 2 * PLANS


def test_the_limit_admits_what_routes_and_event_grid_send_and_is_the_same_in_azure(api: RunningHost) -> None:
    template = (REPOSITORY / "infra" / "main.bicep").read_text(encoding="utf-8")
    assert re.findall(r"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '(\d+)'", template) == [str(LIMIT)]
    assert max(LARGEST_EVENT_KB, LARGEST_PAGE_KB) << 10 <= LIMIT
    assert LIMIT >= 1_000_000, "the largest request of Event Grid"
    body = json.dumps({"email": "a" * (LIMIT - 100)}).encode()
    answer = api.post("/api/sessions", data=body, headers={"Content-Type": "application/json"})
    assert answer.json()["error"] == "payload_too_large"  # refused by the route, not by the host
