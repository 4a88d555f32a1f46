"""A request to the site's own address, like that of a browser that opens the home page."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from functions.platform.download import TooLarge, TooSlow, read_bounded
from functions.platform.finding import Finding

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
MAX_PAGE_BYTES = 1024 * 1024
MARK = b' data-api="'
"""An attribute that every page of the site has, and hardly any other page."""


def probe_site(origin: str) -> Finding:
    """Fetch the home page at an origin and return whether it is the page of a Notflix site."""
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    try:
        with requests.get(
            f"{origin.rstrip('/')}/",
            timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
            headers={"Accept-Encoding": "identity"},
            allow_redirects=False,
            stream=True,
        ) as response:
            page = read_bounded(response.raw, limit=MAX_PAGE_BYTES, deadline=deadline)
    except requests.exceptions.SSLError:
        return Finding(False, f"{origin} has a certificate that browsers do not trust, or one for another name.")
    except (requests.Timeout, TooSlow):
        return Finding(False, f"{origin} did not answer in time.")
    except (requests.RequestException, HTTPError, TooLarge, ValueError) as error:
        return Finding(False, f"{origin} cannot be reached ({type(error).__name__}); check its DNS entry.")
    if response.is_redirect:
        return Finding(False, f"{origin} leads to another address; set SITE_ORIGIN to the one that visitors end up at.")
    if response.status_code != 200:
        return Finding(False, f"{origin} answers with HTTP {response.status_code} instead of the home page.")
    if MARK not in page:
        return Finding(False, f"{origin} shows a page that is not this site.")
    if urlsplit(origin).scheme == "https":
        return Finding(True, f"The home page opens at {origin}, with a certificate that browsers trust.")
    return Finding(True, f"The home page opens at {origin}. Without https, only browsers on this machine can log in.")
