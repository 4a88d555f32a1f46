"""Creates the services of the catalogue slice with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.catalogue.artwork import ArtworkStore
from functions.catalogue.dialogue_index import DialogueIndex
from functions.catalogue.ports import CatalogueDependencies
from functions.catalogue.publication_lock import MongoPublicationLock
from functions.catalogue.publisher import CataloguePublisher
from functions.catalogue.repository import MongoTitles
from functions.catalogue.service import Catalogue
from functions.catalogue.site import BlobSite
from functions.catalogue.subtitle_files import BlobSubtitles
from functions.platform.errors import SettingMissing
from functions.platform.lazy import lazy
from functions.platform.messages import FetchMetadata, PublishCatalogue, UpdateGraph

if TYPE_CHECKING:
    from functions.catalogue.matching import Matcher
    from functions.platform.resources import Resources


def assemble(resources: Resources) -> Catalogue:
    """Return the catalogue; each connection is opened at its first use."""

    @lazy
    def matcher() -> Matcher:  # the import loads guessit and Pillow, which only new titles need
        from functions.catalogue.matching import Matcher
        from functions.catalogue.omdb import OmdbClient
        from functions.catalogue.posters import PosterFetcher
        from functions.catalogue.sidecar import BlobSidecars

        settings = resources.settings()
        return Matcher(
            BlobSidecars(resources.blob_service().get_container_client("uploads")),
            OmdbClient(settings.omdb_url, settings.omdb_api_key),
            PosterFetcher(settings.omdb_url),
            resources.now,
        )

    dependencies = CatalogueDependencies(
        announce=lambda: resources.queues().send(PublishCatalogue()),
        fetch=lambda title_id, stem: resources.queues().send(FetchMetadata(title_id, stem)),
        now=resources.now,
    )
    return Catalogue(
        MongoTitles(resources.mongo_database()),
        matcher,
        ArtworkStore(_site(resources)),
        dependencies,
        reviewed=_is_reviewed(resources),
    )


def assemble_publisher(resources: Resources) -> CataloguePublisher:
    """Return the publisher of the static catalogue."""
    titles, site = MongoTitles(resources.mongo_database()), _site(resources)
    return CataloguePublisher(
        titles,
        site,
        resources.now,
        dialogue=DialogueIndex(titles, site, BlobSubtitles(resources.blob_service())),
        lock=MongoPublicationLock(resources.mongo_database()["publication"]),
        announce=lambda: resources.queues().send(PublishCatalogue()),
        notify_graph=lambda title_id: resources.queues().send(UpdateGraph("title", title_id=title_id)),
        origin=resources.settings().site_origin,
    )


def _is_reviewed(resources: Resources) -> bool:
    """Return whether new titles are drafts. Raises SettingMissing for an unknown value of the setting."""
    value = resources.settings().publish_titles
    if value not in ("automatically", "reviewed"):
        raise SettingMissing(f"PUBLISH_TITLES must be automatically or reviewed, not {value!r}.")
    return value == "reviewed"


def _site(resources: Resources) -> BlobSite:
    return BlobSite(resources.blob_service().get_container_client("$web"))
