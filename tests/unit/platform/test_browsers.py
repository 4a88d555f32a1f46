"""Names of browsers are short, and are the names that users know."""

from __future__ import annotations

import pytest

from functions.platform.browsers import browser_of

LIKE_GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT}"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {LIKE_GECKO} Chrome/142.0.0.0 Safari/537.36", "Chrome on Windows"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {LIKE_GECKO} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Edge on Windows",
        ),
        (
            f"Mozilla/5.0 (X11; Linux x86_64) {LIKE_GECKO} Chrome/142.0.0.0 Safari/537.36 OPR/120.0.0.0",
            "Opera on Linux",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 16; Pixel 10) {LIKE_GECKO} Chrome/142.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 15; SM-S938B) {LIKE_GECKO} SamsungBrowser/29.0 Chrome/136.0",
            "Samsung Internet on Android",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/26.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            f"{IPHONE} Version/26.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            f"{IPHONE} CriOS/142.0.0.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        (
            f"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) {WEBKIT} FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
            "Firefox on iPad",
        ),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {LIKE_GECKO} Chrome/142.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        (
            f"Mozilla/5.0 (SMART-TV; LINUX; Tizen 8.0) {LIKE_GECKO} Version/8.0 TV Safari/537.36",
            "an unknown browser on a television",
        ),
        (f"Mozilla/5.0 (X11; Linux x86_64) {LIKE_GECKO} HeadlessChrome/142.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("curl/8.14.1", "curl"),
        ("python-requests/2.34.2", "a Python script"),
        ("", "an unknown browser"),
        ("<script>alert(1)</script>\x00" * 10, "an unknown browser"),
    ],
)
def test_a_browser_has_the_name_that_a_person_would_use(user_agent: str, name: str) -> None:
    assert browser_of(user_agent) == name
