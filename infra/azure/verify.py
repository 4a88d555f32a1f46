"""`./notflix azure verify ORIGIN`: requests a deployed site as browsers and strangers do, and reports what is wrong.

The addresses of the API and of storage are read from the home page. Nothing is changed, and no credentials are needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests

from functions.platform.identifiers import container_for
from functions.platform.security_headers import API_HEADERS
from infra.local.home import CannotRun
from infra.site_headers import SITE_HEADERS
from web.offline import SERVICE_WORKER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TIMEOUT_S = 30.0
YEAR_S = 31_536_000
STRANGER = "https://attacker.example"
REFUSALS = {401, 403, 404, 409}
"""How storage refuses anonymous requests: 409 if the account forbids all of them, otherwise 401, 403 or 404."""

_DATA = r'<html[^>]* data-{name}="([^"]*)"'
_ASSET = re.compile(r'(?:href|src)="([^"]+\.(?:css|js)[^"]*)"')
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


class Verdict(Enum):
    """The result of one probe, as the sign that is printed."""

    GOOD = "✓"
    BAD = "✗"
    SLOW = "!"  # correct, but slower or more expensive than necessary
    SKIPPED = "·"


@dataclass(frozen=True, slots=True)
class Probed:
    """The result of one probe in one line."""

    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """The home page of a deployment, and the addresses of its other parts; `api` and `blob` are empty if unknown."""

    origin: str
    page: requests.Response
    api: str
    blob: str


def verify(origin: str) -> list[Probed]:
    """Return one result for each probe; raise CannotRun if the site does not answer."""
    site = _open(origin)
    return [
        *_site_headers(site),
        *_tls(site),
        *_caching(site),
        *_compression(site),
        *_api_headers(site),
        *_cors(site),
        *_storage(site),
    ]


def _open(origin: str) -> Site:
    parts = urlsplit(origin if "//" in origin else f"https://{origin}")
    root = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CannotRun(f"{origin!r} is not the address of a site, such as https://films.example.org.")
    try:
        page = _ask(f"{root}/")
    except requests.RequestException as error:
        raise CannotRun(f"{root} does not answer ({type(error).__name__}); check the address.") from None
    if page.status_code != 200:
        raise CannotRun(f"{root}/ answered {page.status_code} instead of the home page; check the address.")

    def data(name: str) -> str:
        found = re.search(_DATA.format(name=name), page.text)
        return found[1].rstrip("/") if found else ""

    return Site(root, page, data("api"), data("blob"))


def _ask(url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> requests.Response:
    return requests.request(method, url, headers=dict(headers or {}), timeout=TIMEOUT_S, allow_redirects=False)


def _compare(what: str, answer: requests.Response, wanted: Mapping[str, str]) -> Iterator[Probed]:
    """Yield a result for each wanted header of an answer."""
    for name, value in wanted.items():
        sent = answer.headers.get(name)
        if sent is None:
            yield Probed(Verdict.BAD, f"{what} lacks the header {name}: {value}")
        elif sent != value:
            yield Probed(Verdict.BAD, f"{what} has {name}: {sent}, not {value}")
        else:
            yield Probed(Verdict.GOOD, f"{what} has {name}")


def _site_headers(site: Site) -> Iterator[Probed]:
    yield from _compare("The home page", site.page, SITE_HEADERS)
    missing = _ask(f"{site.origin}/no-such-page-{len(site.origin)}.html")
    absent = [name for name in SITE_HEADERS if name not in missing.headers]
    if missing.status_code != 404:
        yield Probed(Verdict.BAD, f"A page that does not exist is answered with {missing.status_code}, not 404")
    elif absent:
        yield Probed(Verdict.BAD, f"The page for missing pages lacks the headers {', '.join(absent)}")
    else:
        yield Probed(Verdict.GOOD, "The page for missing pages has all headers of the home page")
    policy = _POLICY.search(site.page.text)
    if policy and "default-src 'none'" in policy[1].replace("&#39;", "'"):
        yield Probed(Verdict.GOOD, "The home page contains a policy that allows only its own scripts")
    else:
        yield Probed(Verdict.BAD, "The home page contains no policy against foreign scripts; publish the site again")


def _tls(site: Site) -> Iterator[Probed]:
    if site.origin.startswith("http://"):
        yield Probed(Verdict.SKIPPED, "TLS is not checked, because the address begins with http://")
        return
    try:
        plain = _ask(f"http://{urlsplit(site.origin).hostname}/")
    except requests.RequestException:
        yield Probed(Verdict.GOOD, "Plain HTTP is not answered")
        return
    target = plain.headers.get("Location", "")
    if plain.status_code in (301, 302, 307, 308) and target.startswith("https://"):
        yield Probed(Verdict.GOOD, "Plain HTTP is redirected to HTTPS")
    elif plain.status_code >= 400:
        yield Probed(Verdict.GOOD, f"Plain HTTP is refused ({plain.status_code})")
    else:
        yield Probed(Verdict.BAD, f"Plain HTTP is answered with {plain.status_code} instead of a redirect to HTTPS")


def _caching(site: Site) -> Iterator[Probed]:
    page = site.page.headers
    if "no-cache" in page.get("Cache-Control", "") and "ETag" in page:
        yield Probed(Verdict.GOOD, "Pages are revalidated at every visit")
    else:
        yield Probed(Verdict.BAD, "Pages can be stale: the home page needs Cache-Control: no-cache and an ETag")
    worker = _ask(f"{site.origin}/{SERVICE_WORKER}")
    if worker.status_code == 200 and "no-cache" in worker.headers.get("Cache-Control", ""):
        yield Probed(Verdict.GOOD, "The service worker is revalidated at every visit")
    else:
        yield Probed(
            Verdict.BAD, f"/{SERVICE_WORKER} is missing or lacks Cache-Control: no-cache; publish the site again"
        )
    for asset in _assets(site):
        caching = asset.headers.get("Cache-Control", "")
        age = re.search(r"max-age=(\d+)", caching)
        if "immutable" in caching and age and int(age[1]) >= YEAR_S:
            yield Probed(Verdict.GOOD, f"{_name(asset)} is cached for a year")
        else:
            yield Probed(Verdict.SLOW, f"{_name(asset)} has Cache-Control: {caching or 'nothing'}; it never changes")


def _compression(site: Site) -> Iterator[Probed]:
    for asset in _assets(site):
        if asset.headers.get("Content-Encoding") in ("br", "gzip"):
            yield Probed(Verdict.GOOD, f"{_name(asset)} is compressed")
        else:
            yield Probed(Verdict.SLOW, f"{_name(asset)} is not compressed; Front Door or another CDN does that")


def _assets(site: Site) -> list[requests.Response]:
    """Return the first style sheet and the first script of the home page."""
    addresses = [urljoin(f"{site.origin}/", each) for each in _ASSET.findall(site.page.text)]
    first = [
        next((each for each in addresses if urlsplit(each).path.endswith(suffix)), None) for suffix in (".css", ".js")
    ]
    return [_ask(each, headers={"Accept-Encoding": "br, gzip"}) for each in first if each]


def _name(answer: requests.Response) -> str:
    return urlsplit(answer.url).path


def _api_headers(site: Site) -> Iterator[Probed]:
    if not site.api:
        yield Probed(Verdict.BAD, "The home page does not name the API; publish the site again")
        return
    for what, path, status in (
        ("An answer of the API", "/api/titles?limit=1", 200),
        ("A refusal of the API", "/api/me", 401),
    ):
        answer = _ask(f"{site.api}{path}")
        if answer.status_code != status:
            yield Probed(Verdict.BAD, f"{what} has the status {answer.status_code}, not {status} ({path})")
        yield from _compare(what, answer, API_HEADERS)


def _cors(site: Site) -> Iterator[Probed]:
    if not site.api:
        return
    asking = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    stranger = _ask(f"{site.api}/api/me", "OPTIONS", {"Origin": STRANGER, **asking}).headers
    if stranger.get("Access-Control-Allow-Origin") in ("*", STRANGER):
        yield Probed(Verdict.BAD, "Pages of every origin can call the API")
    else:
        yield Probed(Verdict.GOOD, "Pages of other origins cannot call the API")
    if _origin(site.api) == site.origin:
        yield Probed(Verdict.SKIPPED, "The API has the origin of the site, so pages need no permission to call it")
        return
    own = _ask(f"{site.api}/api/me", "OPTIONS", {"Origin": site.origin, **asking}).headers
    if own.get("Access-Control-Allow-Origin") == site.origin:
        yield Probed(Verdict.GOOD, "The site can call the API")
    else:
        yield Probed(Verdict.BAD, "The site cannot call the API, so nobody can log in; set SITE_ORIGIN")


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _storage(site: Site) -> Iterator[Probed]:
    """Probe storage without a SAS: nothing may be listed, and no blob of a title may be read."""
    if not site.blob:
        yield Probed(Verdict.BAD, "The home page does not name the storage of the films; publish the site again")
        return
    if _is_emulator(site.blob):
        yield Probed(Verdict.SKIPPED, "Storage is not checked, because the address of an emulator hides the account")
        return
    base = _blob_base(site)
    title = _some_title(site)
    containers = ["uploads", *([container_for(title)] if title else [])]
    for container in containers:
        listed = _ask(f"{base}/{container}?restype=container&comp=list")
        yield _refused(listed, f"The list of blobs in {container}")
    yield _refused(_ask(f"{base}/?comp=list"), "The list of containers")
    if title is None:
        yield Probed(Verdict.SKIPPED, "The blobs of a film are not checked, because no film is published")
        return
    for blob in ("manifest.mpd", "v360/s00000.m4s"):
        yield _refused(_ask(f"{base}/{container_for(title)}/{blob}"), f"{blob} of {title} without a key")


def _refused(answer: requests.Response, what: str) -> Probed:
    if answer.status_code in REFUSALS:
        return Probed(Verdict.GOOD, f"{what} is refused ({answer.status_code})")
    return Probed(Verdict.BAD, f"{what} is answered with {answer.status_code}; forbid anonymous access to the account")


def _is_emulator(address: str) -> bool:
    """Return whether the host is an IP address, as an emulator's is; its paths begin with the account's name."""
    try:
        ip_address(urlsplit(address).hostname or "")
    except ValueError:
        return False
    return True


def _blob_base(site: Site) -> str:
    """Return the address to which container names are appended, taken from the policy of the site.

    Behind Front Door, storage is under /blobs on the origin of the site.
    """
    return f"{site.blob}/blobs" if _origin(site.blob) == site.origin else site.blob


def _some_title(site: Site) -> str | None:
    """Return the id of a title that can be watched, from the published catalogue; None if there is none."""
    answer = _ask(f"{site.origin}/catalogue/home.json")
    if answer.status_code != 200:
        return None
    rows = answer.json().get("rows", [])
    cards = [card for row in rows for card in row.get("titles", [])]
    return next((str(card["id"]) for card in cards if card.get("status") == "ready"), None)
