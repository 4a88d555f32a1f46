"""The short name of a browser, such as "Firefox on Linux", from its User-Agent.

Most browsers also claim to be several others, so the order of the patterns matters: the most specific comes first.
"""

from __future__ import annotations

import re

BROWSERS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|OPiOS/|Opera", "Opera"),
    (r"Vivaldi/", "Vivaldi"),
    (r"YaBrowser/", "Yandex Browser"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"FxiOS/|Firefox/", "Firefox"),
    (r"CriOS/|HeadlessChrome/|Chrome/|Chromium/", "Chrome"),
    (r"Version/\S+ (?:Mobile/\S+ )?Safari/", "Safari"),
    (r"MSIE |Trident/", "Internet Explorer"),
    (r"curl/", "curl"),
    (r"python-requests/|Python-urllib/|python-httpx/|aiohttp/", "a Python script"),
)
SYSTEMS = (
    (r"Windows", "Windows"),
    (r"iPhone|iPod", "iPhone"),
    (r"iPad", "iPad"),
    (r"Android", "Android"),
    (r"CrOS", "ChromeOS"),
    (r"SMART-TV|Tizen|Web0S|WebOS|AppleTV|BRAVIA", "a television"),
    (r"Mac OS X|Macintosh", "macOS"),
    (r"Linux|X11", "Linux"),
)
UNKNOWN = "an unknown browser"


def browser_of(user_agent: str) -> str:
    """Return the browser's name and operating system, as far as they are known."""
    browser = _first(BROWSERS, user_agent) or UNKNOWN
    system = _first(SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for pattern, name in names if re.search(pattern, user_agent)), "")
