"""Responses for errors, and the headers that pages of another origin may read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.platform import http
from functions.platform.errors import NotFound, StoreUnavailable, TooManyAttempts
from functions.platform.http import error_answer
from functions.platform.security_headers import API_HEADERS

if TYPE_CHECKING:
    import azure.functions as func


def test_a_rate_limit_says_how_long_to_wait_and_lets_a_page_of_another_origin_read_it() -> None:
    answer = error_answer(TooManyAttempts("Too many attempts. Try again in 42 seconds.", 42))
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "42"
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert json.loads(answer.get_body())["error"] == "too_many_attempts"


def test_an_unavailable_store_says_when_to_come_back() -> None:
    answer = error_answer(StoreUnavailable("Redis does not answer."))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_an_error_without_headers_of_its_own_exposes_none() -> None:
    answer = error_answer(NotFound("There is no such title."))
    assert (answer.status_code, "Access-Control-Expose-Headers" in answer.headers) == (404, False)


def test_no_answer_is_sniffed_or_cached() -> None:
    answer = error_answer(NotFound("There is no such title."))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "answer",
    [
        http.answer({}),
        http.no_content(),
        http.text_answer("#EXTM3U", media_type="application/vnd.apple.mpegurl"),
        http.unexpected_answer(),
        error_answer(StoreUnavailable("Redis does not answer.")),
    ],
    ids=["json", "nothing", "text", "defect", "error"],
)
def test_every_answer_carries_the_security_headers(answer: func.HttpResponse) -> None:
    assert {name: answer.headers.get(name) for name in API_HEADERS} == API_HEADERS
