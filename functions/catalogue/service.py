"""The catalogue as other slices see it: open a title, say how its encode goes, describe it, picture it, read it.

Every change is made to the title as it was read and saved only over that revision, so changes made at once never
overwrite each other. One that the public sees leaves the title unpublished and asks for publication; a repeated call
asks again while the title is unpublished, so that a crash between the two loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.artwork import BrokenPicture, pictures_from_frame
from functions.catalogue.model import Metadata, Playback, Status, Title
from functions.catalogue.names import guess, shown_name
from functions.catalogue.search import cursor_after, genre_key, position_of, read_cursor, read_search, series_key
from functions.catalogue.sidecar import read_edit
from functions.catalogue.views import public_title
from functions.platform.errors import Malformed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from functions.catalogue.artwork import Gallery, Picture
    from functions.catalogue.matching import Matcher
    from functions.catalogue.repository import Titles

PAGE_LIMIT = 100

FIRST_FETCH = timedelta(minutes=15)
"""How long the description of a new title may take before the timer asks for it again."""

REQUEST_PATIENCE = timedelta(days=1)
"""How long a description that was asked for, or could not be fetched at all, is left before it is asked for again."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of titles, and the cursor of the next one unless this is the last."""

    titles: tuple[Title, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Outside:
    """What the catalogue asks of the rest.

    `announce` says that something is to be published, `fetch` asks for a title's description (both by queue),
    `drop_container` deletes what plays a title.
    """

    announce: Callable[[], None]
    fetch: Callable[[str, str], None]
    drop_container: Callable[[str], None]
    now: Callable[[], datetime]


class Catalogue:
    """The titles, and every change to them."""

    def __init__(self, titles: Titles, matcher: Matcher, gallery: Gallery, outside: Outside) -> None:
        self._titles = titles
        self._matcher = matcher
        self._gallery = gallery
        self._outside = outside

    def open_title(self, title_id: str, *, stem: str, status: Status) -> Title:
        """Return the title, made with what the stem says if it is new; its description is fetched later."""
        if self._titles.get(title_id) is None:
            guessed = guess(stem)
            now = self._outside.now()
            self._titles.add(
                Title(
                    id=title_id,
                    stem=stem,
                    details=replace(guessed, name=shown_name(guessed)),
                    metadata=Metadata(retry_at=now + FIRST_FETCH),
                    status=status,
                    added_at=now,
                    updated_at=now,
                )
            )
        return self._change(title_id, lambda title: title.reopened(status))

    def mark_encoding(self, title_id: str) -> Title:
        """Say that an encode is under way; a complete earlier version stays on line."""
        return self._change(title_id, lambda title: title.encoding())

    def mark_failed(self, title_id: str, reason: str) -> Title:
        """Say that the encode failed, and why; a complete earlier version stays on line."""
        return self._change(title_id, lambda title: title.failed(reason))

    def mark_playable(self, title_id: str, playback: Playback, *, complete: bool) -> Title:
        """Say what plays the title from now on; a complete version is replaced only by a complete one."""
        return self._change(title_id, lambda title: title.playable(playback, complete=complete))

    def attach_frame(self, title_id: str, jpeg: bytes) -> Title:
        """Use a still of the film wherever there is no better picture; a broken one is only a reason on the title."""
        try:
            pictures = pictures_from_frame(jpeg)
        except BrokenPicture as broken:
            reason = f"The still of the film cannot be used: {broken}"
            return self._change(title_id, lambda title: title.remarked(reason))
        return self._hang(title_id, pictures)

    def refresh_metadata(self, title_id: str, stem: str) -> Title:
        """Describe and picture the title anew from its sidecars, OMDb, or its file's name; open it if need be."""
        title = self._titles.get(title_id) or self.open_title(title_id, stem=stem, status=Status.ANNOUNCED)
        match = self._matcher.match(stem, attempts=title.metadata.attempts)
        self._change(title_id, lambda seen: seen.described(match.details, match.metadata))
        return self._hang(title_id, match.pictures)

    def request_due(self, *, limit: int = 50) -> int:
        """Ask for the description of each title whose time has come, and of none twice; return how many they were."""
        now = self._outside.now()
        due = self._titles.due(now, limit=limit)
        for title in due:
            self._outside.fetch(title.id, title.stem)
            self._change(title.id, lambda seen: seen.remarked(seen.metadata.reason, retry_at=now + REQUEST_PATIENCE))
        return len(due)

    def note_metadata_failure(self, title_id: str, reason: str) -> None:
        """Keep on the title why its description could not be fetched, and when that is tried again."""
        again = self._outside.now() + REQUEST_PATIENCE
        self._change(title_id, lambda title: title.remarked(reason, retry_at=again))

    def edit(self, title_id: str, body: Mapping[str, object]) -> Title:
        """Set fields of a title's details by hand; no later refresh changes them back."""
        self.get(title_id)
        changes = read_edit(body)
        return self._change(title_id, lambda title: title.edited(changes))

    def withdraw(self, title_id: str) -> None:
        """Take a title out of the catalogue and delete what plays it; its upload stays."""
        self._change(title_id, lambda title: title.withdrawn())
        self._outside.drop_container(title_id)
        self._gallery.clear(title_id)

    def get(self, title_id: str) -> Title:
        """Return a title; raise NotFound if there is none or it is withdrawn."""
        title = self._titles.get(title_id)
        if title is None or title.status is Status.WITHDRAWN:
            raise NotFound(f"There is no title {title_id!r}.")
        return title

    def find(self, title_id: str) -> Title | None:
        """Return a title as it stands, withdrawn or not; None if there never was one."""
        return self._titles.get(title_id)

    def in_order(self, *, after: str, limit: int) -> list[Title]:
        """Return titles by id from above one on, withdrawn ones too."""
        return self._titles.in_order(after=after, limit=limit)

    def count(self) -> int:
        """Return about how many titles there are."""
        return self._titles.count()

    def best(self, *, genre: str = "", limit: int) -> list[Title]:
        """Return titles that can be watched, the highest rated first, then the newest; of a genre, if one is named."""
        return self._titles.best(genre=genre_key(genre), limit=limit)

    def known(self, title_ids: Iterable[str]) -> dict[str, Title]:
        """Return those of the titles that there are and that are not withdrawn, by id."""
        wanted = list(dict.fromkeys(title_ids))
        found = self._titles.some(wanted) if wanted else []
        return {title.id: title for title in found if title.status is not Status.WITHDRAWN}

    def next_episode(self, title_id: str) -> Title | None:
        """Return the episode after this one that can be watched; None after the last and for a film; raise NotFound."""
        details = self.get(title_id).details
        key, number = series_key(details.series), details.number
        if key is None or number is None:
            return None
        later = {other.details.number: other for other in self._titles.episodes(key) if other.watchable}
        after = min((each for each in later if each is not None and each > number), default=None)
        return later[after] if after else None

    def page(self, query: str = "", genre: str = "", cursor: str = "", limit: int = 24) -> Page:
        """Return titles that match, newest first; raise Malformed for a limit or cursor that cannot be."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise Malformed(f"The limit must be from 1 to {PAGE_LIMIT}.")
        below = read_cursor(cursor) if cursor else None
        found = self._titles.page(read_search(query, genre), below=below, limit=limit + 1)
        shown = found[:limit]
        more = len(found) > limit
        return Page(tuple(shown), cursor_after(position_of(shown[-1].id, shown[-1].added_at)) if more else None)

    def _hang(self, title_id: str, pictures: Iterable[Picture]) -> Title:
        """Put pictures up and note on the title what hangs there now."""
        for picture in pictures:
            self._gallery.hang(title_id, picture)
        pictured = self._change(title_id, lambda title: title.pictured(self._gallery.artwork(title_id)))
        if pictured.status is Status.WITHDRAWN:  # it may have been withdrawn while we hung
            self._gallery.clear(title_id)
        return pictured

    def _change(self, title_id: str, change: Callable[[Title], Title]) -> Title:
        """Apply `change` to the title as it is now, again if another change came between; return what stands then."""
        while True:
            seen = self._titles.get(title_id)
            if seen is None:
                raise NotFound(f"There is no title {title_id!r}.")
            changed = change(seen)
            if changed == seen:
                break
            changed = replace(
                changed,
                published=seen.published and public_title(changed) == public_title(seen),
                updated_at=self._outside.now(),
                revision=seen.revision + 1,
            )
            if self._titles.save(changed, over=seen.revision):
                break
        if not changed.published:
            self._outside.announce()
        return changed
