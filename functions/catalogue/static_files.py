"""The files of the static catalogue, as JSON; increase `CATALOGUE_FORMAT` whenever their content changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from functions.catalogue.schemas import Card, PublicTitle, card_values
from functions.platform.field_types import Time  # noqa: TC001  # msgspec resolves the annotations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from functions.catalogue.model import Title


class HomeRow(Struct, frozen=True):
    """A row of the home page."""

    id: str
    name: str
    titles: tuple[Card, ...]


class HomePage(Struct, frozen=True):
    """The file of the home page: the large title at the top, and rows, none of which is empty."""

    generated_at: Time
    hero: Card | None
    rows: tuple[HomeRow, ...]


class SearchEntry(Card, frozen=True):
    """An entry of the search page: a card and the people."""

    people: tuple[str, ...]

    @classmethod
    def of(cls, title: Title) -> Self:
        """Return the entry of a title."""
        return cls(**card_values(title), people=title.details.people)


class SearchList(Struct, frozen=True):
    """The file with all entries for the search page."""

    titles: tuple[SearchEntry, ...]

    @classmethod
    def of(cls, titles: Iterable[Title]) -> Self:
        """Return the file for all listed titles."""
        return cls(tuple(map(SearchEntry.of, titles)))


class PublishedTitle(PublicTitle, frozen=True, kw_only=True):
    """The file of a title's page: the title, and the titles most similar to it."""

    more: tuple[Card, ...]

    @classmethod
    def with_similar(cls, title: Title, similar: Sequence[Title]) -> Self:
        """Return the file of a title."""
        public = PublicTitle.of(title)
        more = tuple(map(Card.of, similar))
        return cls(**{name: getattr(public, name) for name in public.__struct_fields__}, more=more)


FILES = (HomePage, SearchList, PublishedTitle)
