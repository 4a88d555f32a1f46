"""Operations on the catalogue for other slices: open titles, record their encodes, add descriptions and artwork, read.

Every change is applied to the title that was read, and saved only if its revision has not changed since, so concurrent
changes never overwrite each other. A publicly visible change marks the title as unpublished and requests publication.
While the title is unpublished, a repeated call repeats the request, so a crash between saving and requesting loses
nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.certificates import age_of
from functions.catalogue.model import Details, Metadata, Playback, Status, Title
from functions.catalogue.names import guess, shown_name
from functions.catalogue.schemas import PublicTitle
from functions.catalogue.search import MAX_WORDS, Search, genre_key, is_alike, read_search, series_key, words
from functions.platform import pagination
from functions.platform.errors import Malformed, NotFound
from functions.platform.identifiers import title_id_of, trailed_stem, trailer_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.catalogue.artwork import ArtworkPicture, ArtworkStore
    from functions.catalogue.matching import Matcher
    from functions.catalogue.model import SkippablePart
    from functions.catalogue.omdb import Choices, Missed
    from functions.catalogue.ports import CatalogueDependencies, TitleStore
    from functions.catalogue.schemas import TitleEdit
    from functions.platform.finding import Finding

FIRST_FETCH = timedelta(minutes=15)
"""How long fetching a new title's description may take before the timer requests it again."""

REQUEST_PATIENCE = timedelta(days=1)
"""How long to wait, after a description was requested or could not be fetched, before requesting it again."""

UNRATED_BATCH = 500
"""How many titles are read at a time to find those without an age rating."""


class Catalogue:
    """The titles and all changes to them; the matcher is created when it is first needed.

    With `reviewed`, new titles are drafts until the owner releases them.
    """

    def __init__(
        self,
        titles: TitleStore,
        matcher: Callable[[], Matcher],
        artwork: ArtworkStore,
        dependencies: CatalogueDependencies,
        *,
        reviewed: bool = False,
    ) -> None:
        self._titles = titles
        self._matcher = matcher
        self._artwork = artwork
        self._dependencies = dependencies
        self._reviewed = reviewed

    def test_descriptions(self) -> Finding:
        """Return whether OMDb, the source of descriptions, answers."""
        return self._matcher().test_films()

    def open_title(self, title_id: str, *, stem: str, status: Status) -> Title:
        """Return the title; a new title is described by its stem until its description is fetched."""
        self._add_title(title_id, stem=stem, status=status)
        return self._change(title_id, lambda title: title.reopened(status))

    def claim_title(
        self, title_id: str, *, stem: str, film: str, over: str | None, is_late: Callable[[], bool] = lambda: False
    ) -> Title | None:
        """Open the title of an upload `film` for encoding, unless it is made from another upload than `over`.

        `film` of the returned title is the upload that claimed it; if several arrive at once, the first one wins.
        Return None and leave the title unchanged if `is_late` returns true after the title was read: a delayed call
        must not undo what has happened since.
        """
        self._add_title(title_id, stem=stem, status=Status.ENCODING)
        late = False

        def claim(title: Title) -> Title:
            nonlocal late
            late = is_late()
            as_draft = self._reviewed and title.trailer_of is None
            return title if late else title.made_from(film, over=over, as_draft=as_draft)

        claimed = self._change(title_id, claim)
        return None if late else claimed

    def permit_film(self, title_id: str, film: str) -> None:
        """Permit an upload that has not arrived yet to replace the film of a title."""
        self._change(title_id, lambda title: replace(title, film=film))

    def _add_title(self, title_id: str, *, stem: str, status: Status) -> None:
        if self._titles.get(title_id) is not None:
            return
        trailed = trailed_stem(stem)
        guessed = guess(trailed or stem)
        now = self._dependencies.now()
        title = Title(
            id=title_id,
            stem=stem,
            details=replace(guessed, name=shown_name(guessed)),
            metadata=Metadata(retry_at=now + FIRST_FETCH),
            status=status,
            added_at=now,
            updated_at=now,
            draft=self._reviewed,
        )
        if trailed:  # described and released by its title
            details = Details(f"Trailer: {title.details.name}", guessed.year)
            title = replace(title, details=details, metadata=Metadata(), draft=False, trailer_of=title_id_of(trailed))
        self._titles.add(title)

    def mark_encoding(self, title_id: str) -> Title:
        """Record that an encode is in progress; a complete earlier version stays online."""
        return self._change(title_id, lambda title: title.encoding())

    def mark_failed(self, title_id: str, reason: str) -> Title:
        """Record that the encode failed, and why; a complete earlier version stays online."""
        return self._change(title_id, lambda title: title.failed(reason))

    def mark_damaged(self, title_id: str, job_id: str) -> Title:
        """Record that storage has lost playable files of a job; the title is complete again after their repair."""
        return self._change(title_id, lambda title: title.damaged(job_id))

    def mark_lost(self, title_id: str, job_id: str, reason: str) -> Title:
        """Record that storage has lost all playable files of a job, and that they cannot be encoded again."""
        return self._change(title_id, lambda title: title.lost(job_id, reason))

    def mark_playable(self, title_id: str, playback: Playback, *, complete: bool) -> Title:
        """Record the playable files of a title; a complete version is replaced only by another complete one."""
        return self._change(title_id, lambda title: title.playable(playback, complete=complete))

    def mark_skippable(self, title_id: str, job_id: str, parts: tuple[SkippablePart, ...]) -> Title:
        """Record the parts that viewers may skip, unless the title no longer plays the files of this job."""
        return self._change(title_id, lambda title: title.with_skippable(job_id, parts))

    def attach_frame(self, title_id: str, jpeg: bytes) -> Title:
        """Use a still of the film where there is no better picture; if the still is invalid, record only why."""
        from functions.catalogue.pictures import BrokenPicture, pictures_from_frame

        try:
            pictures = pictures_from_frame(jpeg)
        except BrokenPicture as broken:
            reason = f"The still of the film cannot be used: {broken}"
            return self._change(title_id, lambda title: title.remarked(reason))
        return self._store_pictures(title_id, pictures)

    def refresh_metadata(self, title_id: str, stem: str) -> Title:
        """Refresh description and artwork from sidecars, OMDb or the file name; open the title if it is new.

        A trailer has no description of its own.
        """
        title = self._titles.get(title_id) or self.open_title(title_id, stem=stem, status=Status.ANNOUNCED)
        if title.trailer_of:
            return title
        chosen = str(title.edits.get("imdb_id") or "")
        match = self._matcher().match(stem, attempts=title.metadata.attempts, imdb_id=chosen)
        self._change(title_id, lambda seen: seen.described(match.details, match.metadata))
        return self._store_pictures(title_id, match.pictures)

    def request_due(self, *, limit: int = 50) -> int:
        """Request every description that is due, and postpone its next request; return the number of titles."""
        now = self._dependencies.now()
        due = self._titles.due(now, limit=limit)
        for title in due:
            self._dependencies.fetch(title.id, title.stem)
            self._change(title.id, lambda seen: seen.remarked(seen.metadata.reason, retry_at=now + REQUEST_PATIENCE))
        return len(due)

    def record_metadata_failure(self, title_id: str, reason: str) -> None:
        """Record in the title why its description could not be fetched, and when to retry."""
        again = self._dependencies.now() + REQUEST_PATIENCE
        self._change(title_id, lambda title: title.remarked(reason, retry_at=again))

    def edit_title(self, title_id: str, edit: TitleEdit) -> Title:
        """Set fields of a title's details by hand; refreshes do not overwrite them. Raises NotFound, Malformed."""
        changes = edit.values()
        self._described(title_id)
        if not changes:
            raise Malformed("There is nothing to change.")
        return self._change(title_id, lambda title: title.edited(changes))

    def search_films(self, name: str, *, year: int | None) -> Choices | Missed:
        """Return the films in the database of descriptions whose names contain these words."""
        return self._matcher().search_films(name, year=year)

    def rematch_title(self, title_id: str, imdb_id: str) -> Title:
        """Describe a title as the film with an IMDb id, now and at later refreshes; fields set by hand are kept.

        Raises NotFound if there is no such title or film, StoreUnavailable if OMDb does not answer now.
        """
        title = self._described(title_id)
        match = self._matcher().match_chosen(title.stem, imdb_id)
        chosen = {"imdb_id": imdb_id}
        self._change(title_id, lambda seen: seen.edited(chosen).described(match.details, match.metadata))
        return self._store_pictures(title_id, match.pictures)

    def use_omdb_poster(self, title_id: str) -> Title:
        """Use OMDb's poster instead of the one that was uploaded. Raises NotFound, StoreUnavailable."""
        title = self._described(title_id)
        if not title.details.imdb_id:
            raise NotFound("This title is not matched to a film on OMDb. Choose its film first.")
        return self._store_pictures(title_id, self._matcher().fetch_poster(title.stem, title.details.imdb_id))

    def withdraw_title(self, title_id: str) -> list[str]:
        """Remove a title and its trailer from the catalogue; their uploads are kept. Return the ids of both.

        `EncodeService.end_withdrawn` deletes their films.
        """
        title = self._change(title_id, lambda title: title.withdrawn())
        self._artwork.remove_artwork(title_id)
        trailer = self.find_trailer(title)
        return [title_id, *(self.withdraw_title(trailer.id) if trailer else ())]

    def release_title(self, title_id: str) -> Title:
        """Make a draft visible to everybody; any other title is unchanged. Raises NotFound."""
        self._described(title_id)
        return self._change(title_id, lambda title: title.released())

    def announced_like(self, stem: str) -> tuple[list[Title], bool]:
        """Return the announced titles whose film an upload with this stem may be, and whether the match is certain.

        It is certain if there is exactly one, and its name, year and episode number are those in the stem.
        """
        guessed = guess(stem)
        if key := series_key(guessed.series):
            found = self._titles.episodes(key)
        else:
            search = Search(tuple(words(guessed.name)[:MAX_WORDS]))
            found = self._titles.find_page(search, below=None, limit=pagination.LARGEST_LIMIT, drafts=True)
        alike = [title for title in found if title.status is Status.ANNOUNCED and is_alike(title.details, guessed)]
        return alike, len(alike) == 1 and alike[0].details.year == guessed.year

    def get(self, title_id: str, *, drafts: bool = False) -> Title:
        """Return a title. Raises NotFound if it does not exist or is withdrawn.

        Without `drafts`, it also raises NotFound for a draft or a trailer, which only owners see as titles.
        """
        title = self._titles.get(title_id)
        if title is None or title.status is Status.WITHDRAWN or not (title.public or drafts):
            raise NotFound(f"There is no title “{title_id}”.")
        return title

    def _described(self, title_id: str) -> Title:
        """Return a title, which may be a draft, but not a trailer. Raises NotFound."""
        title = self.get(title_id, drafts=True)
        if title.trailer_of:
            raise NotFound("This is a trailer, which is described and published by its title.")
        return title

    def find_trailer(self, title: Title) -> Title | None:
        """Return the trailer of a title, withdrawn or not; None if there never was one."""
        found = self._titles.get(trailer_id_of(title.stem))
        return found if found and found.trailer_of == title.id else None

    def find_title(self, title_id: str) -> Title | None:
        """Return a title, withdrawn or not; None if it never existed."""
        return self._titles.get(title_id)

    def titles_in_order(self, *, after: str, limit: int) -> list[Title]:
        """Return titles sorted by id, starting after the id `after`; withdrawn titles are included."""
        return self._titles.in_order(after=after, limit=limit)

    def count_titles(self) -> int:
        """Return the approximate number of titles."""
        return self._titles.count()

    def best_titles(self, *, genre: str = "", limit: int) -> list[Title]:
        """Return watchable titles, highest rated first, then newest; of any genre if `genre` is empty."""
        return self._titles.best(genre=genre_key(genre), limit=limit)

    def known(self, title_ids: Iterable[str], *, drafts: bool = False) -> dict[str, Title]:
        """Return the titles with these ids, keyed by id; only public ones.

        With `drafts`, drafts and trailers are included.
        """
        wanted = list(dict.fromkeys(title_ids))
        found = self._titles.some(wanted) if wanted else []
        return {title.id: title for title in found if title.public or (drafts and title.status is not Status.WITHDRAWN)}

    def list_ids(self) -> list[str]:
        """Return the ids of all titles, drafts included, that are not withdrawn."""
        return self._titles.ids()

    def next_episode(self, title_id: str) -> Title | None:
        """Return the next episode that can be watched, or None after the last one and for films. Raises NotFound."""
        details = self.get(title_id).details
        key, number = series_key(details.series), details.number
        if key is None or number is None:
            return None
        later = {other.details.number: other for other in self._titles.episodes(key) if other.watchable}
        after = min((each for each in later if each is not None and each > number), default=None)
        return later[after] if after else None

    def season_of(self, title_id: str) -> list[Title]:
        """Return the complete episodes of the season of a title, in order; none if it is no complete episode of one."""
        title = self._titles.get(title_id)
        key = series_key(title.details.series) if title else None
        if title is None or key is None or title.details.season is None:
            return []
        found = (other for other in self._titles.episodes(key) if other.details.season == title.details.season)
        ready = [each for each in found if each.status is Status.READY and each.playback and each.playback.complete]
        if not any(other.id == title_id for other in ready):
            return []
        return sorted(ready, key=lambda other: (other.details.episode is None, other.details.episode or 0, other.id))

    def list_titles(
        self,
        query: str = "",
        genre: str = "",
        *,
        cursor: str = "",
        limit: int = pagination.DEFAULT_LIMIT,
        drafts: bool = False,
        unrated: bool = False,
    ) -> pagination.Page[Title]:
        """Return a page of the listed titles that match, newest first. Raises Malformed for an invalid cursor.

        `drafts` includes drafts and trailers; with `unrated`, only titles without a known age rating are listed.
        """
        below = pagination.position_of(cursor, form=pagination.TITLE_POSITION)
        search = read_search(query, genre)
        size = UNRATED_BATCH if unrated else limit + 1
        found: list[Title] = []
        while len(found) <= limit:
            batch = self._titles.find_page(search, below=below, limit=size, drafts=drafts)
            found += [title for title in batch if not unrated or _is_unrated(title)]
            if len(batch) < size:
                break
            below = _position(batch[-1])
        return pagination.page_of(found, limit=limit, position=_position)

    def _store_pictures(self, title_id: str, pictures: Iterable[ArtworkPicture]) -> Title:
        """Store pictures, and record in the title which pictures exist now."""
        for picture in pictures:
            self._artwork.put_artwork(title_id, picture)
        pictured = self._change(title_id, lambda title: title.pictured(self._artwork.find_artwork(title_id)))
        if pictured.status is Status.WITHDRAWN:  # the title may have been withdrawn in the meantime
            self._artwork.remove_artwork(title_id)
        return pictured

    def _change(self, title_id: str, change: Callable[[Title], Title]) -> Title:
        """Apply `change` to the current title and save it, retrying after concurrent changes; return the result."""
        while True:
            seen = self._titles.get(title_id)
            if seen is None:
                raise NotFound(f"There is no title “{title_id}”.")
            changed = change(seen)
            if changed == seen:
                break
            changed = replace(
                changed,
                published=seen.published
                and changed.draft == seen.draft
                and PublicTitle.of(changed) == PublicTitle.of(seen),
                updated_at=self._dependencies.now(),
                revision=seen.revision + 1,
            )
            if self._titles.save(changed, over=seen.revision):
                break
        if not changed.published:
            self._dependencies.announce()
        return changed


def _is_unrated(title: Title) -> bool:
    """Return whether a title has no known age rating; a trailer has that of its title."""
    return title.trailer_of is None and age_of(title.details.rated) is None


def _position(title: Title) -> str:
    return pagination.title_position(title.added_at, title.id)
