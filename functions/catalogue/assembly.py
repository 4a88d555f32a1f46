"""How the parts of the catalogue fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.catalogue.artwork import ArtworkStore
from functions.catalogue.ports import CatalogueDependencies
from functions.catalogue.publisher import CataloguePublisher
from functions.catalogue.repository import MongoTitles
from functions.catalogue.service import Catalogue
from functions.catalogue.site import BlobSite
from functions.platform.azure_clients import drop_container
from functions.platform.identifiers import container_for
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
        drop_container=lambda title_id: drop_container(resources.blob_service(), container_for(title_id)),
        now=resources.now,
    )
    return Catalogue(
        MongoTitles(resources.mongo_database()),
        matcher,
        ArtworkStore(_site(resources)),
        dependencies,
    )


def assemble_publisher(resources: Resources) -> CataloguePublisher:
    """Return the publisher of the static catalogue."""
    return CataloguePublisher(
        MongoTitles(resources.mongo_database()),
        _site(resources),
        resources.now,
        announce=lambda: resources.queues().send(PublishCatalogue()),
        notify_graph=lambda title_id: resources.queues().send(UpdateGraph("title", title_id=title_id)),
    )


def _site(resources: Resources) -> BlobSite:
    return BlobSite(resources.blob_service().get_container_client("$web"))
