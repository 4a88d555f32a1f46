"""The composition root: joins the slices, each of which is assembled when it is first asked for.

Nothing heavy is imported before a function needs it, so a cold start costs what its first request uses and no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.lazy import lazy
from functions.platform.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.admin_auth import Owners
    from functions.accounts.assembly import Assembly
    from functions.accounts.login_history import Journal
    from functions.accounts.model import Session
    from functions.accounts.repository import MysqlLoginHistory, MysqlLogins
    from functions.accounts.service import Accounts
    from functions.billing.assembly import Billing, BillingStores
    from functions.billing.entitlements import Entitlements
    from functions.catalogue.publisher import Publisher
    from functions.catalogue.service import Catalogue
    from functions.encoding.job_telemetry import Reports
    from functions.encoding.jobs import MongoJobs
    from functions.encoding.pipeline import Pipeline
    from functions.encoding.service import Encodes, Work
    from functions.mail.service import MailService
    from functions.playback.assembly import PlaybackParts
    from functions.recommendations.assembly import GraphParts
    from functions.uploads.service import Uploads
    from functions.usage.model import UsageStore
    from functions.usage.service import Usage

resources = Resources()
"""The clients that the slices share."""


class Access:
    """Authenticates the callers of routes."""

    def session(self, token: str) -> Session:
        """Return the session of a token; raise Unauthenticated."""
        return accounts().session(token)

    def owner(self, token: str, key: str) -> str:
        """Return who calls as the owner; raise Unauthenticated or Forbidden."""
        return owners().admit(token, key)


def access() -> Access:
    """Return what authenticates the callers of routes."""
    return Access()


@lazy
def mail() -> MailService:
    """Return the sender of emails."""
    from functions.mail.assembly import assemble

    return assemble(resources)


@lazy
def logins() -> MysqlLogins:
    """Return the store of logins."""
    from functions.accounts.repository import MysqlLogins

    return MysqlLogins(resources.mysql(resources.settings().logins_db_url))


@lazy
def login_history() -> MysqlLoginHistory:
    """Return the store of login history."""
    from functions.accounts.repository import MysqlLoginHistory

    return MysqlLoginHistory(resources.mysql(resources.settings().login_history_db_url))


@lazy
def _account_parts() -> Assembly:
    from functions.accounts.assembly import Stores, assemble

    return assemble(
        resources.settings(),
        Stores(logins(), login_history(), resources.redis()),
        resources.interactive_queues(),
        resources.signed_tokens(),
        resources.now,
    )


@lazy
def accounts() -> Accounts:
    """Return the accounts."""
    return _account_parts().accounts


@lazy
def login_journal() -> Journal:
    """Return the history of logins."""
    return _account_parts().journal


@lazy
def owners() -> Owners:
    """Return who lets the owner in; the operator's key is compared without a look at any store."""
    from functions.accounts.admin_auth import Owners

    return Owners(resources.settings().operator_key, lambda session: accounts().administrator(session))


@lazy
def billing_stores() -> BillingStores:
    """Return the stores of billing."""
    from functions.billing.assembly import open_stores

    return open_stores(resources)


@lazy
def entitlements() -> Entitlements:
    """Return what answers whether a viewer may play films."""
    from functions.billing.assembly import assemble_entitlements

    return assemble_entitlements(resources, billing_stores())


@lazy
def billing() -> Billing:
    """Return billing."""
    from functions.billing.assembly import assemble

    return assemble(resources, billing_stores(), entitlements(), find_user=lambda email: accounts().find(email).user_id)


@lazy
def catalogue() -> Catalogue:
    """Return the catalogue."""
    from functions.catalogue.artwork import Gallery
    from functions.catalogue.matching import Matcher
    from functions.catalogue.omdb import OmdbClient
    from functions.catalogue.posters import PosterFetcher
    from functions.catalogue.repository import MongoTitles
    from functions.catalogue.service import Catalogue, Outside
    from functions.catalogue.sidecar import BlobSidecars
    from functions.catalogue.site import BlobSite
    from functions.platform.azure_clients import drop_container
    from functions.platform.identifiers import container_for

    omdb = OmdbClient(resources.settings().omdb_url, resources.settings().omdb_api_key)
    sidecars = BlobSidecars(resources.blob_service().get_container_client("uploads"))
    outside = Outside(
        announce=lambda: resources.queues().send_json("publish-catalogue", {}),
        fetch=lambda title_id, stem: resources.queues().send_json(
            "fetch-metadata", {"title_id": title_id, "stem": stem}
        ),
        drop_container=lambda title_id: drop_container(resources.blob_service(), container_for(title_id)),
        now=resources.now,
    )
    return Catalogue(
        MongoTitles(resources.mongo()[resources.settings().mongo_database]),
        Matcher(sidecars, omdb, PosterFetcher(resources.settings().omdb_url), resources.now),
        Gallery(BlobSite(resources.blob_service().get_container_client("$web"))),
        outside,
    )


@lazy
def publisher() -> Publisher:
    """Return the publisher of the static catalogue."""
    from functions.catalogue.publisher import Publisher
    from functions.catalogue.repository import MongoTitles
    from functions.catalogue.site import BlobSite

    site = BlobSite(resources.blob_service().get_container_client("$web"))
    titles = MongoTitles(resources.mongo()[resources.settings().mongo_database])
    return Publisher(
        titles,
        site,
        resources.now,
        tell=lambda title_id: resources.queues().send_json("update-graph", {"title": title_id}),
    )


@lazy
def playback() -> PlaybackParts:
    """Return playback: the service that opens titles, and the playlists for native players."""
    from functions.playback.assembly import assemble

    return assemble(resources, titles=catalogue(), encodes=encodes(), entitlements=entitlements(), usage=usage())


@lazy
def usage_store() -> UsageStore:
    """Return the store of usage that the setting names."""
    from functions.usage.assembly import open_store

    return open_store(resources.settings(), lambda: resources.mongo()[resources.settings().mongo_database])


@lazy
def usage() -> Usage:
    """Return what viewers watched and marked."""
    from functions.usage.service import Usage

    return Usage(
        usage_store(),
        catalogue(),
        resources.signed_tokens(),
        lambda message: resources.queues().send_json("update-graph", message),
        resources.now,
        resources.telemetry,
    )


@lazy
def graph() -> GraphParts:
    """Return the graph: what asks it, what keeps it up, what makes it anew."""
    from functions.recommendations.assembly import assemble

    database = resources.mongo()[resources.settings().mongo_database]
    return assemble(
        resources.settings(), database, catalogue(), usage_store(), resources.queues().send_json, resources.now
    )


@lazy
def encode_jobs() -> MongoJobs:
    """Return the store of encode jobs."""
    from functions.encoding.jobs import MongoJobs

    return MongoJobs(resources.mongo()[resources.settings().mongo_database]["encode_jobs"])


@lazy
def encodes() -> Encodes:
    """Return the encode jobs."""
    from functions.encoding.service import Encodes

    return Encodes(encode_jobs(), catalogue(), resources.now)


@lazy
def encode_reports() -> Reports:
    """Return what tells how encode jobs go."""
    from functions.encoding.job_telemetry import Reports

    return Reports(encodes(), resources.telemetry())


@lazy
def pipeline() -> Pipeline:
    """Return the steps of an encode; only the encoder app, which has ffmpeg, asks for it."""
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.pipeline import Pipeline
    from functions.encoding.planner import Planner
    from functions.encoding.publisher import Publisher
    from functions.encoding.storage import BlobMedia
    from functions.encoding.worker import Worker

    ffmpeg = FFmpeg(resources.settings().ffmpeg, resources.settings().ffprobe, resources.settings().ffmpeg_memory_mb)
    media = BlobMedia(resources.blob_service(), resources.signer())
    work_dir = resources.settings().work_dir
    publisher = Publisher(encode_jobs(), media, catalogue(), ffmpeg, work_dir=work_dir, now=resources.now)
    worker = Worker(encode_jobs(), media, ffmpeg, work_dir=work_dir, publish=publisher.publish)
    return Pipeline(
        encode_jobs(), encodes(), Planner(ffmpeg, media, resources.settings()), worker, publisher, resources.now
    )


@lazy
def uploads() -> Uploads:
    """Return the uploads."""
    from functions.uploads.service import Uploads
    from functions.uploads.storage import BlobUploads

    store = BlobUploads(resources.blob_service(), resources.signer(), front=resources.settings().blob_url)
    return Uploads(store, catalogue(), encodes(), resources.now)


def dispatch(work: Work) -> None:
    """Send the messages of what is left to do of an encode job, the first chunk first."""
    if work.plan:
        resources.queues().send_json("plan-encode", {"job_id": work.job_id})
    for index in work.chunks:
        resources.queues().send_json("encode-chunk", {"job_id": work.job_id, "chunk": index})
    for name in work.tracks:
        resources.queues().send_json("encode-audio", {"job_id": work.job_id, "track": name})
    if not (work.plan or work.chunks or work.tracks):
        resources.queues().send_json("publish-title", {"job_id": work.job_id})


def forgetters() -> tuple[Callable[[str], None], ...]:
    """Return what deletes all that is kept of a viewer, one of each slice; each may be called twice."""
    return (login_history().forget, usage().forget, billing().subscriptions.forget_viewer, graph().keeper.forget_soon)


def health_probes() -> dict[str, Callable[[], None]]:
    """Return a probe for each store."""
    from functions.health.probes import probes_of

    return probes_of(
        resources.settings(),
        blobs=resources.blob_service,
        queues=resources.queue_service,
        mongo=resources.mongo,
        usage=usage_store,
    )
