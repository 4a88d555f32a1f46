"""The published pages show their content before any script runs, and no text of a title becomes markup."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from functions.catalogue.artwork import avif_sources
from functions.catalogue.discovery import feed, robots, sitemap
from functions.catalogue.lists import home_page
from functions.catalogue.model import Artwork, Rating, Status
from functions.catalogue.page_template import Piece
from functions.catalogue.publisher import HOME
from functions.catalogue.schemas import CATALOGUE_FORMAT, TitleEdit
from functions.catalogue.site_pages import FEED, HOME_HTML, SITEMAP, SitePages
from functions.catalogue.static_files import PublishedTitle
from tests.support.catalogue import World, make_playback, make_title
from tests.support.clock import NOON
from tests.support.page_templates import SITE, built_templates, page_templates

HOSTILE = """</h1><script>alert("1")</script> & 'quotes' hidden src="x" data-hook="plot\""""


@pytest.fixture(scope="module")
def templates() -> SitePages:
    return SitePages(SITE, *page_templates("en"))


def home(templates: SitePages, *titles: Any) -> str:
    """Return the home page of these titles, which must be sorted newest first."""
    return templates.of_lists(home_page(titles, NOON), titles)[0].data.decode()


def title_page(templates: SitePages, title: Any, *similar: Any) -> str:
    """Return a title's page."""
    (page,) = templates.of_title(PublishedTitle.with_similar(title, similar))
    return page.data.decode()


def region(html: str, start: str) -> str:
    """Return the part of a page from `start` to the end of its main content, without the templates of its parts."""
    return html[html.index(start) : html.index("</main>")]


def test_home_shows_its_hero_and_first_shelves_without_a_script(templates: SitePages) -> None:
    art = Artwork(card="art/a/card.jpg?v=1&avif=320.480", backdrop="art/a/backdrop.jpg?v=2&avif=768.1280")
    titles = [
        make_title("a", name="Ringfall", year=2024, genres=("Drama",), artwork=art, plot="A ring falls."),
        make_title("b", name="Low Tide", genres=("Drama",), status=Status.ENCODING),
        make_title("c", name="Halfway Moon", status=Status.ANNOUNCED, artwork=Artwork(poster="art/c/poster.jpg?v=3")),
    ]
    html = region(home(templates, *titles), "<div data-home>")
    hero = html[: html.index('<div class="rows"')]
    assert re.search(r'<h1 id="hero-title"[^>]*>Ringfall</h1>', hero)
    assert "A ring falls." in hero and 'href="/watch.html?id=a"' in hero and 'href="/title/a"' in hero
    assert 'srcset="/art/a/backdrop-768.avif?v=2 768w, /art/a/backdrop-1280.avif?v=2 1280w"' in hero
    assert re.search(r'<img [^>]*fetchpriority="high"[^>]*src="/art/a/backdrop.jpg\?v=2&amp;avif=768.1280">', hero)
    assert re.findall(r'<section class="row-shelf"[^>]*data-key="([^"]+)"', html) == ["new", "encoding", "genre-drama"]
    assert re.findall(r'<li[^>]* data-key="([^"]+)"', html) == ["a", "b", "a", "b"]
    assert "Just added" in html


def test_home_without_a_title_to_play_has_a_heading_and_the_announced_ones(templates: SitePages) -> None:
    html = region(home(templates, make_title("c", name="Halfway Moon", status=Status.ANNOUNCED)), "<div data-home>")
    assert re.search(r'<h1 class="visually-hidden" data-key="heading">Films on Notflix</h1>', html)
    assert 'data-key="rows-alone"' in html and "Halfway Moon" in html and 'data-key="hero"' not in html


def test_home_of_an_empty_service_says_how_to_add_a_film(templates: SitePages) -> None:
    assert "./notflix ingest film.mkv" in region(home(templates), "<div data-home")


def test_a_title_page_tells_everything_that_is_public(templates: SitePages) -> None:
    title = make_title(
        "a",
        name="Ringfall",
        year=2024,
        rated="12",
        plot="A ring falls.",
        genres=("Science Fiction",),
        actors=("Lin Zhao", "Bo Ek"),
        directors=("Ann Ash",),
        awards="Two awards.",
        ratings=(Rating("Internet Movie Database", "7.9/10"),),
        playback=make_playback(duration_s=5400.0),
        artwork=Artwork(poster="art/a/poster.jpg?v=1", backdrop="art/a/backdrop.jpg?v=2"),
    )
    whole = title_page(templates, title, make_title("b", name="Low Tide"))
    html = region(whole, '<div data-title="a">')
    for text in ("Ringfall", "Film", "2024", "1 h 30 min", "HD", "A ring falls.", "Two awards.", "7.9/10", "IMDb"):
        assert f">{text}<" in html, text
    assert 'href="/genre.html?name=Science%20Fiction"' in html
    assert '<dt data-hook="role">Director</dt>' in html and 'href="/person.html?name=Lin%20Zhao"' in html
    assert re.search(r'<a class="btn btn-light btn-lg" data-hook="play" href="/watch.html\?id=a">', html)
    assert re.search(r'<img class="title-poster" alt="Poster of Ringfall"[^>]*src="/art/a/poster.jpg\?v=1">', html)
    assert 'href="/title/b"' in html
    assert "<title>Ringfall (2024): Notflix</title>" in whole
    assert f'<link rel="canonical" href="{SITE}/title/a">' in whole
    assert f'<meta property="og:image" content="{SITE}/art/a/backdrop.jpg?v=2">' in whole
    assert "noindex" not in whole
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', whole)[1])  # type: ignore[index]
    assert (data["@type"], data["name"], data["duration"]) == ("Movie", "Ringfall", "PT90M")
    assert data["actor"][0] == {"@type": "Person", "name": "Lin Zhao"}


def test_each_language_has_its_own_pages_that_name_one_another() -> None:
    pages = SitePages(SITE, *page_templates("en", "de"))
    title = make_title(
        "a", name="Ringfall", directors=("Ann Ash",), actors=("Bo Ek",), genres=("War",), playback=make_playback()
    )
    announced = make_title("c", name="Halfway Moon", status=Status.ANNOUNCED, artwork=Artwork(poster="art/c/p.jpg?v=3"))
    files = {file.path: file.data.decode() for file in pages.of_lists(home_page([title, announced], NOON), [title])}
    files |= {file.path: file.data.decode() for file in pages.of_title(PublishedTitle.with_similar(title, [title]))}
    assert {"index.html", "de/index.html", "title/a", "de/title/a"} <= files.keys()
    german = region(files["de/title/a"], '<div data-title="a">')
    for text in ("Regie", "Besetzung", "Krieg", "Abspielen", "Noch keine Beschreibung."):
        assert f">{text}<" in german, text
    for address in ("/de/watch.html?id=a", "/de/person.html?name=Ann%20Ash", "/de/genre.html?name=War"):
        assert f'href="{address}"' in german, address
    home_in_german = region(files["de/index.html"], "<div data-home>")
    assert ">Neu auf Notflix<" in home_in_german and ">Demnächst<" in home_in_german
    assert 'href="/de/title/a"' in home_in_german and 'href="/title/' not in home_in_german
    for path in ("title/a", "de/title/a"):
        assert f'<link rel="canonical" href="{SITE}/{path}">' in files[path]
        for code, address in (("en", "/title/a"), ("de", "/de/title/a")):
            assert f'<link rel="alternate" hreflang="{code}" href="{SITE}{address}">' in files[path]
    assert not any("<!--texts" in html for html in files.values())


def test_templates_of_an_older_site_without_texts_are_left_alone() -> None:
    world = with_templates(World().with_titles([make_title("a", published=False)]))
    for path in list(world.site.files):
        world.site.files[path] = world.site.files[path].partition(b"<!--texts")[0]
    world.publisher.publish()
    assert "title/a" not in world.site.files and HOME in world.site.files


def test_no_text_of_a_title_becomes_markup(templates: SitePages) -> None:
    fields: dict[str, Any] = dict.fromkeys(("name", "plot", "rated", "awards"), HOSTILE)
    lists: dict[str, Any] = dict.fromkeys(("genres", "actors", "directors", "languages"), (HOSTILE,))
    art = Artwork(poster="art/a/poster.jpg?v=1")
    title = make_title(
        "a", **fields, **lists, ratings=(Rating(HOSTILE, HOSTILE),), artwork=art, playback=make_playback()
    )
    plain = make_title("a", name="x", genres=("x",), playback=make_playback())
    for shown, harmless in (
        (title_page(templates, title, title), title_page(templates, plain, plain)),
        (home(templates, title), home(templates, plain)),
    ):
        assert shown.count("<script") == harmless.count("<script")
        assert "<script>alert" not in shown and not re.search(r'<[^>]*hidden src="x"', shown)
        assert "&lt;/h1&gt;&lt;script&gt;" in shown


def test_a_piece_refuses_a_hook_that_it_lacks_or_whose_element_is_not_empty() -> None:
    piece = Piece('<p class="a"><b data-hook="bold" hidden>x</b><i data-hook="thin"></i></p>')
    with pytest.raises(ValueError, match="not empty"):
        piece.text("bold", "y")
    with pytest.raises(ValueError, match="lacks the hook"):
        piece.text("other", "y")
    changed = piece.text("thin", "<y>").add_class("b").show("bold").attributes("thin", title='"')
    assert changed.markup == (
        '<p class="a b"><b data-hook="bold">x</b><i data-hook="thin" title="&quot;">&lt;y&gt;</i></p>'
    )


def test_the_sitemap_and_the_feed_name_every_page_absolutely() -> None:
    titles = [make_title("b", name="A & B", added_s=9, genres=("War",)), make_title("a")]
    locations = [each.text for each in ElementTree.fromstring(sitemap(titles, SITE)).iter() if each.tag.endswith("loc")]
    assert f"{SITE}/title/a" in locations and f"{SITE}/genre.html?name=War" in locations
    entries = ElementTree.fromstring(feed(titles, SITE)).findall("{http://www.w3.org/2005/Atom}entry")
    assert [entry[0].text for entry in entries] == ["A & B", "a"]
    assert ElementTree.fromstring(feed([], SITE)) is not None
    assert f"Sitemap: {SITE}/sitemap.xml" in robots(SITE).decode()


def test_addresses_without_avif_have_no_sources() -> None:
    assert avif_sources("art/a/card.jpg?v=1") == ""


def with_templates(world: World, *, version: str = "") -> World:
    """Store the templates of the pages, as the site's build does."""
    for path, html in built_templates().items():
        changed = html.replace("</body>", f"<!--{version}--></body>").encode()
        world.site.write(path, changed, kind="text/html", cache="", over=world.site.find_version(path))
    return world


def test_the_publisher_writes_the_pages_and_writes_them_again_after_an_edit() -> None:
    world = with_templates(World().with_titles([make_title("a", name="Ringfall", published=False)]))
    world.publisher.publish()
    assert "Ringfall" in world.site.files[HOME_HTML].decode()
    assert "Ringfall" in world.site.files["title/a"].decode()
    world.catalogue.edit_title("a", TitleEdit(name="Ring Rise"))
    world.publisher.publish()
    for path in (HOME_HTML, "title/a", "de/index.html", "de/title/a", SITEMAP, FEED):
        assert path in world.site.files
    assert "Ring Rise" in world.site.files["title/a"].decode() and "Ring Rise" in world.site.files[HOME_HTML].decode()


def test_a_new_version_of_the_site_has_all_pages_written_again() -> None:
    world = with_templates(World().with_titles([make_title("a", published=False), make_title("b", published=False)]))
    world.publisher.publish()
    with_templates(world, version="2")
    written: list[str] = []
    world.site.before_write = written.append
    world.publisher.publish()
    assert {"title/a", "title/b", HOME_HTML, HOME} <= set(written)
    assert all("<!--2-->" in world.site.files[path].decode() for path in ("title/a", "title/b", HOME_HTML))
    written.clear()
    world.publisher.publish()
    assert written == []


def test_a_withdrawn_title_has_no_page() -> None:
    world = with_templates(World().with_titles([make_title("a", published=False)]))
    world.publisher.publish()
    world.catalogue.withdraw_title("a")
    world.publisher.publish()
    assert not [path for path in world.site.files if path.endswith("title/a")]
    assert "/title/a" not in world.site.files[SITEMAP].decode()


def test_a_site_without_templates_gets_its_json_only() -> None:
    world = World().with_titles([make_title("a", published=False)])
    world.publisher.publish()
    assert {path for path in world.site.files if not path.startswith("catalogue/")} == set()
    assert world.titles.count_waiting(page_format=CATALOGUE_FORMAT) == 0
