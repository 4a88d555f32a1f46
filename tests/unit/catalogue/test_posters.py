"""Posters are fetched only from known hosts, and never from an address in the local network."""

from __future__ import annotations

import pytest

from functions.catalogue import posters
from functions.catalogue.posters import PosterFetcher, PosterRefused
from tests.support.web import Answer, WebServer

REAL = "https://www.omdbapi.com/"


def never(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


@pytest.mark.parametrize(
    "url",
    [
        "http://m.media-amazon.com/p.jpg",
        "https://m.media-amazon.com.evil.example/p.jpg",
        "https://evil.example/m.media-amazon.com",
        "https://m.media-amazon.com@evil.example/p.jpg",
        "https://user:pw@m.media-amazon.com/p.jpg",
        "https://m.media-amazon.com:8443/p.jpg",
        "https://127.0.0.1/p.jpg",
        "http://127.0.0.1:7100/posters/0.jpg",
        "http://169.254.169.254/metadata/identity/oauth2/token",
        "file:///etc/passwd",
        "https://[::1]/p.jpg",
        "https://m.media-amazon.com:port/p.jpg",
        "//m.media-amazon.com/p.jpg",
        "N/A",
        "",
    ],
)
def test_other_hosts_are_refused_before_anything_is_looked_up(url: str) -> None:
    with pytest.raises(PosterRefused) as refused:
        PosterFetcher(REAL, never).fetch(url)
    assert not refused.value.passing


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fd00::1", "192.168.1.1", "0.0.0.0"]
)
def test_a_known_host_that_leads_into_this_network_is_refused(address: str) -> None:
    with pytest.raises(PosterRefused, match="private network"):
        PosterFetcher(REAL, lambda host, port: ["8.8.8.8", address]).fetch("https://m.media-amazon.com/p.jpg")


def test_a_host_without_address_may_have_one_later() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(PosterRefused) as refused:
        PosterFetcher(REAL, unknown).fetch("https://m.media-amazon.com/p.jpg")
    assert refused.value.passing


def test_a_simulator_on_this_machine_may_show_its_own_posters_and_no_others() -> None:
    with WebServer(Answer(b"poster")) as simulator, WebServer(Answer(b"secret")) as other:
        fetcher = PosterFetcher(simulator.url)
        assert fetcher.fetch(f"{simulator.url}posters/0.jpg") == b"poster"
        with pytest.raises(PosterRefused):
            fetcher.fetch(f"{other.url}posters/0.jpg")
        assert other.asked == []


@pytest.mark.parametrize(
    ("answer", "passing"),
    [
        (Answer(b"", 302, {"Location": "http://169.254.169.254/"}), False),
        (Answer(b"", 404), False),
        (Answer(b"", 503), True),
        (Answer(b"x" * (posters.MAX_BYTES + 1)), False),
        (Answer(hangs=True), True),
        (Answer(trickles=True), True),
    ],
    ids=["redirect", "gone", "ill", "large", "hangs", "trickles"],
)
def test_only_a_plain_small_and_prompt_answer_is_taken(
    answer: Answer, passing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posters, "TIMEOUT_S", 0.4)
    with WebServer(answer) as simulator, pytest.raises(PosterRefused) as refused:
        PosterFetcher(simulator.url).fetch(f"{simulator.url}p.jpg")
    assert refused.value.passing is passing
