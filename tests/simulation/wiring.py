"""Connects the composition root to a simulation: the real assemblies and services, with every adapter replaced.

Adapters are replaced where the assemblies look them up, so the simulated wiring is the product's own. An adapter that
is missing here fails at its first use, because it receives a client that cannot do anything.
"""

from __future__ import annotations

import random
import secrets
import uuid
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap
from functions.platform.lazy import lazy
from functions.platform.resources import Resources
from functions.platform.settings import Settings
from functions.platform.telemetry import NoopTelemetry
from tests.simulation.host import SimulatedQueues
from tests.support.wiring import ROOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from functions.platform.queues import Queues
    from functions.platform.telemetry import Telemetry
    from tests.simulation.host import SimulatedHost

ADAPTERS = {
    "uploads": ("functions.uploads.assembly", "BlobUploads"),
    "arrivals": ("functions.uploads.assembly", "MongoArrivals"),
    "jobs": ("functions.encoding.assembly", "MongoEncodeJobs"),
    "audience": ("functions.encoding.assembly", "MongoAudience"),
    "claims": ("functions.encoding.assembly", "MongoClaims"),
    "spending": ("functions.encoding.assembly", "MongoSpending"),
    "encode_limit": ("functions.encoding.assembly", "MongoEncodeLimit"),
    "av1": ("functions.encoding.assembly", "MongoAv1Encodes"),
    "captions": ("functions.encoding.captions.assembly", "MongoCaptions"),
    "late": ("functions.encoding.late_subtitles.assembly", "MongoLateSubtitles"),
    "comparisons": ("functions.encoding.intros.assembly", "MongoComparisons"),
    "on_demand": ("functions.encoding.assembly", "MongoOnDemandEncodes"),
    "upkeep": ("functions.encoding.assembly", "MongoJobUpkeep"),
    "folders": ("functions.encoding.storage", "BlobFolders"),
    "media": ("functions.encoding.storage", "BlobMedia"),
    "ffmpeg": ("functions.encoding.ffmpeg", "FFmpeg"),
    "titles": ("functions.catalogue.assembly", "MongoTitles"),
    "site": ("functions.catalogue.assembly", "BlobSite"),
    "publication_lock": ("functions.catalogue.assembly", "MongoPublicationLock"),
    "subtitles": ("functions.catalogue.assembly", "BlobSubtitles"),
    "sidecars": ("functions.catalogue.sidecar", "BlobSidecars"),
    "films": ("functions.catalogue.omdb", "OmdbClient"),
    "posters": ("functions.catalogue.posters", "PosterFetcher"),
    "subscriptions": ("functions.billing.repository", "MySqlSubscriptions"),
    "payments": ("functions.billing.repository", "MySqlPayments"),
    "entitlement_cache": ("functions.billing.entitlement_cache", "RedisEntitlementCache"),
    "certificates": ("functions.billing.certificate_store", "RedisCertificates"),
    "paypal": ("functions.billing.paypal", "PayPalClient"),
    "audit": ("functions.audit.assembly", "MySqlAuditStore"),
    "logins": ("functions.accounts.assembly", "MySqlLoginStore"),
    "login_history": ("functions.accounts.assembly", "MySqlLoginHistoryStore"),
    "sessions": ("functions.accounts.assembly", "RedisSessionStore"),
    "limiter": ("functions.accounts.assembly", "RedisRateLimiter"),
    "factors": ("functions.accounts.assembly", "MySqlSecondFactorStore"),
    "profiles": ("functions.accounts.assembly", "MySqlProfileStore"),
    "used_codes": ("functions.accounts.assembly", "RedisUsedCodes"),
    "hasher": ("functions.accounts.assembly", "Argon2Hasher"),
    "usage": ("functions.usage.mongo", "MongoUsage"),
    "viewing_days": ("functions.usage.assembly", "MongoViewingDays"),
    "bolt": ("functions.recommendations.assembly", "Bolt"),
    "graph": ("functions.recommendations.assembly", "BoltGraph"),
    "rebuild_store": ("functions.recommendations.assembly", "MongoRebuildStore"),
    "mail": ("functions.mail.assembly", "SmtpTransport"),
    "webhook_reader": ("functions.billing.webhooks", "WebhookReader"),
}
"""The adapter that each port replaces: its module, as the assembly sees it, and its class."""

REMEMBERED = (
    ("functions.accounts.password_policy", "_refuse_guessable"),
    ("functions.catalogue.service", "guess"),
    ("functions.catalogue.matching", "guess"),
    ("functions.catalogue.pictures", "pictures_from_frame"),
    ("functions.catalogue.matching", "pictures_from_poster"),
)
"""Slow functions whose result depends on their arguments alone: the runs share the results."""


class NoThread:
    """Replaces the thread that renews claims, and never runs, so that the claims of a suspended process expire."""

    def __init__(self, **arguments: object) -> None:
        del arguments

    def start(self) -> None:
        """Do nothing."""


class NoExit:
    """Replaces `atexit`: a simulated process is killed, and what it would do at its end must not keep its run alive."""

    @staticmethod
    def register(function: Callable[[], object]) -> None:
        """Do nothing."""
        del function


class CallingThread(Executor):
    """An executor that calls each function at once, because the scheduler switches only between jobs."""

    def __init__(self, *arguments: object) -> None:
        del arguments

    def submit[**P, R](self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        done: Future[R] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class NoClient:
    """A client or port that a flow does not have: assemblies may pass it on, but nothing can use it."""

    def __getitem__(self, name: str) -> NoClient:
        return self

    def get_container_client(self, name: str) -> NoClient:
        """Return a client of a container."""
        del name
        return self


class SimulatedResources(Resources):
    """Resources without clients."""

    def __init__(self, host: SimulatedHost, settings: Settings) -> None:
        super().__init__()
        self._host = host
        self._settings = settings
        self._queues = SimulatedQueues(host)
        self._client: Any = NoClient()

    def now(self) -> datetime:
        return self._host.simulation.now

    def settings(self) -> Settings:
        return self._settings

    def telemetry(self) -> Telemetry:
        return NoopTelemetry()

    def queues(self) -> Queues:
        return self._queues

    def interactive_queues(self) -> Queues:
        return self._queues

    def blob_service(self) -> Any:
        return self._client

    def interactive_blob_service(self) -> Any:
        return self._client

    def signer(self) -> Any:
        return self._client

    def mongo_database(self) -> Any:
        return self._client

    def redis(self) -> Any:
        return self._client

    def mysql(self, url: str) -> Any:
        del url
        return self._client


class Wiring:
    """Connects `bootstrap` to one run after another."""

    def __init__(self, work_dir: Path) -> None:
        self._ports: Mapping[str, Any] = {}
        self._random = random.Random(0)
        self._host: SimulatedHost | None = None
        self._initial = self._settings = Settings(
            storage="simulated",
            mongo_url="simulated",
            site_origin="https://films.example.org",
            signing_key="k" * 32,
            operator_key="o" * 32,
            second_factor_keys="c" * 32,
            paypal_webhook_id="WH-SIMULATED",
            neo4j_uri="simulated",
            work_dir=str(work_dir),
        )

    def connect(self, host: SimulatedHost, ports: Mapping[str, Any]) -> None:
        """Connect `bootstrap` to a run."""
        self._host, self._ports, self._settings = host, ports, self._initial
        host.restart = self.restart
        self.restart()

    def configure(self, **settings: Any) -> None:
        """Change settings of the run, which restarts its processes."""
        self._settings = replace(self._settings, **settings)
        self.restart()

    def seed(self, seed: int) -> None:
        """Derive the random bytes of the next run from its seed."""
        self._random = random.Random(seed)

    def monotonic(self) -> float:
        """Return the simulated time in seconds; the wiring replaces the module `time` where work is limited by time."""
        assert self._host
        return self._host.simulation.now.timestamp()

    def random_hex(self, length: int = 32) -> str:
        """Return the random bytes of a run, which its seed determines, in hexadecimal."""
        return f"{self._random.getrandbits(8 * length):0{2 * length}x}"

    def restart(self) -> None:
        """Drop everything that a process has in memory, as a restart does."""
        assert self._host
        _clear_roots()
        bootstrap.resources = SimulatedResources(self._host, self._settings)

    def adapter(self, name: str) -> Callable[..., Any]:
        """Return what replaces an adapter's class: a function that returns the current run's port."""

        def made(*arguments: Any, **named: Any) -> Any:
            del arguments, named
            return self._ports.get(name, NoClient())

        return made


@contextmanager
def wired(work_dir: Path) -> Iterator[Wiring]:
    """Replace the adapters, and restore the composition root at the end."""
    wiring, resources = Wiring(work_dir), bootstrap.resources
    with pytest.MonkeyPatch.context() as patched:
        for name, (module, attribute) in ADAPTERS.items():
            patched.setattr(import_module(module), attribute, wiring.adapter(name))
        for module, attribute in REMEMBERED:
            patched.setattr(import_module(module), attribute, cache(getattr(import_module(module), attribute)))
        patched.setattr("functions.encoding.claims.Thread", NoThread)
        patched.setattr("functions.encoding.assembly.atexit", NoExit)
        patched.setattr("functions.encoding.worker.ThreadPoolExecutor", CallingThread)
        patched.setattr("functions.encoding.copying.precedence.LONGEST_PAUSE_S", 0)  # nothing ends during a pause
        patched.setattr(uuid, "uuid4", lambda: uuid.UUID(wiring.random_hex(16)))
        patched.setattr(secrets, "token_bytes", lambda length=32: bytes.fromhex(wiring.random_hex(length)))
        patched.setattr(secrets, "token_hex", wiring.random_hex)
        patched.setattr(secrets, "token_urlsafe", wiring.random_hex)
        patched.setattr("functions.encoding.ladder.CHUNK_SEGMENTS", 2)  # so that a short film has several chunks
        slow = ("listing", "copying.copy_worker", "copying.receiver")
        for module in ("catalogue.publisher", "recommendations.rebuild", *(f"encoding.{each}" for each in slow)):
            patched.setattr(f"functions.{module}.time", wiring)
        for name, limit in (("rebuild.TITLES_A_PAGE", 3), ("rebuild.VIEWERS_A_PAGE", 2), ("triggers.REBUILD_S", 0.008)):
            patched.setattr(f"functions.recommendations.{name}", limit)  # so that a small rebuild has several parts
        try:
            yield wiring
        finally:
            _clear_roots()
            bootstrap.resources = resources


def _clear_roots() -> None:
    """Drop the services that the composition roots have joined."""
    for root in ROOTS:
        for factory in list(vars(root).values()):
            if isinstance(factory, lazy):
                factory.cache_clear()
