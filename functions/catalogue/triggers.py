"""The functions of the catalogue: queues for descriptions and static files, a repair timer, and HTTP for titles."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.errors import NotFound
from functions.platform.triggers import ANYONE, OWNER, SliceApp

if TYPE_CHECKING:
    from functions.catalogue.schemas import (
        FilmsAtOmdb,
        FilmSearch,
        NextEpisode,
        OwnerTitle,
        OwnerTitlePage,
        OwnerTitleQuery,
        Republication,
        TitleEdit,
        TitleMatch,
        TitlePage,
        TitleQuery,
        TitleWithProgress,
    )
    from functions.platform.field_types import TitleId
    from functions.platform.messages import FetchMetadata, PublishCatalogue
    from functions.platform.viewer import Viewer

log = logging.getLogger(__name__)
app = SliceApp(bootstrap, "functions.catalogue.schemas")

NOT_FETCHED = "The description could not be fetched in several attempts; the log of fetch_metadata says why."


@app.queue("fetch-metadata")
def fetch_metadata(message: FetchMetadata) -> None:
    """Fetch the description and artwork of a title."""
    bootstrap.catalogue().refresh_metadata(message.title_id, message.stem)


@app.dead_letters("fetch-metadata")
def fetch_metadata_poison(message: FetchMetadata) -> None:
    """Record in the title that its description could not be fetched; the timer requests it again."""
    try:
        bootstrap.catalogue().record_metadata_failure(message.title_id, NOT_FETCHED)
    except NotFound:
        log.error("The description of %s could not be fetched, and there is no such title.", message.title_id)


@app.queue("publish-catalogue")
def publish_catalogue(message: PublishCatalogue) -> None:
    """Write the files of the static catalogue that are not up to date."""
    del message
    bootstrap.publisher().publish()


@app.dead_letters("publish-catalogue")
def publish_catalogue_poison(message: PublishCatalogue) -> None:
    """Log that publishing failed in several attempts; the timer publishes the titles that wait."""
    del message
    log.error("The static catalogue could not be published in several attempts; the timer will retry.")


@app.timer("0 */15 * * * *")
def repair_catalogue() -> None:
    """Request descriptions that are due again, and publish titles whose messages were lost."""
    bootstrap.catalogue().request_due()
    bootstrap.publisher().publish()


@app.get("titles", caller=ANYONE)
def list_titles(query: TitleQuery) -> TitlePage:
    """Return a page of titles, newest first."""
    from functions.catalogue.schemas import PublicTitle, TitlePage

    page = bootstrap.catalogue().list_titles(query.q, query.genre, cursor=query.cursor, limit=query.limit)
    return TitlePage([PublicTitle.of(title) for title in page.entries], page.cursor)


@app.get("titles/{id}", caller=ANYONE)
def get_title(id: TitleId) -> TitleWithProgress:
    """Return a title, and the progress of its newest encode."""
    from functions.catalogue.schemas import TitleWithProgress

    title = bootstrap.catalogue().get(id)
    return TitleWithProgress.with_progress(title, bootstrap.encodes().latest_for(title.id))


@app.get("titles/{id}/next", caller=ANYONE)
def next_episode(viewer: Viewer | None, id: TitleId) -> NextEpisode:
    """Return the next episode that can be watched, by season and number.

    A profile with an age limit gets none that it must not play.
    """
    from functions.catalogue.schemas import Card, NextEpisode

    found = bootstrap.catalogue().next_episode(id)
    shown = found and found.details.is_suitable(viewer.age_limit if viewer else None)
    return NextEpisode(Card.of(found) if found and shown else None)


@app.patch("titles/{id}", caller=OWNER, raises=[NotFound])
def edit_title(id: TitleId, body: TitleEdit) -> OwnerTitle:
    """Set fields of a title by hand; later refreshes do not overwrite them."""
    from functions.catalogue.schemas import OwnerTitle

    return OwnerTitle.of(bootstrap.catalogue().edit_title(id, body))


@app.delete("titles/{id}", caller=OWNER, raises=[NotFound])
def withdraw_title(id: TitleId) -> None:
    """Withdraw a title: end its encode, remove it from the catalogue and delete its playable files and its trailer."""
    for withdrawn in bootstrap.catalogue().withdraw_title(id):
        # after the title: a job that is retried meanwhile is either ended here or sees that the title is withdrawn
        bootstrap.encodes().end_withdrawn(withdrawn)


@app.get("catalogue/titles", caller=OWNER)
def list_owner_titles(query: OwnerTitleQuery) -> OwnerTitlePage:
    """Return a page of titles, drafts included, newest first, with the reasons of failures."""
    from functions.catalogue.schemas import OwnerTitle, OwnerTitlePage

    page = bootstrap.catalogue().list_titles(
        query.q,
        query.genre,
        cursor=query.cursor,
        limit=query.limit,
        drafts=True,
        unrated=query.unrated,
    )
    trailed = bootstrap.catalogue().known((each.trailer_of for each in page.entries if each.trailer_of), drafts=True)
    titles = [OwnerTitle.of(title, trailed.get(title.trailer_of or "")) for title in page.entries]
    return OwnerTitlePage(titles, page.cursor)


@app.post("titles/{id}/release", caller=OWNER, raises=[NotFound])
def release_title(id: TitleId) -> OwnerTitle:
    """Make a draft visible to everybody; any other title is unchanged."""
    from functions.catalogue.schemas import OwnerTitle

    return OwnerTitle.of(bootstrap.catalogue().release_title(id))


@app.get("catalogue/films", caller=OWNER, offload=True)
def search_films(query: FilmSearch) -> FilmsAtOmdb:
    """Search for films at OMDb."""
    from functions.catalogue.schemas import FilmAtOmdb, FilmsAtOmdb

    found = bootstrap.catalogue().search_films(query.q, year=query.year)
    films = [FilmAtOmdb(film.imdb_id, film.name, film.year, film.kind) for film in getattr(found, "films", ())]
    return FilmsAtOmdb(films, getattr(found, "reason", None))


@app.put("titles/{id}/match", caller=OWNER, raises=[NotFound], offload=True)
def match_title(id: TitleId, body: TitleMatch) -> OwnerTitle:
    """Describe a title as a film at OMDb, now and at later refreshes; fields set by hand are kept."""
    from functions.catalogue.schemas import OwnerTitle

    return OwnerTitle.of(bootstrap.catalogue().rematch_title(id, body.imdb_id))


@app.post("titles/{id}/omdb-poster", caller=OWNER, raises=[NotFound], offload=True)
def use_omdb_poster(id: TitleId) -> OwnerTitle:
    """Use OMDb's poster instead of the one that was uploaded."""
    from functions.catalogue.schemas import OwnerTitle

    return OwnerTitle.of(bootstrap.catalogue().use_omdb_poster(id))


@app.post("catalogue/republish", caller=OWNER, status=202)
def republish_catalogue() -> Republication:
    """Write every file of the static catalogue again, in the background."""
    from functions.catalogue.schemas import Republication

    return Republication(bootstrap.publisher().republish())


@app.get("catalogue/republish", caller=OWNER)
def get_republication() -> Republication:
    """Return the number of titles that wait to be published."""
    from functions.catalogue.schemas import Republication

    return Republication(bootstrap.publisher().count_waiting())
