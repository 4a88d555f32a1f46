"""The composition root: every client and service is made here, once, when it is first asked for.

Nothing heavy is imported before a function needs it, so a cold start costs what its first request uses and no more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions import clients
from functions.once import once
from functions.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient
    from pymongo import MongoClient
    from redis import Redis

    from functions.accounts.assembly import Assembly
    from functions.accounts.journal import Journal
    from functions.accounts.owners import Owners
    from functions.accounts.repository import MysqlLoginHistory, MysqlLogins
    from functions.accounts.service import Accounts
    from functions.billing.access import Entitlements
    from functions.billing.assembly import Billing
    from functions.billing.repository import MySqlPayments, MySqlSubscriptions
    from functions.catalogue.publisher import Publisher
    from functions.catalogue.service import Catalogue
    from functions.encoding.jobs import MongoJobs
    from functions.encoding.pipeline import Pipeline
    from functions.encoding.reports import Reports
    from functions.encoding.service import Encodes, Work
    from functions.mail.service import Mail
    from functions.mysql import Database
    from functions.playback.assembly import PlaybackParts
    from functions.queues import Queues
    from functions.recommendations.assembly import GraphParts
    from functions.storage import Signer
    from functions.telemetry import Telemetry
    from functions.tickets import Tickets
    from functions.uploads.service import Uploads
    from functions.usage.model import UsageStore
    from functions.usage.service import Usage


def now() -> datetime:
    """Return the time; the one clock of the application."""
    return datetime.now(UTC)


@once
def settings() -> Settings:
    """Return the settings."""
    return load_settings()


@once
def tickets() -> Tickets:
    """Return the sealer of tickets."""
    from functions.tickets import Tickets

    return Tickets(settings().signing_key, now)


@once
def telemetry() -> Telemetry:
    """Return what takes spans and figures: Application Insights, a file, or nobody."""
    from functions.telemetry import Silence

    service, connection = settings().otel_service_name, settings().applicationinsights_connection_string
    if connection:
        from functions.telemetry_export import to_application_insights

        return to_application_insights(service, connection, clients.identity())
    if settings().traces_file:
        from functions.telemetry_export import to_file

        return to_file(service, settings().traces_file)
    return Silence()


@once
def blob_service() -> BlobServiceClient:
    """Return the client of blob storage."""
    return clients.blob_service(settings().storage)


@once
def signer() -> Signer:
    """Return what signs addresses of blobs."""
    from functions.storage import Signer

    return Signer(blob_service())


@once
def queue_service() -> QueueServiceClient:
    """Return the client of queue storage."""
    return clients.queue_service(settings().storage)


@once
def queues() -> Queues:
    """Return the sender of queue messages."""
    from functions.queues import Queues

    return Queues(queue_service())


@once
def prompt_queues() -> Queues:
    """Return the sender for whom a person waits."""
    from functions.queues import Queues

    return Queues(clients.queue_service(settings().storage, prompt=True))


@once
def mail() -> Mail:
    """Return the sender of letters."""
    from functions.mail.service import Mail
    from functions.mail.smtp import SmtpCarrier

    return Mail(
        SmtpCarrier(settings().smtp_url, settings().mail_from, now),
        pseudonym=tickets().pseudonym,
        enqueue=lambda message, delay_s: queues().send("send-mail", message, delay_s=delay_s),
    )


@once
def mongo() -> MongoClient[dict[str, Any]]:
    """Return the client of Mongo."""
    return clients.mongo(settings().mongo_url)


@once
def redis() -> Redis:
    """Return the client of Redis; `functions.redis.answering` turns what it raises into StoreUnavailable."""
    from functions.redis import connect

    return connect(settings().redis_url)


@once
def logins() -> MysqlLogins:
    """Return the store of logins."""
    from functions.accounts.repository import MysqlLogins

    return MysqlLogins(_database(settings().logins_db_url))


@once
def login_history() -> MysqlLoginHistory:
    """Return the store of login history."""
    from functions.accounts.repository import MysqlLoginHistory

    return MysqlLoginHistory(_database(settings().login_history_db_url))


@once
def _account_parts() -> Assembly:
    from functions.accounts.assembly import Stores, assemble

    return assemble(settings(), Stores(logins(), login_history(), redis()), prompt_queues(), tickets(), now)


@once
def accounts() -> Accounts:
    """Return the accounts."""
    return _account_parts().accounts


@once
def login_journal() -> Journal:
    """Return the history of logins."""
    return _account_parts().journal


@once
def owners() -> Owners:
    """Return who lets the owner in; the operator's key is compared without a look at any store."""
    from functions.accounts.owners import Owners

    return Owners(settings().operator_key, lambda session: accounts().administrator(session))


@once
def subscriptions() -> MySqlSubscriptions:
    """Return the store of subscriptions, grants and events."""
    from functions.billing.repository import MySqlSubscriptions

    return MySqlSubscriptions(_database(settings().subscriptions_db_url))


@once
def payments() -> MySqlPayments:
    """Return the store of payments."""
    from functions.billing.repository import MySqlPayments

    return MySqlPayments(_database(settings().payments_db_url))


@once
def entitlements() -> Entitlements:
    """Return who answers whether a viewer may play films."""
    from functions.billing.access import Entitlements, RedisMemory

    return Entitlements(subscriptions(), RedisMemory(redis()), now)


@once
def billing() -> Billing:
    """Return billing."""
    from functions.billing.assembly import Outside, Stores, assemble

    site, send, changed = settings().site_origin, prompt_queues().send, entitlements().changed
    outside = Outside(site, now, send, changed, lambda email: accounts().find(email).user_id)
    return assemble(settings(), Stores(subscriptions(), payments()), outside)


@once
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
    from functions.uploads.naming import container_for

    omdb = OmdbClient(settings().omdb_url, settings().omdb_api_key)
    sidecars = BlobSidecars(blob_service().get_container_client("uploads"))
    outside = Outside(
        announce=lambda: queues().send("publish-catalogue", {}),
        fetch=lambda title_id, stem: queues().send("fetch-metadata", {"title_id": title_id, "stem": stem}),
        drop_container=lambda title_id: clients.drop_container(blob_service(), container_for(title_id)),
        now=now,
    )
    return Catalogue(
        MongoTitles(mongo()[settings().mongo_database]),
        Matcher(sidecars, omdb, PosterFetcher(settings().omdb_url), now),
        Gallery(BlobSite(blob_service().get_container_client("$web"))),
        outside,
    )


@once
def publisher() -> Publisher:
    """Return the publisher of the static catalogue."""
    from functions.catalogue.publisher import Publisher
    from functions.catalogue.repository import MongoTitles
    from functions.catalogue.site import BlobSite

    site = BlobSite(blob_service().get_container_client("$web"))
    titles = MongoTitles(mongo()[settings().mongo_database])
    return Publisher(titles, site, now, tell=lambda title_id: queues().send("update-graph", {"title": title_id}))


@once
def playback() -> PlaybackParts:
    """Return playback: the opener of titles, and what gives native players their playlists."""
    from functions.playback.assembly import Neighbours, assemble

    neighbours = Neighbours(catalogue(), encodes(), entitlements(), usage())
    return assemble(settings(), blob_service(), signer(), neighbours, tickets(), now)


@once
def usage_store() -> UsageStore:
    """Return the store of usage that the setting names."""
    from functions.usage.assembly import open_store

    return open_store(settings(), lambda: mongo()[settings().mongo_database])


@once
def usage() -> Usage:
    """Return what viewers watched and marked."""
    from functions.usage.service import Usage

    return Usage(
        usage_store(),
        catalogue(),
        tickets(),
        lambda message: queues().send("update-graph", message),
        now,
        telemetry,
    )


@once
def graph() -> GraphParts:
    """Return the graph: what asks it, what keeps it up, what makes it anew."""
    from functions.recommendations.assembly import assemble

    database = mongo()[settings().mongo_database]
    return assemble(settings(), database, catalogue(), usage_store(), queues().send, now)


@once
def encode_jobs() -> MongoJobs:
    """Return the store of encode jobs."""
    from functions.encoding.jobs import MongoJobs

    return MongoJobs(mongo()[settings().mongo_database]["encode_jobs"])


@once
def encodes() -> Encodes:
    """Return the encode jobs."""
    from functions.encoding.service import Encodes

    return Encodes(encode_jobs(), catalogue(), now)


@once
def encode_reports() -> Reports:
    """Return what tells how encode jobs go."""
    from functions.encoding.reports import Reports

    return Reports(encodes(), telemetry())


@once
def pipeline() -> Pipeline:
    """Return the steps of an encode; only the encoder app, which has ffmpeg, asks for it."""
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.pipeline import Pipeline
    from functions.encoding.planner import Planner
    from functions.encoding.publisher import Publisher
    from functions.encoding.storage import BlobMedia
    from functions.encoding.worker import Worker

    ffmpeg = FFmpeg(settings().ffmpeg, settings().ffprobe, settings().ffmpeg_memory_mb)
    media = BlobMedia(blob_service(), signer())
    work_dir = settings().work_dir
    publisher = Publisher(encode_jobs(), media, catalogue(), ffmpeg, work_dir=work_dir, now=now)
    worker = Worker(encode_jobs(), media, ffmpeg, work_dir=work_dir, publish=publisher.publish)
    return Pipeline(encode_jobs(), encodes(), Planner(ffmpeg, media, settings()), worker, publisher, now)


@once
def uploads() -> Uploads:
    """Return the uploads."""
    from functions.uploads.service import Uploads
    from functions.uploads.storage import BlobUploads

    store = BlobUploads(blob_service(), signer(), front=settings().blob_url)
    return Uploads(store, catalogue(), encodes(), now)


def dispatch(work: Work) -> None:
    """Send the messages of what is left to do of an encode job, the first chunk first."""
    if work.plan:
        queues().send("plan-encode", {"job_id": work.job_id})
    for index in work.chunks:
        queues().send("encode-chunk", {"job_id": work.job_id, "chunk": index})
    for name in work.tracks:
        queues().send("encode-audio", {"job_id": work.job_id, "track": name})
    if not (work.plan or work.chunks or work.tracks):
        queues().send("publish-title", {"job_id": work.job_id})


def forgetters() -> tuple[Callable[[str], None], ...]:
    """Return what deletes all that is kept of a viewer, one of each slice; each may be called twice."""
    return (login_history().forget, usage().forget, billing().shop.forget, graph().keeper.forget_soon)


def health_probes() -> dict[str, Callable[[], None]]:
    """Return a probe for each store."""
    from functions.health.probes import probes_of

    return probes_of(settings(), blobs=blob_service, queues=queue_service, mongo=mongo, usage=usage_store)


def _database(url: str) -> Database:
    """Return a MySQL database; its pool is shared by all who are given it."""
    from functions.mysql import Database

    return Database(url, settings().mysql_ca)
