"""`./notflix bench site`: how fast the site is on a slow phone and on a desktop, and its scores in Lighthouse.

The catalogue has 50 titles with pictures. Then the home page and the search are measured again with 5,000 titles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from azure.storage.blob import ContainerClient

from functions.catalogue.artwork import ArtworkStore
from functions.catalogue.pictures import pictures_from_backdrop
from functions.catalogue.site import BlobSite
from infra.local.demo.art.studio import draw
from infra.local.demo.library import load
from infra.local.stores.packages import web_folder
from tests.bench._lighthouse import FORMS, Lighthouse
from tests.bench._measure import conclude, say
from tests.bench._product import product
from tests.support.library import playable, publish, stock, titles_of
from tests.support.viewers import soon

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.catalogue.model import Artwork, Title
    from infra.local.home import Home
    from tests.bench._lighthouse import PageRating

FEW, MANY = 50, 5000
PICTURED = 8
SHOWN = "speed-00049"
PAGES = {"home": "/", "title": f"/title/{SHOWN}", "watch": f"/watch.html?id={SHOWN}"}
LCP_S, CLS = 1.6, 0.01
GOALS = {
    **{f"{page}_{form}_lcp_s": LCP_S for page in PAGES for form in ("mobile",)},
    **{f"{page}_{form}_cls": CLS for page in PAGES for form in FORMS},
    "home_kb_without_pictures": 250.0,
    "home_many_vs_few": 1.2,
}
SCORES = {
    **{f"{page}_mobile_performance": 95.0 for page in PAGES},
    **{f"{page}_desktop_performance": 98.0 for page in PAGES},
    **{
        f"{page}_{form}_{kind}": 100.0
        for page in PAGES
        for form in FORMS
        for kind in ("accessibility", "best-practices", "seo")
    },
}


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench site", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each page instead of three")
    parser.add_argument("--page", choices=[*PAGES], help="only one page, without the large catalogue")
    parser.add_argument("--form", choices=[*FORMS], help="only the phone or only the desktop")
    given = parser.parse_args()
    runs = 1 if given.quick else 3
    pages = {name: path for name, path in PAGES.items() if given.page in (None, name)}
    figures: dict[str, float] = {}
    with product() as own:
        lighthouse = Lighthouse(own.home)
        say("Starting the product …")
        own.up()
        endpoints = json.loads(own.home.endpoints_file.read_text(encoding="utf-8"))
        say(f"Adding {FEW} titles …")
        art = _stock_few(own.home, endpoints)
        for name, path in pages.items():
            for form in FORMS:
                if given.form in (None, form):
                    figures |= _figures(name, form, lighthouse.rate(endpoints["site"] + path, form, runs=runs))
        if given.page is None:
            say(f"Adding {MANY - FEW} more titles …")
            _stock_many(endpoints, art)
            many = lighthouse.rate(endpoints["site"], "mobile", runs=runs)
            figures["home_many_lcp_s"] = many.lcp_s
            figures["home_many_vs_few"] = many.lcp_s / figures["home_mobile_lcp_s"]
    goals = {name: goal for name, goal in {**GOALS, **SCORES}.items() if name in figures}
    return conclude("site", figures, goals, at_least=SCORES)


def _figures(page: str, form: str, rating: PageRating) -> dict[str, float]:
    say(f"{page:6} {form:8} {_line(rating)}")
    found = {f"{page}_{form}_{name}": score for name, score in rating.scores.items()}
    found |= {f"{page}_{form}_lcp_s": rating.lcp_s, f"{page}_{form}_cls": rating.cls, f"{page}_{form}_kb": rating.kb}
    if page == "home" and form == "mobile":
        found["home_kb_without_pictures"] = rating.kb_without_pictures
    return found


def _line(rating: PageRating) -> str:
    scores = ", ".join(f"{name} {score:.0f}" for name, score in rating.scores.items())
    times = (
        f"FCP {rating.fcp_s:.2f} s, LCP {rating.lcp_s:.2f} s, CLS {rating.cls:.4f}, blocked {rating.blocked_ms:.0f} ms"
    )
    size = f"{rating.kb:.0f} KB, {rating.kb_without_pictures:.0f} KB without pictures"
    return f"{scores}; {times}; {size}{'; failed: ' + ', '.join(rating.failed) if rating.failed else ''}"


def _stock_few(home: Home, endpoints: Mapping[str, str]) -> list[Artwork]:
    """Add titles with pictures, and return their pictures."""
    designs = [title for title in load() if title.design is not None][:PICTURED]
    names = [f"speed-{number:05}" for number in range(FEW)]
    art: list[Artwork] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        ContainerClient.from_connection_string(endpoints["storage_connection"], "$web") as container,
    ):
        store = ArtworkStore(BlobSite(container))
        for title in designs:
            assert title.design is not None
            drawn = draw(title.design, title.billing, Path(folder), web_folder(home) / "node_modules")
            name = f"art-{title.stem}"
            for picture in pictures_from_backdrop(drawn.backdrop.read_bytes()):
                store.put_artwork(name, picture)
            art.append(store.find_artwork(name))
    stock(endpoints, *_titles(names, art))
    return art


def _stock_many(endpoints: Mapping[str, str], art: list[Artwork]) -> None:
    """Add titles until there are MANY, and wait until the home page shows the newest one."""
    names = [f"speed-{number:05}" for number in range(FEW, MANY)]
    with titles_of(endpoints) as kept:
        for title in _titles(names, art):
            assert kept.add(title)
    publish(endpoints)
    soon(lambda: _is_published(endpoints, names[-1]), within_s=600)


def _titles(names: list[str], art: list[Artwork]) -> Iterator[Title]:
    """Yield playable titles with pictures, genres and people."""
    genres, people = ("Drama", "Comedy", "Science Fiction", "Thriller", "Romance", "Documentary"), len(names) // 4 + 1
    for name in names:
        number = int(name.rpartition("-")[2])
        yield playable(
            name,
            added_s=number,
            artwork=art[number % len(art)],
            year=1950 + number % 76,
            genres=(genres[number % 6], genres[number % 5]),
            actors=tuple(f"Ada Actor {(number + each) % people}" for each in range(4)),
            plot="Somebody goes somewhere, meets somebody, and comes back as somebody else.",
        )


def _is_published(endpoints: Mapping[str, str], title_id: str) -> bool:
    import requests

    return title_id in requests.get(f"{endpoints['site']}/catalogue/home.json", timeout=30).text


if __name__ == "__main__":
    raise SystemExit(main())
