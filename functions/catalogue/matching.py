"""Finding a title's description, in its sidecar, in OMDb or in its file name, and scheduling the next attempt.

Invalid input raises no error here; the result contains a reason and, if a retry may help, the time of the retry.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from functions.catalogue.artwork import ArtworkOrigin, ArtworkPicture
from functions.catalogue.model import DescriptionSource, Details, Metadata
from functions.catalogue.names import guess, shown_name
from functions.catalogue.omdb import Found, Miss, Missed
from functions.catalogue.pictures import BrokenPicture, pictures_from_backdrop, pictures_from_poster
from functions.catalogue.posters import PosterRefused
from functions.catalogue.search import words
from functions.catalogue.sidecar import Description
from functions.platform.errors import NotflixError, NotFound, StoreUnavailable
from functions.platform.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.catalogue.omdb import Choices
    from functions.catalogue.ports import FilmDatabase, Posters, SidecarStore
    from functions.catalogue.sidecar import Sidecars

BACKOFF = {
    Miss.NOT_FOUND: (timedelta(days=1), timedelta(days=7)),
    Miss.REFUSED: (timedelta(hours=1), timedelta(days=1)),
    Miss.BAD_KEY: (timedelta(hours=1), timedelta(days=1)),
    Miss.UNREACHABLE: (timedelta(minutes=5), timedelta(hours=6)),
}
"""The minimum and maximum wait before OMDb is queried again; the wait doubles after each miss."""

ALIKE = 0.75
"""The required similarity of the letters of two names, from 0 to 1, unless one name contains all words of the other."""


KNOWN_FILM = ("Sintel", 2010)
"""A film that both OMDb and its simulator know."""


@dataclass(frozen=True, slots=True)
class Match:
    """The result of matching a film; `miss` is why OMDb was queried without success."""

    details: Details
    metadata: Metadata
    pictures: tuple[ArtworkPicture, ...]
    miss: Miss | None = None


def next_try(now: datetime, why: Miss, *, attempts: int) -> datetime:
    """Return when to query OMDb again after `attempts` consecutive misses; quotas are reset at midnight UTC."""
    if why is Miss.QUOTA:
        return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(0, 5), UTC)
    first, longest = BACKOFF[why]
    return now + min(longest, first * (1 << min(max(attempts - 1, 0), 16)))


class Matcher:
    """Finds descriptions and pictures."""

    def __init__(
        self, sidecars: SidecarStore, films: FilmDatabase, posters: Posters, now: Callable[[], datetime]
    ) -> None:
        self._sidecars = sidecars
        self._films = films
        self._posters = posters
        self._now = now

    def match(self, stem: str, *, attempts: int, imdb_id: str = "") -> Match:
        """Return the best description of the film with this stem; `attempts` is the number of misses so far.

        If an owner has chosen an `imdb_id`, return OMDb's description of this film, whatever a sidecar says.
        """
        beside = self._sidecars.beside(stem)
        guessed = guess(stem)
        given = Description({"imdb_id": imdb_id}) if imdb_id else beside.description
        wanted = given.over(guessed) if given else guessed
        named = replace(wanted, name=wanted.name if given and "name" in given.fields else shown_name(wanted))
        reasons = [beside.reason] if beside.reason else []
        poster_url, miss = None, None
        if given and given.whole:
            details, metadata = named, Metadata(DescriptionSource.SIDECAR, matched=True)
        else:
            answer = self._films.by_id(given.imdb_id) if given and given.imdb_id else self._by_name(wanted)
            if isinstance(answer, Found):
                described = _as_episode(answer.details, wanted)
                details = given.over(described) if given else described
                metadata, poster_url = Metadata(DescriptionSource.OMDB, matched=True), answer.poster_url
            else:
                reasons.append(answer.reason)
                details, miss = named, answer.why
                metadata = Metadata(
                    DescriptionSource.SIDECAR if given and "name" in given.fields else DescriptionSource.FILENAME,
                    retry_at=next_try(self._now(), answer.why, attempts=attempts + 1),
                    attempts=attempts + 1,
                )
        pictures, passing = self._pictures(beside, poster_url, reasons)
        if passing and metadata.retry_at is None:
            again = next_try(self._now(), Miss.UNREACHABLE, attempts=attempts + 1)
            metadata = replace(metadata, retry_at=again, attempts=attempts + 1)
        return Match(details, replace(metadata, reason=" ".join(reasons) or None), tuple(pictures), miss)

    def match_chosen(self, stem: str, imdb_id: str) -> Match:
        """Return OMDb's description of the film that an owner has chosen. Raises NotFound, StoreUnavailable."""
        match = self.match(stem, attempts=0, imdb_id=imdb_id)
        if match.miss:
            raise _error(match.miss, match.metadata.reason or f"There is no film with the id {imdb_id}.")
        return match

    def search_films(self, name: str, *, year: int | None) -> Choices | Missed:
        """Return the films at OMDb whose names contain these words."""
        return self._films.search(name, year=year)

    def fetch_poster(self, stem: str, imdb_id: str) -> tuple[ArtworkPicture, ...]:
        """Put OMDb's poster of a film beside its upload, where later refreshes find it, and return its pictures.

        Raises NotFound if OMDb has none, StoreUnavailable if it does not answer now.
        """
        answer = self._films.by_id(imdb_id)
        if isinstance(answer, Missed):
            raise _error(answer.why, answer.reason)
        if not answer.poster_url:
            raise NotFound(f"OMDb has no poster for {answer.details.name}.")
        try:
            data = self._posters.fetch(answer.poster_url)
            pictures = pictures_from_poster(data, ArtworkOrigin.SIDECAR)
        except PosterRefused as refused:
            raise StoreUnavailable(str(refused)) if refused.passing else NotFound(str(refused)) from None
        except BrokenPicture as broken:
            raise NotFound(f"OMDb's poster cannot be used: {broken}") from None
        self._sidecars.store_poster(stem, data)
        return pictures

    def test_films(self) -> Finding:
        """Return whether OMDb answers with the configured key."""
        name, year = KNOWN_FILM
        answer = self._films.by_name(name, year=year, kind="movie")
        if isinstance(answer, Found):
            return Finding(True, f"OMDb accepts the key and describes {answer.details.name} ({answer.details.year}).")
        return Finding(False, answer.reason)

    def _by_name(self, wanted: Details) -> Found | Missed:
        """Query by name and year, then by name alone, because years in file names are often off by one."""
        answer = self._films.by_name(wanted.name, year=wanted.year, kind=wanted.kind)
        if isinstance(answer, Missed) and answer.why is Miss.NOT_FOUND and wanted.year:
            nearby = self._films.by_name(wanted.name, year=None, kind=wanted.kind)
            if isinstance(nearby, Missed) or _same_film(nearby.details, wanted):
                return nearby
            return answer
        if isinstance(answer, Found) and not _same_film(answer.details, wanted):
            other = f"{answer.details.name} ({answer.details.year})"
            return Missed(Miss.NOT_FOUND, f"OMDb knows only another film with that name: {other}.")
        return answer

    def _pictures(
        self, beside: Sidecars, poster_url: str | None, reasons: list[str]
    ) -> tuple[list[ArtworkPicture], bool]:
        """Return all pictures that can be made, and whether a later attempt may find a poster.

        The reason of each failure is appended to `reasons`.
        """
        pictures: list[ArtworkPicture] = []
        try:
            if beside.backdrop is not None:
                pictures += pictures_from_backdrop(beside.backdrop)
        except BrokenPicture as broken:
            reasons.append(f"Backdrop: {broken}")
        try:
            if beside.poster is not None:
                pictures += pictures_from_poster(beside.poster, ArtworkOrigin.SIDECAR)
            elif poster_url:
                pictures += pictures_from_poster(self._posters.fetch(poster_url), ArtworkOrigin.OMDB)
        except BrokenPicture as broken:
            reasons.append(f"Poster: {broken}")
        except PosterRefused as refused:
            reasons.append(str(refused))
            return pictures, refused.passing
        return pictures, False


def _as_episode(found: Details, wanted: Details) -> Details:
    """Return a description with the wanted episode's series and number, because OMDb's answer lacks the series."""
    if wanted.kind != "episode":
        return found
    if found.kind == "episode":
        return replace(found, series=wanted.series)
    numbered = replace(found, kind="episode", series=found.name, season=wanted.season, episode=wanted.episode)
    return replace(numbered, name=shown_name(numbered))


def _same_film(found: Details, wanted: Details) -> bool:
    """Return whether the found film is the wanted one, rather than one that OMDb considers similar."""
    if wanted.kind == "movie" and wanted.year and found.year and abs(found.year - wanted.year) > 1:
        return False
    ours, theirs = words(wanted.name), words(found.name)
    return bool(ours) and (
        set(ours) <= set(theirs)
        or set(theirs) <= set(ours)
        or difflib.SequenceMatcher(None, " ".join(ours), " ".join(theirs)).ratio() >= ALIKE
    )


def _error(why: Miss, reason: str) -> NotflixError:
    """Return the error for an owner who asked for something that OMDb did not return."""
    return NotFound(reason) if why is Miss.NOT_FOUND else StoreUnavailable(reason)
