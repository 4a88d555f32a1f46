"""Random actions in a product of their own: whatever people do, every page stays sound and leads on.

The actions of a walk follow from its seed. `--seed` repeats one walk; `--first-seed` and `--runs` choose others.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error

from functions.catalogue.model import Status
from functions.platform.identifiers import title_id_for
from tests.support.catalogue import make_picture, make_title
from tests.support.library import stock, titles_of
from tests.support.media import Film, make_film
from tests.support.page_state import Traffic, settled
from tests.support.product import running_product
from tests.support.random_people import Cast, restore_service
from tests.support.random_walk import Service, Walk, unless_gone
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.product import Product

WALKS, ACTIONS = 1, 40
WALKS_IN_FULL, ACTIONS_IN_FULL = 25, 400
ENCODED_WITHIN_S = 400
FILMS = {"harbour.mp4": 384, "lighthouse.mp4": 192}
"""The films that can be watched, and their numbers of frames; they are small, because walks withdraw them."""

SUBTITLES = "1\n00:00:00,500 --> 00:00:15,000\nGood evening.\n"
TABS = ("overview", "films", "titles", "people", "plans", "pages", "setup", "log")
PATHS = (
    *("/", "/search.html", "/search.html?q=sea", "/genre.html?name=Drama", "/person.html?name=Nobody", "/plans.html"),
    *("/list.html", "/history.html", "/account.html", "/login.html", "/register.html", "/forgot.html"),
    *("/reset.html#token=wrong", "/confirm.html#token=wrong", "/confirm.html", "/factor.html", "/subscribed.html"),
    *("/help.html", "/imprint.html", "/no/such/page", "/watch.html", "/title.html?id=no-such-title"),
    *(f"/studio.html#{tab}" for tab in TABS),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A product in which everything may be changed, and what the walks need of it."""

    product: Product
    service: Service

    def prepare(self) -> None:
        """Bring back the films and settings that an earlier walk has taken away."""
        restore_service(self.product)
        storefront = Storefront(self.product.endpoints)
        with titles_of(self.product.endpoints) as titles:
            gone = [name for name in FILMS if not (title := titles.get(title_id_for(name))) or not title.watchable]
        paths = {path.name: path for path in self.service.files}
        sent = [storefront.send(name, paths[name]) for name in gone]
        storefront.ended(sent, within_s=ENCODED_WITHIN_S)
        storefront.close()


@contextmanager
def running_scene(folder: Path) -> Iterator[Scene]:
    """Start a product with some titles that have no film; `prepare` adds two films, which are made in the folder."""
    files = [make_film(Film(name=name, frames=frames), folder) for name, frames in FILMS.items()]
    for name, content in (
        ("harbour.en.srt", SUBTITLES.encode()),
        ("harbour.jpg", make_picture(400, 600)),
        ("harbour.json", json.dumps({"title": "The Quiet Harbour", "genres": ["Drama"]}).encode()),
        ("not a film.mp4", b"these are not pictures"),
    ):
        (folder / name).write_bytes(content)
        files.append(folder / name)
    announced = [
        make_title("wide-000001", name="Wide" * 40, status=Status.ANNOUNCED, plot="long " * 300, genres=("Drama",)),
        make_title("markup-000002", name="<b>Sea</b> & “Storm”", status=Status.ANNOUNCED, actors=("Nobody",) * 30),
        make_title("draft-000003", name="A draft", status=Status.ANNOUNCED, draft=True),
        make_title("failed-000004", name="It failed", status=Status.FAILED, failure="The file is no film."),
    ]
    ids = (*map(title_id_for, FILMS), *(title.id for title in announced))
    of_titles = [path for title_id in ids for path in (f"/title/{title_id}", f"/watch.html?id={title_id}")]
    with running_product() as product:
        stock(product.endpoints, *(title for title in announced if title.public))
        with titles_of(product.endpoints) as titles:
            assert titles.add(announced[2])
        yield Scene(product, Service(product.endpoints, (*PATHS, *of_titles), files))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Return the scene of the walks."""
    with running_scene(tmp_path_factory.mktemp("random")) as running:
        yield running


@pytest.mark.timeout(0)
def test_whatever_people_do_every_page_stays_sound(
    scene: Scene,
    browser: Browser,
    in_full: bool,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    announce: Callable[[str], None],
) -> None:
    option = pytestconfig.getoption
    first, walks = option("--first-seed"), option("--runs") or (WALKS_IN_FULL if in_full else WALKS)
    seeds = range(first, first + walks) if (only := option("--seed")) is None else [only]
    for seed in seeds:
        scene.prepare()
        walk = Walk.begin(browser, scene.service, Cast(scene.product), seed)
        began = time.monotonic()
        try:
            walk.go(ACTIONS_IN_FULL if in_full else ACTIONS)
        except Exception as error:
            picture = tmp_path_factory.mktemp("walk") / f"{seed}.png"
            walk.page.screenshot(path=picture)
            error.add_note(f"This is walk {seed} after {len(walk.trace)} actions; the page is in {picture}.")
            raise
        finally:
            walk.close()
        announce(f"seed {seed}: {len(walk.trace)} actions in {time.monotonic() - began:.0f} s, nothing wrong")


def test_an_action_is_left_out_if_its_element_has_gone(browser: Browser) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.route("**/*", lambda route: route.fulfill(body="<button>Press</button>", content_type="text/html"))
    tab.goto("http://site.test/here")
    replaced = tab.query_selector("button")
    assert replaced
    tab.evaluate("document.body.innerHTML = '<button>Another</button>'")
    with unless_gone():
        replaced.click()
    left = tab.query_selector("button")
    assert left
    tab.goto("http://site.test/there")
    with unless_gone():
        left.evaluate("element => element.isConnected")
    with pytest.raises(Error, match="unexpected"), unless_gone():
        tab.evaluate("() => { throw new Error('unexpected'); }")
    context.close()


PAGE = "<title>A page</title><p>Hello</p><a href='/elsewhere'>Onwards</a>"


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (PAGE, None),
        (f"{PAGE}<p style='width: 3000px'>wide</p>", "px wider than the window"),
        ("<title>A page</title><p>Hello</p><a href='/here#top'>Top</a>", "a dead end"),
        (f"{PAGE}<dialog open id=d></dialog><script>d.close(); d.showModal()</script>", "a dead end"),
        (f"{PAGE}<p>undefined films</p>", "a value of the program is shown"),
        (f"{PAGE}<ul aria-busy=true><li>Loading</ul>", "the page never ends loading"),
        (
            f"{PAGE}<style>@keyframes turn {{ to {{ rotate: 1turn }} }}</style>"
            "<p style='animation: turn 1s infinite'>round</p>",
            "the page never ends loading",
        ),
        ("<p>Hello</p><a href='/elsewhere'>Onwards</a>", "the page has no title"),
        (f"{PAGE}<img alt='' width=9 height=9 src='data:image/png,x'>", "a picture is broken"),
    ],
    ids=["sound", "wide", "dead-end", "dialog", "value", "busy", "spinner", "title", "picture"],
)
def test_what_is_wrong_with_a_page_is_found(browser: Browser, page: str, fault: str | None) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.route("**/*", lambda route: route.fulfill(body=page, content_type="text/html"))
    traffic = Traffic.of(tab)
    tab.goto("http://site.test/here")
    faults = settled(tab, traffic, within_s=2).faults()
    context.close()
    assert len(faults) == (fault is not None)
    assert fault is None or fault in faults[0]
