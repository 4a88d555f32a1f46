"""The edge of every HTTP function: errors become answers, and what they say can be read by the site."""

from __future__ import annotations

import json

import azure.functions as func

from functions.platform.errors import NotflixError, NotFound, TooManyAttempts
from functions.platform.http import endpoint


def refused_with(error: NotflixError) -> func.HttpResponse:
    """Return the answer of a function that raises the error."""

    @endpoint
    def refuse(req: func.HttpRequest) -> func.HttpResponse:
        raise error

    return refuse(func.HttpRequest(method="POST", url="http://127.0.0.1:7071/api/sessions", body=b""))


def test_a_refusal_says_how_long_to_wait_and_lets_a_page_of_another_origin_read_it() -> None:
    answer = refused_with(TooManyAttempts("Too many attempts. Try again in 42 seconds.", 42))
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "42"
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert json.loads(answer.get_body())["error"] == "too_many_attempts"


def test_an_error_without_headers_of_its_own_exposes_none() -> None:
    answer = refused_with(NotFound("There is no such title."))
    assert (answer.status_code, "Access-Control-Expose-Headers" in answer.headers) == (404, False)
