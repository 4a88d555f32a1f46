"""The load generator sends what is due, and distinguishes shed calls from errors."""

from __future__ import annotations

import asyncio
import math

from tests.bench._load_client import Call, Generator, Result, Window, mixture, recovery_s

ANSWERS = {
    "/ok": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/busy": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy",
    "/broken": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "/gone": b"",
}


def run_against_server(path: str, *, rate_rps: float, seconds: float, wait_s: float = 0) -> Window:
    """Send calls for `path` to a server that answers each after `wait_s`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(wait_s)
            writer.write(answer := ANSWERS[head.split(b" ", 2)[1].decode()])
            if not answer:
                break
        writer.close()

    async def scenario() -> Window:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        generator = Generator("127.0.0.1", port, lambda: Call("look", "GET", path))
        try:
            return await generator.run(rate_rps, seconds)
        finally:
            generator.close()
            server.close()

    return asyncio.run(scenario())


def test_calls_are_sent_although_earlier_ones_are_not_answered() -> None:
    window = run_against_server("/ok", rate_rps=200, seconds=0.5, wait_s=1.5)
    assert len(window.results) > 50
    assert window.errors == window.shed == 0
    assert window.quantile_ms(0.5) >= 1500


def test_refusal_that_says_when_to_try_again_is_no_error() -> None:
    window = run_against_server("/busy", rate_rps=100, seconds=0.2)
    assert window.shed == len(window.results) > 0
    assert window.errors == 0


def test_refusal_without_a_time_and_a_lost_connection_are_errors() -> None:
    for path in ("/broken", "/gone"):
        window = run_against_server(path, rate_rps=100, seconds=0.2)
        assert window.errors == len(window.results) > 0


def test_kinds_are_drawn_in_proportion() -> None:
    draw = mixture([(9, lambda: Call("often", "GET", "/")), (1, lambda: Call("seldom", "GET", "/"))])
    drawn = [draw().kind for _ in range(10_000)]
    assert 800 < drawn.count("seldom") < 1200


def test_recovery_ends_where_enough_healthy_steps_begin() -> None:
    def recovered_s(*others: Result) -> float:
        window = Window(20, [*(result(100 + number) for number in range(20)), *others])
        return recovery_s(window, 100, step_s=2, steps=3, within_ms=500)

    def result(due: float, latency_s: float = 0.01, status: int = 200) -> Result:
        return Result("look", due, latency_s, status, polite=True)

    assert recovered_s() == 0
    assert recovered_s(result(103, latency_s=0.9)) == 4
    assert recovered_s(result(101), result(107.5, status=503)) == 0
    assert recovered_s(result(100), result(103, status=503), result(107.5, status=0)) == 8
    assert recovered_s(*(result(100 + number, status=503) for number in range(0, 20, 4))) == math.inf
