"""The files that the publisher writes beside the JSON: pages as HTML in each language, sitemap, feed and `robots.txt`.

There are none until the site itself is in its container, because its build stores the templates of the pages there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.catalogue.discovery import feed, robots, sitemap
from functions.catalogue.page_template import PageTemplate
from functions.catalogue.published_pages import home_html, title_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.catalogue.model import Title
    from functions.catalogue.ports import SiteFiles
    from functions.catalogue.static_files import HomePage, PublishedTitle

HOME_TEMPLATE, TITLE_TEMPLATE = "templates/{folder}home.html", "templates/{folder}title.html"
HOME_HTML, SITEMAP, FEED, ROBOTS = "index.html", "sitemap.xml", "feed.xml", "robots.txt"

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A file of the site and its media type; the path is relative to the site's root."""

    path: str
    data: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class PageTemplates:
    """The templates of the pages in one language; the pages are in `folder`, which is "" for the root of the site."""

    folder: str
    home: PageTemplate
    title: PageTemplate

    def title_path(self, title_id: str) -> str:
        """Return the path of a title's page, which has no extension because it is also the page's address."""
        return f"{self.folder}title/{title_id}"


class SitePages:
    """Fills in the templates of a site at `origin`; `digest` identifies the templates, and is empty without them."""

    def __init__(self, origin: str, *templates: PageTemplates) -> None:
        self._origin = origin
        self._templates = templates
        digests = "".join(each.home.digest + each.title.digest for each in templates)
        self.digest = hashlib.sha256(f"{origin} {digests}".encode()).hexdigest()[:16] if digests else ""
        homes = [f"{each.folder}{HOME_HTML}" for each in templates]
        self.list_paths = tuple(dict.fromkeys((HOME_HTML, *homes, SITEMAP, FEED, ROBOTS)))
        """The files that depend on the lists of titles, without the JSON."""

    @classmethod
    def read(cls, site: SiteFiles, origin: str) -> SitePages:
        """Read the templates that the site contains. Raises StoreUnavailable."""
        first = _read_templates(site, "")
        others = [folder for folder in first.home.language.folders.values() if folder] if first else []
        found = [first, *(_read_templates(site, folder) for folder in others)]
        return cls(origin.rstrip("/"), *filter(None, found))

    def title_paths(self, title_id: str) -> tuple[str, ...]:
        """Return the paths of a title's pages, with that at the root of the site first."""
        return tuple(dict.fromkeys((f"title/{title_id}", *(each.title_path(title_id) for each in self._templates))))

    def of_lists(self, home: HomePage, listed: Sequence[Title]) -> list[SiteFile]:
        """Return the files that depend on the lists of titles; without an address of the site, only the home pages."""
        if not self._templates:
            return []
        files = [
            SiteFile(f"{each.folder}{HOME_HTML}", home_html(each.home, home, self._origin), HTML)
            for each in self._templates
        ]
        if self._origin:
            files += [
                SiteFile(SITEMAP, sitemap(listed, self._origin), "application/xml"),
                SiteFile(FEED, feed(listed, self._origin), "application/atom+xml"),
                SiteFile(ROBOTS, robots(self._origin), "text/plain; charset=utf-8"),
            ]
        return files

    def of_title(self, title: PublishedTitle) -> list[SiteFile]:
        """Return the pages of a title."""
        return [
            SiteFile(each.title_path(title.id), title_html(each.title, title, self._origin), HTML)
            for each in self._templates
        ]


def _read_templates(site: SiteFiles, folder: str) -> PageTemplates | None:
    """Return the templates of one language; None if one is missing, or is of an older site without texts."""
    found = [site.read_file(path.format(folder=folder)) for path in (HOME_TEMPLATE, TITLE_TEMPLATE)]
    if not all(found):
        return None
    try:
        home, title = (PageTemplate(each.decode()) for each in found if each)
    except ValueError:
        return None
    return PageTemplates(folder, home, title)
