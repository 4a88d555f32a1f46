"""Routes, keys, CORS and responses of a running host."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.integration.host.running import HELD
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from tests.integration.host.running import RunningHost

PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/api/titles/newest", "newest"),
        ("/api/titles/17", "number 17"),
        ("/api/titles/seventeen", "name seventeen"),
        ("/api/TITLES/a%20film", "name a film"),
        ("/api/files/a/b/c.txt", "GET a/b/c.txt"),
        ("/api/files", "GET None"),
    ],
)
def test_the_most_particular_route_answers(shared_host: RunningHost, path: str, text: str) -> None:
    answer = shared_host.get(path)
    assert (answer.status_code, answer.text) == (200, text)


def median_s(port: int) -> float:
    """Return the median time of 21 answers on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    times_s = []
    for _ in range(21):
        began = time.perf_counter()
        connection.request("GET", "/api/titles/17")
        connection.getresponse().read()
        times_s.append(time.perf_counter() - began)
    connection.close()
    return statistics.median(times_s)


def test_answers_on_a_kept_connection_are_not_held_back(shared_host: RunningHost) -> None:
    """A busy machine may be slow on several connections; an acknowledgement that is waited for takes 40 ms on each."""
    assert any(median_s(shared_host.port) < 0.03 for _ in range(20))


def test_an_unknown_path_is_not_found(shared_host: RunningHost) -> None:
    assert shared_host.get("/api/nothing").status_code == 404


def test_a_wrong_method_is_told_the_right_ones(shared_host: RunningHost) -> None:
    answer = shared_host.post("/api/titles/17")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_head_has_the_length_but_no_body(shared_host: RunningHost) -> None:
    answer = shared_host.request("HEAD", "/api/titles/seventeen")
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "14", b"")


def test_a_wrong_content_length_of_the_function_does_no_harm(shared_host: RunningHost) -> None:
    assert shared_host.get("/api/titles/17").headers["Content-Length"] == "9"


def test_a_function_that_raises_answers_500_without_detail(shared_host: RunningHost) -> None:
    answer = shared_host.get("/api/crash")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "RuntimeError: on purpose" in shared_host.log


def test_a_request_arrives_whole(shared_host: RunningHost) -> None:
    answer = shared_host.post("/api/echo?a=1&a=2&b=", data="grüße".encode(), headers={"X-Thing": "yes"})
    seen = answer.json()
    assert seen["body"] == "grüße"
    assert seen["query"] == {"a": "1,2", "b": ""}
    assert seen["headers"]["x-thing"] == "yes"


def test_cookies_of_the_function_are_set_one_by_one(shared_host: RunningHost) -> None:
    cookies = shared_host.post("/api/echo").raw.headers.getlist("set-cookie")
    assert cookies == ["one=1; Path=/; Max-Age=60; HttpOnly; SameSite=Strict", "two=2"]


def test_a_caller_cannot_claim_another_address(shared_host: RunningHost) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    seen = shared_host.post("/api/echo", headers=claimed).json()["headers"]
    assert seen["x-forwarded-for"].startswith("127.0.0.1:")


def test_a_body_over_the_limit_is_refused(shared_host: RunningHost) -> None:
    assert shared_host.post("/api/echo", data=b"x" * 100_000).status_code == 200
    assert shared_host.post("/api/echo", data=b"x" * 100_001).status_code == 413


def test_a_chunked_body_over_the_limit_is_refused(shared_host: RunningHost) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared_host.port, timeout=10)
    connection.request("POST", "/api/echo", body=iter([b"x" * 60_000] * 2), encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_headers_without_end_are_refused_and_not_kept(shared_host: RunningHost) -> None:
    """A client that sends headers and never ends them must not fill the memory."""
    with socket.create_connection(("127.0.0.1", shared_host.port), timeout=30) as connection:
        connection.sendall(b"GET /api/echo HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(ConnectionError):  # the host has closed the connection
            for number in range(10_000):
                connection.sendall(f"X-{number}: {'x' * 1000}\r\n".encode())
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100).startswith(b"HTTP/1.1 431 ")
    assert shared_host.post("/api/echo").ok


def test_requests_on_one_connection_have_a_limit_each(shared_host: RunningHost) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared_host.port, timeout=10)
    for _ in range(3):
        connection.request("POST", "/api/echo", body=b"x" * 60_000, headers={"X-Long": "x" * 20_000})
        answer = connection.getresponse()
        assert answer.status == 200
        assert len(json.loads(answer.read())["headers"]["x-long"]) == 20_000
    connection.close()


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/secret", None, 401),
        ("/api/secret", "", 401),
        ("/api/secret", "wrong", 401),
        ("/api/secret", "the-function-key", 200),
        ("/api/secret", "the-master-key", 200),
        ("/api/master", "the-function-key", 401),
        ("/api/master", "the-master-key", 200),
    ],
)
def test_a_key_opens_what_it_is_for(shared_host: RunningHost, path: str, key: str | None, status: int) -> None:
    headers = {} if key is None else {"x-functions-key": key}
    assert shared_host.get(path, headers=headers).status_code == status


def test_a_key_may_stand_in_the_query_and_stays_out_of_the_log(shared_host: RunningHost) -> None:
    assert shared_host.get("/api/secret?code=the-function-key").text == "open"
    assert "secret Called at" in shared_host.log
    assert "the-function-key" not in shared_host.log


def test_a_page_of_an_allowed_origin_may_read_the_answer(shared_host: RunningHost) -> None:
    headers = shared_host.get("/api/titles/17", headers={"Origin": "http://other.test"}).headers
    assert headers["Access-Control-Allow-Origin"] == "http://other.test"
    assert headers["Vary"] == "Origin"


def test_another_origin_is_never_reflected(shared_host: RunningHost) -> None:
    foreign = {"Origin": "http://evil.test"}
    answer = shared_host.get("/api/titles/17", headers=foreign)
    preflight = shared_host.request("OPTIONS", "/api/echo", headers=foreign | PREFLIGHT)
    for headers in (answer.headers, preflight.headers):
        assert not [name for name in headers if name.lower().startswith("access-control")]


def test_a_preflight_is_answered_for_the_function(shared_host: RunningHost) -> None:
    answer = shared_host.request("OPTIONS", "/api/secret", headers={"Origin": "http://site.test"} | PREFLIGHT)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "http://site.test"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"


def test_a_page_may_send_its_session_along(shared_host: RunningHost) -> None:
    wanted = "authorization,content-type"
    asked = {"Origin": "http://site.test"} | PREFLIGHT | {"Access-Control-Request-Headers": wanted}
    answer = shared_host.request("OPTIONS", "/api/echo", headers=asked)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Headers"]) == (204, wanted)


def test_errors_can_be_read_by_the_page_too(shared_host: RunningHost) -> None:
    answer = shared_host.get("/api/secret", headers={"Origin": "http://site.test"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, "http://site.test")


def test_the_status_needs_no_key_from_this_machine(shared_host: RunningHost) -> None:
    assert shared_host.get("/admin/host/status").json()["state"] == "Running"


def test_starting_a_function_by_hand_takes_the_master_key(shared_host: RunningHost) -> None:
    def start(name: str, key: str) -> int:
        headers = {"x-functions-key": key}
        return shared_host.post(f"/admin/functions/{name}", json={"input": "x"}, headers=headers).status_code

    assert start("tick", "the-function-key") == 401
    assert start("nothing", "the-master-key") == 404
    assert start("echo", "the-master-key") == 400
    assert start("tick", "the-master-key") == 202


def test_request_beyond_the_limit_is_told_when_to_try_again_and_others_are_served(host: RunningHost) -> None:
    host.start(AzureFunctionsJobHost__extensions__http__maxOutstandingRequests="2")
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(host.get, f"/api/wait/{HELD}") for _ in range(2)]
        try:
            host.entries("waiting", 2)
            refused = host.get("/api/wait/0")
        finally:
            host.let_go()
        assert [answer.result().text for answer in waiting] == ["waited"] * 2
    assert (refused.status_code, refused.json()["error"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert host.get("/api/wait/0").text == "waited"
