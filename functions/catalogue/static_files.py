"""The files of the static catalogue, as JSON; increase `CATALOGUE_FORMAT` whenever their content changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from functions.catalogue.model import Status  # noqa: TC001  # msgspec resolves the annotations
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


class IndexedTitle(Struct, frozen=True, array_like=True):
    """A title in the search index; `genres` and `people` are positions in the lists of the index."""

    id: str
    name: str
    kind: str
    year: int | None
    rated: str | None
    runtime_min: int | None
    status: Status
    card: str | None
    genres: tuple[int, ...]
    people: tuple[int, ...]


class SearchIndex(Struct, frozen=True):
    """The file with all titles for the search in the browser, as short as possible.

    `dialogue` says whether there is an index of what is said in the titles (`dialogue_index`).
    """

    dialogue: bool
    people: tuple[str, ...]
    genres: tuple[str, ...]
    titles: tuple[IndexedTitle, ...]

    @classmethod
    def of(cls, titles: Iterable[Title]) -> Self:
        """Return the index of all listed titles."""
        people: dict[str, int] = {}
        genres: dict[str, int] = {}
        indexed = []
        has_dialogue = False
        for title in titles:
            has_dialogue |= bool(title.playback and title.playback.complete and title.playback.subtitles)
            details, artwork = title.details, title.artwork
            indexed.append(
                IndexedTitle(
                    title.id,
                    details.name,
                    details.kind,
                    details.year,
                    details.rated,
                    title.runtime_min,
                    title.status,
                    artwork.card or artwork.backdrop or artwork.poster,
                    tuple(genres.setdefault(genre, len(genres)) for genre in details.genres),
                    tuple(people.setdefault(person, len(people)) for person in details.people),
                )
            )
        return cls(has_dialogue, tuple(people), tuple(genres), tuple(indexed))


class TitleDialogue(Struct, frozen=True):
    """What is said in a title: the seconds of each word, or none for a frequent word."""

    words: dict[str, tuple[int, ...]]


class DialogueShard(Struct, frozen=True):
    """The titles in which words are said; the values of `words` are positions in `titles`."""

    titles: tuple[str, ...]
    words: dict[str, tuple[int, ...]]


class PublishedTitle(PublicTitle, frozen=True, kw_only=True):
    """The file of a title's page: the title, whether its trailer can be played, and the titles most similar to it."""

    trailer: bool
    more: tuple[Card, ...]

    @classmethod
    def with_similar(cls, title: Title, similar: Sequence[Title], *, trailer: bool = False) -> Self:
        """Return the file of a title."""
        public = PublicTitle.of(title)
        more = tuple(map(Card.of, similar))
        return cls(**{name: getattr(public, name) for name in public.__struct_fields__}, trailer=trailer, more=more)


FILES = (HomePage, SearchList, SearchIndex, PublishedTitle, TitleDialogue, DialogueShard)
