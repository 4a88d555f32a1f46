"""The home page and the titles' pages as complete HTML, in the language of their template.

A browser can show them before any script has run.

The scripts of these pages then add what is specific to the viewer, and keep the pages up to date.
"""

from __future__ import annotations

import json
from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from functions.catalogue import page_texts as texts
from functions.catalogue.artwork import avif_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.catalogue.model import Artwork
    from functions.catalogue.page_language import PageLanguage
    from functions.catalogue.page_template import PageTemplate, Piece
    from functions.catalogue.schemas import Card
    from functions.catalogue.static_files import HomePage, HomeRow, PublishedTitle

FIRST_ROWS = 3
FIRST_CARDS = 8
"""As much of the home page as a large window shows at first; the page's script adds the rest."""

COMING_SOON = "soon"


def home_html(template: PageTemplate, home: HomePage, origin: str) -> bytes:
    """Return the home page of a site at `origin`."""
    hero = home.hero if home.hero and texts.is_playable(home.hero.status) else None
    if home.hero is None and not home.rows:
        content = f'<div data-home aria-busy="true">{template.piece("empty").markup}</div>'
    else:
        rows = "".join(_shelf(template, row) for row in islice(_shown_rows(home.rows), FIRST_ROWS))
        top = _hero(template, hero) if hero else template.piece("heading").attributes(data_key="heading").markup
        key = "rows" if hero else "rows-alone"
        content = f'<div data-home>{top}<div class="rows" data-key="{key}">{rows}</div></div>'
    image = hero.artwork.backdrop or hero.artwork.card if hero else None
    language = template.language
    name, description = language.text("home.notflix_films_watch_in"), language.text("site.description")
    head = _head(language, name, description, origin, "/", kind="website", image=image)
    return template.page(head=head, content=content)


def title_html(template: PageTemplate, title: PublishedTitle, origin: str) -> bytes:
    """Return a title's page."""
    language = template.language
    name = f"{title.name} ({title.year})" if title.year else title.name
    description = title.plot or language.text("title.on_notflix", name=title.name)
    image = title.artwork.backdrop or title.artwork.card or title.artwork.poster
    head = _head(
        language,
        language.text("site.page_title", name=name),
        description,
        origin,
        texts.title_path(title.id),
        kind="video.episode" if title.kind == "episode" else "video.movie",
        image=image,
    )
    data = _structured_data(language, title, description, origin, image)
    head += f'\n  <script type="application/ld+json">{data}</script>'
    content = f'<div data-title="{escape(title.id)}">{_article(template, title)}</div>'
    return template.page(head=head, content=content)


def _shown_rows(rows: Sequence[HomeRow]) -> list[HomeRow]:
    """Return the rows that have something to show: titles that can be played, or the announced ones on their shelf."""
    return [row for row in rows if _shown_titles(row)]


def _shown_titles(row: HomeRow) -> list[Card]:
    return [title for title in row.titles if row.id == COMING_SOON or texts.is_playable(title.status)]


def _hero(template: PageTemplate, title: Card) -> str:
    art = title.artwork.backdrop or title.artwork.card
    language = template.language
    piece = template.piece("hero").attributes(data_key="hero")
    kind = texts.state_label(language, title.status) or texts.kind_name(language, title.kind)
    piece = piece.text("kind", kind).text("name", title.name).text("plot", title.plot or "")
    piece = piece.html("facts", _facts(texts.facts(language, title)))
    piece = piece.attributes("play", href=language.prefix + texts.watch_path(title.id))
    piece = piece.attributes("more", href=language.prefix + texts.title_path(title.id))
    return _with_picture(piece.add_class("has-art") if art else piece, "art", art).markup


def _shelf(template: PageTemplate, row: HomeRow) -> str:
    heading = f"shelf-{row.id}"
    piece = template.piece("shelf").attributes(data_key=row.id, aria_labelledby=heading)
    piece = (
        piece.text("name", texts.shelf_name(template.language, row))
        .attributes("name", id=heading)
        .attributes("cards", aria_labelledby=heading)
    )
    shape = "poster" if row.id == COMING_SOON else "card"
    cards = (_card(template, title, shape) for title in islice(_shown_titles(row), FIRST_CARDS))
    return piece.html("cards", "".join(cards)).markup


def _card(template: PageTemplate, title: Card, shape: str) -> str:
    language = template.language
    piece = template.piece(shape).attributes(data_key=title.id).text("name", title.name)
    piece = piece.attributes("link", href=language.prefix + texts.title_path(title.id))
    short = " · ".join(text for text, _ in texts.facts(language, title, genres=1))
    piece = piece.text("facts", title.name if shape == "poster" else short)
    if shape == "poster" and title.artwork.poster:
        piece = piece.add_class("is-lettered", "art")
    if title.status == "encoding":
        piece = piece.add_class("is-encoding", "art")
    state = "" if shape == "poster" and title.status == "announced" else texts.state_label(language, title.status)
    if state:
        piece = piece.show("state").text("state", state)
    return _with_picture(piece, "picture", picture_for(title.artwork, shape)).markup


def picture_for(artwork: Artwork, shape: str) -> str | None:
    """Return the address of the picture for a card's shape, or of the next best picture."""
    if shape == "poster":
        return artwork.poster or artwork.card or artwork.backdrop
    return artwork.card or artwork.backdrop or artwork.poster


def _article(template: PageTemplate, title: PublishedTitle) -> str:
    art = title.artwork.backdrop or title.artwork.card
    language = template.language
    plot = title.plot or language.text("title.no_description_yet")
    piece = template.piece("title").text("name", title.name).text("plot", plot)
    badge = texts.quality_badge(title)
    kind = texts.kind_name(language, title.kind)
    facts = [(kind, False), *texts.facts(language, title), *([(badge, True)] if badge else [])]
    piece = piece.html("facts", _facts(facts))
    if art:
        piece = piece.add_class("has-art")
    if title.playback:
        piece = piece.show("play").attributes("play", href=language.prefix + texts.watch_path(title.id))
        label = "common.watch_now" if title.status == "encoding" else "common.play"
        piece = piece.text("play-label", language.text(label))
    if title.trailer:
        piece = piece.show("trailer").attributes("trailer", href=language.prefix + texts.trailer_path(title.id))
    if title.status == "announced":
        piece = piece.show("soon")
    if title.awards:
        piece = piece.show("awards").text("awards", title.awards)
    if title.artwork.poster:
        piece = piece.attributes("poster", alt=language.text("title.poster", name=title.name))
    piece = _with_picture(_with_picture(piece, "backdrop", art), "poster", title.artwork.poster)
    more = [each for each in title.more if texts.is_playable(each.status)]
    if more:
        piece = piece.show("more").html("more-cards", "".join(_card(template, each, "card") for each in more))
    scores = texts.scores(title)
    if scores:
        piece = piece.show("scores").html("scores", "".join(_score(template, *score) for score in scores))
    genres = "".join(_link(template, "genre", language.genre(genre), texts.genre_path(genre)) for genre in title.genres)
    credit_lines = "".join(_credit(template, *line) for line in texts.credit_lines(language, title))
    return piece.html("genres", genres).html("credits", credit_lines).markup


def _score(template: PageTemplate, source: str, value: str) -> str:
    return template.piece("score").text("value", value).text("source", source).markup


def _credit(template: PageTemplate, role: str, names: Sequence[str], are_people: bool) -> str:
    shown = [
        _link(template, "person", name, texts.person_path(name)) if are_people else escape(name, quote=False)
        for name in names
    ]
    return template.piece("credit").text("role", role).html("people", ", ".join(shown)).markup


def _link(template: PageTemplate, kind: str, text: str, address: str) -> str:
    return template.piece(kind).text("link", text).attributes("link", href=template.language.prefix + address).markup


def _facts(facts: Sequence[tuple[str, bool]]) -> str:
    return "".join(
        f'<span class="rating">{escape(text, quote=False)}</span>'
        if badge
        else f"<span>{escape(text, quote=False)}</span>"
        for text, badge in facts
    )


def _with_picture(piece: Piece, hook: str, address: str | None) -> Piece:
    """Return a piece that shows a picture; a browser that knows AVIF chooses among its widths."""
    if not address:
        return piece
    piece = piece.show(hook).attributes(hook, src=f"/{address}")
    sources = avif_sources(address)
    return piece.attributes(f"{hook}-avif", srcset=sources) if sources else piece


def _head(
    language: PageLanguage, title: str, description: str, origin: str, path: str, *, kind: str, image: str | None
) -> str:
    """Return the title, description, addresses in all languages and Open Graph properties (ogp.me) of a page."""
    address = f"{origin}{language.prefix}{path}"
    others = [(code, f"{origin}/{folder}{path.lstrip('/')}") for code, folder in language.folders.items()]
    short = " ".join(description.split())
    properties = [("og:type", kind), ("og:site_name", "Notflix"), ("og:title", title), ("og:description", short)]
    properties += [("og:url", address), ("og:locale", language.language)]
    if image:
        properties.append(("og:image", f"{origin}/{image}"))
    lines = [
        f"<title>{escape(title, quote=False)}</title>",
        f'<meta name="description" content="{escape(short)}">',
        f'<link rel="canonical" href="{escape(address)}">',
        *(f'<link rel="alternate" hreflang="{code}" href="{escape(other)}">' for code, other in others),
        '<meta name="twitter:card" content="summary_large_image">',
        *(f'<meta property="{name}" content="{escape(value)}">' for name, value in properties),
    ]
    return "\n  ".join(lines)


def _structured_data(
    language: PageLanguage, title: PublishedTitle, description: str, origin: str, image: str | None
) -> str:
    """Return a title as JSON-LD (schema.org); "<" is escaped, so that no text can end the script element."""
    people = {"director": title.directors, "author": title.writers, "actor": title.actors}
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": {"series": "TVSeries", "episode": "TVEpisode"}.get(title.kind, "Movie"),
        "name": title.name,
        "description": description,
        "url": f"{origin}{language.prefix}{texts.title_path(title.id)}",
        "image": f"{origin}/{image}" if image else None,
        "genre": list(title.genres),
        "datePublished": str(title.year) if title.year else None,
        "duration": f"PT{title.runtime_min}M" if title.runtime_min else None,
        "contentRating": title.rated,
        **{role: [{"@type": "Person", "name": name} for name in names] for role, names in people.items()},
    }
    shown = {name: value for name, value in data.items() if value}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
