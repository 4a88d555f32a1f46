"""The simulation itself: a seed always results in the same run, and planted defects are found."""

from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from weakref import ref

import pytest

from functions.accounts.login_history import LoginHistoryService
from functions.accounts.service import AccountService
from functions.audit.service import AuditLog
from functions.billing.admin import BillingAdmin
from functions.billing.reconciliation import Reconciliation
from functions.billing.service import SubscriptionService
from functions.encoding.av1.service import Av1Service
from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.model import Transition
from functions.encoding.on_demand.service import RenditionUpkeep
from functions.encoding.publication.manifests import ManifestPublisher
from functions.encoding.service import EncodeService
from functions.encoding.upkeep.sweep import TitleSweep
from functions.recommendations.graph_sync import GraphSync
from functions.recommendations.rebuild import Rebuild
from functions.uploads.service import Uploads
from functions.usage.model import View
from infra.local.home import REPOSITORY
from tests.simulation.account_flow import AccountFlow
from tests.simulation.faults import COVERED_FAULTS, Fault, Target
from tests.simulation.flow import Campaign, Case, run
from tests.simulation.rendition_flow import RenditionFlow
from tests.simulation.subscription_flow import SubscriptionFlow
from tests.simulation.upload_flow import UploadFlow
from tests.simulation.upload_samples import Samples
from tests.simulation.watch_flow import WatchFlow
from tests.support.account_logins import FakeLoginStore, FakeSecondFactorStore
from tests.support.account_sessions import FakeSessionStore
from tests.support.account_world import CountingHasher
from tests.support.cases import extended
from tests.support.catalogue import make_picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.simulation.flow import Flow, FlowRun
    from tests.simulation.host import SimulatedHost
    from tests.simulation.kernel import Simulation
    from tests.simulation.wiring import Wiring

ENOUGH = 2000
"""The number of runs within which a planted defect must be found."""


@pytest.fixture(scope="module")
def uploads(wiring: Wiring, work_dir: Path) -> UploadFlow:
    return UploadFlow(wiring, work_dir, Samples.make(work_dir), make_picture())


@pytest.fixture(scope="module")
def renditions(wiring: Wiring, work_dir: Path) -> RenditionFlow:
    return RenditionFlow(wiring, work_dir, Samples.make(work_dir), make_picture())


@pytest.fixture(scope="module")
def accounts(wiring: Wiring) -> AccountFlow:
    return AccountFlow(wiring, CountingHasher())


@pytest.fixture(scope="module")
def subscriptions(wiring: Wiring) -> SubscriptionFlow:
    return SubscriptionFlow(wiring)


@pytest.fixture(scope="module")
def watching(wiring: Wiring) -> WatchFlow:
    return WatchFlow(wiring)


def finds(flow: Flow) -> tuple[str, ...]:
    """Return the broken invariants of the first run that breaks any."""
    made = Campaign(flow)
    made.go(ENOUGH, most_failures=1)
    return made.failures[0].broken if made.failures else ()


def completes_first(publisher: ManifestPublisher, job: Any) -> Any:
    """Announce the film before its manifests are written."""
    from functions.encoding.publication.manifests import _playback
    from functions.encoding.publication.presentation import presentation_of

    presentation = presentation_of(job, job.plan, at=publisher._now()) if job.plan else None
    if presentation and presentation.complete:
        publisher._catalogue.mark_playable(job.title_id, _playback(job, presentation), complete=True)
    return presentation


def keeps_password(logins: FakeLoginStore, user_id: str, *, over: str, new: str) -> bool:
    """Say that a password was replaced, and keep the old one."""
    del over, new
    return user_id in logins.logins


def replaces_for_good(lifecycle: JobLifecycle, title_id: str) -> None:
    """Fail the older jobs of a title like any other, so that their uploads cannot continue."""
    newest = lifecycle._jobs.latest_summary(title_id)
    for job in lifecycle._jobs.open_summaries():
        if newest and job.title_id == title_id and job.id != newest.id:
            lifecycle._jobs.change_status(job.id, Transition.FAIL, reason="Replaced.", ended_at=lifecycle._now())


PLANTED: tuple[tuple[str, type, str, Callable[..., Any] | property], ...] = (
    ("uploads", Uploads, "start_missed_uploads", lambda uploads: 0),
    ("uploads", ManifestPublisher, "publish", completes_first),
    ("uploads", EncodeService, "sweep_due", lambda service: 0),
    ("uploads", TitleSweep, "_track_expiries", lambda sweep, *of_title: []),
    ("uploads", JobLifecycle, "_supersede_older", replaces_for_good),
    ("uploads", JobLifecycle, "end_uploads", lambda lifecycle, jobs: None),
    ("renditions", Av1Service, "_request_steps", lambda service: 0),
    ("renditions", RenditionUpkeep, "request_steps", lambda upkeep: 0),
    ("renditions", RenditionUpkeep, "remove_unwanted", lambda upkeep: 0),
    ("renditions", ManifestPublisher, "publish_again", lambda publisher, job: None),
    ("accounts", AccountService, "defer_reset", lambda accounts, message: None),
    ("accounts", AccountService, "renew_link", lambda accounts, link: None),
    ("accounts", AccountService, "log_out_everywhere", lambda accounts, viewer: None),
    ("accounts", FakeSessionStore, "end_sessions_of", lambda sessions, user_id: None),
    ("accounts", LoginHistoryService, "forget_viewer", lambda history, user_id: None),
    ("accounts", AuditLog, "forget_viewer", lambda audit, user_id: None),
    ("accounts", AuditLog, "record", lambda audit, message: None),
    ("accounts", FakeSecondFactorStore, "remove_factors", lambda factors, user_id: None),
    ("accounts", FakeLoginStore, "replace_hash", keeps_password),
    ("subscriptions", BillingAdmin, "revoke_grant", lambda admin, grant_id, **options: None),
    ("subscriptions", Reconciliation, "reconcile_stale", lambda reconciliation: 0),
    ("subscriptions", Reconciliation, "repair_pending", lambda reconciliation: False),
    ("subscriptions", Reconciliation, "_cancel_unwanted", lambda reconciliation, remote, result: None),
    ("subscriptions", SubscriptionService, "forget_viewer", lambda service, user_id: None),
    ("watching", GraphSync, "request_forgetting", lambda sync, user_id: None),
    ("watching", Rebuild, "start_if_due", lambda rebuild: False),
    ("watching", View, "seen", property(lambda view: view.reported > 0)),
)
"""Defects: the flow that must find each, and the method that it replaces."""

FOUND_LATE = (replaces_for_good,)
"""Defects for which so many runs are needed that only the extended tests look for them."""


@pytest.mark.parametrize(
    ("flow", "owner", "method", "defect"),
    [extended(*planted) if planted[3] in FOUND_LATE else planted for planted in PLANTED],
    ids=[f"{p[1].__name__}.{p[2]}" for p in PLANTED],
)
def test_planted_defect_is_found(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    flow: str,
    owner: type,
    method: str,
    defect: Callable[..., Any] | property,
) -> None:
    monkeypatch.setattr(owner, method, defect)
    assert finds(request.getfixturevalue(flow))


def test_campaign_keeps_nothing_of_its_runs(uploads: UploadFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the wiring keeps the last run, to which it is still connected."""
    hosts: list[ref[SimulatedHost]] = []
    begin = uploads.begin

    def watched(simulation: Simulation) -> FlowRun:
        begun = begin(simulation)
        hosts.append(ref(begun.host))
        return begun

    monkeypatch.setattr(uploads, "begin", watched)
    Campaign(uploads).go(20)
    gc.collect()
    assert [bool(host()) for host in hosts] == [*[False] * 19, True]


def trace_digest(flow: Flow, case: Case) -> str:
    """Return a digest of a run's trace."""
    return hashlib.sha256(run(flow, case, keep_trace=True).trace.encode()).hexdigest()


def test_seed_always_results_in_the_same_run(subscriptions: SubscriptionFlow) -> None:
    """Other runs before it, and the random order of Python's sets, make no difference."""
    case = Case(17, (Target("settle_subscription subscriptions.apply_remote", Fault.CRASH_AFTER),))
    here = trace_digest(subscriptions, case)
    script = (
        "from pathlib import Path; from tests.simulation.test_simulation import *; "
        "from tests.simulation.wiring import wired\n"
        f"with wired(Path()) as wiring: print(trace_digest(SubscriptionFlow(wiring), {case!r}))"
    )
    script = script.replace("<Fault.CRASH_AFTER: 'crash after'>", "Fault.CRASH_AFTER")
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [here]


@pytest.mark.parametrize("fault", COVERED_FAULTS)
def test_fault_is_injected_at_its_effect(subscriptions: SubscriptionFlow, fault: Fault) -> None:
    target = Target("subscribe subscriptions.store_checkout", fault)
    result = run(subscriptions, Case(3, (target,)), keep_trace=True)
    assert (target.effect, fault) in result.covered
    assert f"subscribe subscriptions.store_checkout  ◄ {fault}" in result.trace
    assert not result.broken
