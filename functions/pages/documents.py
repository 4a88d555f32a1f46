"""The published files of the pages, as JSON."""

from __future__ import annotations

from msgspec import Struct

from functions.pages.markup import PageElement  # noqa: TC001  # msgspec resolves the annotations
from functions.platform.field_types import Time  # noqa: TC001


class PublishedPage(Struct, frozen=True):
    """The file of a page, `pages/<name>.json`: its text as the owner wrote it, and as the page shows it."""

    updated_at: Time
    markdown: str
    content: tuple[PageElement | str, ...]


class PageIndex(Struct, frozen=True):
    """The file `pages/index.json`: the names of the published pages, in the order of the footer."""

    pages: tuple[str, ...]
