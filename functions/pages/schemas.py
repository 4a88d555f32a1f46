"""The JSON of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from functions.platform.field_types import Time

if TYPE_CHECKING:
    from typing import Self

    from functions.pages.model import OwnerText, PageName

PageId = Literal["help", "contact", "terms", "privacy", "imprint"]


class OwnerPage(Struct, frozen=True):
    """A page and its text; the text is empty, and the other fields are null, if the page is not published."""

    name: PageId
    markdown: str
    updated_at: Time | None
    version: Annotated[str | None, Meta(description="Identifies the text; it is sent back with the next one.")]

    @classmethod
    def of(cls, name: PageName, text: OwnerText | None) -> Self:
        """Return the answer for a page."""
        if text is None:
            return cls(name.value, "", None, None)
        return cls(name.value, text.markdown, text.updated_at, text.version)


class OwnerPages(Struct, frozen=True):
    """All pages, in the order of the footer."""

    pages: tuple[OwnerPage, ...]


class RemovalQuery(Struct, frozen=True):
    """Which text to remove from the site."""

    version: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(description="The version of the page that was read; absent for a page without a text."),
    ] = None


class PageEdit(Struct, frozen=True):
    """A new text in Markdown (CommonMark with tables), and the version of the page that it replaces."""

    markdown: Annotated[str, Meta(min_length=1, max_length=100_000)]
    version: Annotated[
        Annotated[str, Meta(max_length=200)] | None, Meta(description="Null for a page without a text.")
    ] = None
