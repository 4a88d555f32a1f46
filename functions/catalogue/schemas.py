"""The JSON of titles: the fields that requests may set, and the answers of the API.

Each field of a description is declared twice: in `TitleFields` for answers, and in `DescriptionForm` for input.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from functions.catalogue.certificates import is_suitable
from functions.catalogue.model import Artwork, Rating, Status
from functions.catalogue.text import ONE_LINE, PARAGRAPHS, shortened
from functions.platform.decoding import convert
from functions.platform.errors import Malformed
from functions.platform.field_types import Cursor, Limit, NextCursor, Time
from functions.platform.pagination import DEFAULT_LIMIT

if TYPE_CHECKING:
    from typing import Self

    from functions.catalogue.model import Title

CATALOGUE_FORMAT = 5
"""The format of the static catalogue's files (`static_files`); increase it whenever their content changes.

Files in an older format are written again. Instances of an older release leave files in a newer format unchanged.
"""

CARD_PLOT_LENGTH = 240

FAILED = "This film could not be prepared for playback."
"""The public text for a failed encode; the owner sees the reason in the job."""

Text = Annotated[str, Meta(max_length=300, pattern=ONE_LINE)]
Texts = Annotated[list[Text], Meta(max_length=100)] | Annotated[str, Meta(max_length=3000)]
"""A list, or one string with comma-separated entries, because people write both.

msgspec 0.22 corrupts memory if a union contains a list and a string with a pattern, so the entries of a string are
validated when the string is split.
"""

ImdbId = Annotated[str, Meta(pattern=r"^tt\d{5,10}$")]
TitleKind = Literal["movie", "series", "episode"]
Search = Annotated[str, Meta(max_length=200)]


class GivenRating(Struct, frozen=True):
    """A rating in the notation of its source."""

    source: Text
    value: Text


class DescriptionForm(Struct, frozen=True, kw_only=True):
    """A description in the format of `film.json`; every field may be omitted, and unknown fields are ignored."""

    year: Annotated[int, Meta(ge=1870, le=2200)] | UnsetType | None = UNSET
    kind: TitleKind | UnsetType = UNSET
    series: Text | UnsetType | None = UNSET
    season: Annotated[int, Meta(ge=0, le=9999)] | UnsetType | None = UNSET
    episode: Annotated[int, Meta(ge=0, le=9999)] | UnsetType | None = UNSET
    rated: Text | UnsetType | None = UNSET
    released: Text | UnsetType | None = UNSET
    runtime_min: Annotated[int, Meta(ge=1, le=100000)] | UnsetType | None = UNSET
    genres: Texts | UnsetType | None = UNSET
    directors: Texts | UnsetType | None = UNSET
    writers: Texts | UnsetType | None = UNSET
    actors: Texts | UnsetType | None = UNSET
    plot: Annotated[str, Meta(max_length=5000, pattern=PARAGRAPHS)] | UnsetType | None = UNSET
    languages: Texts | UnsetType | None = UNSET
    countries: Texts | UnsetType | None = UNSET
    awards: Text | UnsetType | None = UNSET
    ratings: Annotated[list[GivenRating], Meta(max_length=20)] | UnsetType | None = UNSET
    imdb_id: ImdbId | UnsetType | None = UNSET
    imdb_rating: Annotated[float, Meta(ge=0, le=10)] | UnsetType | None = UNSET
    imdb_votes: Annotated[int, Meta(ge=0, le=10000000000)] | UnsetType | None = UNSET

    def values(self) -> dict[str, Any]:
        """Return the fields that are present, in the form of `Details`; None or an empty tuple clears a field.

        Raises Malformed if an entry of a comma-separated string is not one line of printable characters.
        """
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: _value(name, value) for name, value in given.items() if value is not UNSET}


class TitleEdit(DescriptionForm, frozen=True, forbid_unknown_fields=True):
    """Fields to set by hand; null clears a field. Later refreshes do not overwrite them."""

    name: Text | UnsetType = UNSET


class SidecarForm(DescriptionForm, frozen=True):
    """The content of `film.json`."""

    title: Text | UnsetType | None = UNSET
    kind: TitleKind | UnsetType | None = UNSET  # type: ignore[assignment]


class TitleQuery(Struct, frozen=True):
    """Which titles to list."""

    q: Annotated[
        Search,
        Meta(description="Words of name, people or genres; the last may be unfinished. Case and accents are ignored."),
    ] = ""
    genre: Annotated[Search, Meta(description="Only titles of this genre.")] = ""
    cursor: Cursor = ""
    limit: Limit = DEFAULT_LIMIT


class OwnerTitleQuery(TitleQuery, frozen=True):
    """Which titles to list for an owner."""

    unrated: Annotated[bool, Meta(description="Only titles that profiles with an age limit never see.")] = False


class Card(Struct, frozen=True):
    """A title in the short form shown on shelves."""

    id: str
    name: str
    year: int | None
    kind: TitleKind
    rated: str | None
    runtime_min: int | None
    genres: tuple[str, ...]
    plot: str | None
    status: Status
    artwork: Artwork

    @classmethod
    def of(cls, title: Title) -> Self:
        """Return the card of a title."""
        return cls(**card_values(title))

    def is_suitable(self, age_limit: int | None) -> bool:
        """Return whether a profile with an age limit may play the title."""
        return is_suitable(self.rated, age_limit)


class TitleFields(Struct, frozen=True, kw_only=True):
    """The description of a title; an unknown value is null or empty."""

    name: str
    year: int | None
    kind: TitleKind
    series: Annotated[str | None, Meta(description="The series that an episode belongs to.")]
    season: int | None
    episode: int | None
    rated: str | None
    released: str | None
    runtime_min: int | None
    genres: tuple[str, ...]
    directors: tuple[str, ...]
    writers: tuple[str, ...]
    actors: tuple[str, ...]
    plot: str | None
    languages: tuple[str, ...]
    countries: tuple[str, ...]
    awards: str | None
    ratings: tuple[Rating, ...]
    imdb_id: str | None
    imdb_rating: float | None
    imdb_votes: int | None


class MetadataOrigin(Struct, frozen=True):
    """The source of the description, and whether the film was recognised."""

    source: Literal["sidecar", "omdb", "filename"]
    matched: bool


class OwnerMetadata(MetadataOrigin, frozen=True):
    """The source of the description, and why it is not better."""

    reason: str | None


class TitleRendition(Struct, frozen=True):
    """A playable rung; sizes are in pixels."""

    name: str
    width: int
    height: int
    kbps: Annotated[int, Meta(description="The peak bitrate.")]


class TitleSubtitles(Struct, frozen=True):
    """A subtitle track."""

    name: str
    language: str
    label: str


class TitlePlayback(Struct, frozen=True):
    """The playable files of a title; until `complete` is true, `duration_s` is the planned length."""

    job_id: str
    duration_s: float
    width: int
    height: int
    renditions: tuple[TitleRendition, ...]
    audio: tuple[str, ...]
    subtitles: tuple[TitleSubtitles, ...]
    thumbnails: bool
    complete: bool


class PublicTitle(TitleFields, frozen=True, kw_only=True):
    """All public information about a title."""

    id: str
    metadata: MetadataOrigin
    artwork: Artwork
    status: Status
    failure: Annotated[str | None, Meta(description="A sentence, if the newest encode failed.")]
    playback: TitlePlayback | None
    added_at: Time

    @classmethod
    def of(cls, title: Title) -> Self:
        """Return the public form of a title."""
        origin = MetadataOrigin(title.metadata.source.value, title.metadata.matched)
        return cls(**_title_values(title), metadata=origin, failure=FAILED if title.failure else None)


class TrailedTitle(Struct, frozen=True):
    """The title that a trailer belongs to; without a name, there is no such title yet."""

    id: str
    name: str | None


class OwnerTitle(TitleFields, frozen=True, kw_only=True):
    """A title as owners see it, including why its encode failed."""

    id: str
    stem: Annotated[str, Meta(description="The name of the upload without its extension; sidecars begin with it.")]
    metadata: OwnerMetadata
    artwork: Artwork
    status: Status
    failure: Annotated[str | None, Meta(description="Why the newest encode failed.")]
    playback: TitlePlayback | None
    added_at: Time
    draft: Annotated[bool, Meta(description="Whether only owners see the title, until it is released.")]
    trailer_of: Annotated[TrailedTitle | None, Meta(description="Only for a trailer: the title that it belongs to.")]

    @classmethod
    def of(cls, title: Title, trailed: Title | None = None) -> Self:
        """Return a title as owners see it; `trailed` is the title that a trailer belongs to, if it exists."""
        kept = title.metadata
        values = _title_values(title) | {"stem": title.stem, "failure": title.failure, "draft": title.draft}
        values["metadata"] = OwnerMetadata(kept.source.value, kept.matched, kept.reason)
        name = trailed.details.name if trailed else None
        return cls(**values, trailer_of=TrailedTitle(title.trailer_of, name) if title.trailer_of else None)


class TitleProgress(Struct, frozen=True):
    """The progress of a title's newest encode; times are in seconds; `eta_s` is null while it cannot be estimated."""

    status: Literal["receiving", "queued", "planning", "encoding", "ready", "failed"]
    reason: Annotated[str | None, Meta(description="A sentence, if the encode failed.")]
    percent: Annotated[float, Meta(ge=0, le=100)]
    front_s: Annotated[float, Meta(description="Up to where the title plays.")]
    duration_s: float | None
    eta_s: float | None
    uploaded_percent: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="How much of the film has arrived while it is uploaded; null once all of it has."),
    ]


class TitleWithProgress(PublicTitle, frozen=True, kw_only=True):
    """A title, and the progress of its newest encode, or null if there is none."""

    progress: TitleProgress | None

    @classmethod
    def with_progress(cls, title: Title, progress: object | None) -> Self:
        """Return the public form of a title with `progress`, an object with the fields of `TitleProgress`."""
        public = PublicTitle.of(title)
        shown = None
        if progress is not None:
            values = {name: getattr(progress, name) for name in TitleProgress.__struct_fields__}
            shown = TitleProgress(**{**values, "reason": FAILED if values["reason"] else None})
        return cls(**{name: getattr(public, name) for name in public.__struct_fields__}, progress=shown)


class TitlePage(Struct, frozen=True):
    """A page of titles, newest first."""

    titles: list[PublicTitle]
    cursor: NextCursor


class OwnerTitlePage(Struct, frozen=True):
    """A page of titles as owners see them, newest first."""

    titles: list[OwnerTitle]
    cursor: NextCursor


class NextEpisode(Struct, frozen=True):
    """The next episode that can be watched, or null after the last one and for films."""

    next: Card | None


class FilmSearch(Struct, frozen=True):
    """What to search for at OMDb."""

    q: Annotated[str, Meta(min_length=1, max_length=200, description="Words of the name.")]
    year: Annotated[int, Meta(ge=1870, le=2200)] | None = None


class FilmAtOmdb(Struct, frozen=True):
    """A film or series at OMDb."""

    imdb_id: str
    name: str
    year: int | None
    kind: TitleKind


class FilmsAtOmdb(Struct, frozen=True):
    """The films that a search has found, best match first."""

    films: list[FilmAtOmdb]
    reason: Annotated[str | None, Meta(description="Why OMDb gives no answer; null if it has answered.")]


class TitleMatch(Struct, frozen=True):
    """The film at OMDb that a title is to be described as."""

    imdb_id: ImdbId


class Republication(Struct, frozen=True):
    """The number of pages of the static catalogue that wait to be written."""

    waiting: int


def card_values(title: Title) -> dict[str, Any]:
    """Return the fields of a card."""
    details = title.details
    return {
        "id": title.id,
        "name": details.name,
        "year": details.year,
        "kind": details.kind,
        "rated": details.rated,
        "runtime_min": title.runtime_min,
        "genres": details.genres,
        "plot": details.plot and shortened(details.plot, CARD_PLOT_LENGTH),
        "status": title.status,
        "artwork": title.artwork,
    }


def _title_values(title: Title) -> dict[str, Any]:
    """Return the fields that a title has both for the public and for owners."""
    playback = title.playback if title.watchable else None
    return {
        **{name: getattr(title.details, name) for name in TitleFields.__struct_fields__},
        "id": title.id,
        "runtime_min": title.runtime_min,
        "artwork": title.artwork,
        "status": title.status,
        "playback": convert(playback, TitlePlayback, from_attributes=True) if playback else None,
        "added_at": title.added_at,
    }


_LISTS = ("genres", "directors", "writers", "actors", "languages", "countries")


def _value(name: str, value: Any) -> Any:
    """Convert a field's value to the type that `Details` uses. Raises Malformed if it is invalid."""
    if name == "ratings":
        return tuple(Rating(each.source.strip(), each.value.strip()) for each in value or ())
    if name in _LISTS:
        parts = _split(name, value) if isinstance(value, str) else value or ()
        return tuple(part.strip() for part in parts)
    return value.strip() if isinstance(value, str) else value


def _split(name: str, text: str) -> list[str]:
    parts = [part for part in text.split(",") if part.strip()]
    if not all(re.match(ONE_LINE, part) for part in parts):
        raise Malformed(f"`{name}`: The entries must be single lines of printable characters.")
    return parts
