"""The language of a request is the one of ours that it prefers."""

from __future__ import annotations

import pytest

from functions.platform.languages import known_language, language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"),
        ("de-AT, de;q=0.9, en;q=0.8", "de"),
        ("en-US,en;q=0.5", "en"),
        ("fr, en;q=0.4, de;q=0.6", "de"),
        ("EN", "en"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=0", ""),
        ("fr", ""),
        ("*", ""),
        ("", ""),
        ("den, deutsch, d", ""),
        ("de;q=2, en;q=nonsense", ""),
        ("fr," * 1000 + "de", ""),
    ],
)
def test_the_preferred_language_is_found(header: str, language: str) -> None:
    assert language_of({"Accept-Language": header}) == language


def test_a_request_without_the_header_names_none() -> None:
    assert language_of({}) == ""


def test_an_unknown_language_becomes_the_first_one() -> None:
    assert [known_language(code) for code in ("de", "en", "fr", "")] == ["de", "en", "en", "en"]
