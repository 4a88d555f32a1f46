"""The files by which search engines and feed readers find the titles: `sitemap.xml`, `feed.xml` and `robots.txt`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from functions.catalogue.page_texts import genre_path, title_path
from functions.platform.time import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.catalogue.model import Title

FEED_LENGTH = 50
SITEMAP_LENGTH = 50_000
"""The most addresses that a sitemap may contain (sitemaps.org)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGES = ("/", "/search.html", "/plans.html")


def sitemap(titles: Sequence[Title], origin: str) -> bytes:
    """Return the sitemap of the listed titles, newest first."""
    genres = sorted({genre for title in titles for genre in title.details.genres})
    lines = [_location(origin + path) for path in (*_PAGES, *map(genre_path, genres))]
    lines += [_location(origin + title_path(title.id), to_text(title.updated_at)) for title in titles]
    urls = "\n".join(lines[:SITEMAP_LENGTH])
    return _xml(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}\n</urlset>\n')


def feed(titles: Sequence[Title], origin: str) -> bytes:
    """Return the newest of the listed titles, which must be sorted newest first, as an Atom feed (RFC 4287)."""
    shown = titles[:FEED_LENGTH]
    updated = to_text(max((title.updated_at for title in shown), default=_EPOCH))
    entries = "\n".join(_entry(title, origin) for title in shown)
    return _xml(
        '<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>New on Notflix</title>\n<id>{escape(origin)}/</id>\n<updated>{updated}</updated>\n"
        "<author><name>Notflix</name></author>\n"
        f'<link rel="alternate" href="{escape(origin)}/"/>\n<link rel="self" href="{escape(origin)}/feed.xml"/>\n'
        f"{entries}\n</feed>\n"
    )


def robots(origin: str) -> bytes:
    """Return the rules for crawlers: every page may be read, but not the templates from which pages are written."""
    rules = "Disallow: /templates/\n"
    return f"User-agent: *\n{rules}\nSitemap: {origin}/sitemap.xml\n".encode()


def _location(address: str, changed: str = "") -> str:
    modified = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<url><loc>{escape(address)}</loc>{modified}</url>"


def _entry(title: Title, origin: str) -> str:
    address = escape(origin + title_path(title.id))
    return (
        f"<entry><title>{escape(title.details.name)}</title><id>{address}</id>"
        f'<link rel="alternate" href="{address}"/>'
        f"<published>{to_text(title.added_at)}</published><updated>{to_text(title.updated_at)}</updated>"
        f"<summary>{escape(title.details.plot or title.details.name)}</summary></entry>"
    )


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()
