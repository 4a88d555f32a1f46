"""What must be true of a product once nothing fails any more: nothing that was acknowledged is lost."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import requests
from azure.core.exceptions import AzureError
from pymongo.errors import PyMongoError
from pymysql import MySQLError

from functions.billing.paypal import PayPalClient
from functions.platform.errors import StoreUnavailable
from functions.recommendations.bolt import Bolt
from infra.local.simulators.paypal import CLIENT_ID
from infra.local.stores.credentials import load_or_make
from tests.faults.leftovers import find_leftovers
from tests.faults.workload import KNOWN
from tests.support.published import Published
from tests.support.viewers import as_owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.patient_viewer import PatientViewer
    from tests.faults.workload import Workload
    from tests.support.uploads import Sent

KNOWN_ID = "tt1727587"
"""The id of KNOWN at OMDb."""

MOST_LISTED = 100
SETTLED_WITHIN_S = 600

UNANSWERED = (
    requests.RequestException,
    AzureError,
    MySQLError,
    PyMongoError,
    StoreUnavailable,
    FileNotFoundError,  # a manifest that a repair replaces
    AssertionError,
)
"""Errors after which the product is asked again."""

VIEWINGS = """
UNWIND $users AS user
MATCH (u:User {id: user})-[w:WATCHED]->(t:Title)
OPTIONAL MATCH (u)-[r:RATED]->(t)
RETURN u.id AS user, t.id AS title, coalesce(r.rating, 0) AS rating
"""


@dataclass
class Invariants:
    """Compares everything that was acknowledged in a workload with the product and with PayPal."""

    workload: Workload
    graph: Bolt
    paypal: PayPalClient
    refused: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, workload: Workload) -> Self:
        """Return the invariants of a workload."""
        endpoints = workload.product.endpoints
        credentials = load_or_make(workload.product.home.secrets_file)
        graph = Bolt(endpoints["bolt"], "neo4j", credentials.neo4j)
        return cls(workload, graph, PayPalClient(endpoints["paypal"], CLIENT_ID, credentials.paypal))

    def settle(self) -> None:
        """Wait until every invariant holds; fail with those that do not."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while next(self._broken(), None):  # the rest is not looked at, because it costs processor time
            assert time.monotonic() < deadline, "\n".join(self._broken())
            time.sleep(1)
        self.workload.forget()

    def close(self) -> None:
        """Close the connections."""
        self.graph.close()

    def _broken(self) -> Iterator[str]:
        """Yield a sentence for each invariant that does not hold yet."""
        try:
            yield from self._broken_uploads()
            yield from self._broken_descriptions()
            yield from self._broken_accounts()
            yield from self._broken_graph()
            yield from self._broken_payments()
        except UNANSWERED as error:
            yield f"the product does not answer: {type(error).__name__} {str(error)[:300]}"

    def _broken_uploads(self) -> Iterator[str]:
        storefront = self.workload.storefront
        for sent in self.workload.uploads:
            job = storefront.job(sent)
            if job is None:
                yield f"{sent.blob} was acknowledged, but has no job"
            elif job["status"] != "ready":
                yield f"{sent.blob} is {job['status']}: {job['reason'] or job['fault']}"
            elif not storefront.is_playable(sent):
                yield f"{sent.blob} is ready, but has no manifest"
            else:
                yield from self._broken_segments(sent)

    def _broken_segments(self, sent: Sent) -> Iterator[str]:
        with TemporaryDirectory() as folder:
            published = Published(self.workload.storefront.fetch(sent, Path(folder)))
            faults = published.faults()
        if published.is_growing:
            yield f"{sent.blob} is ready, but its manifest grows"
        if faults:
            yield f"{sent.blob} is ready, but {faults}"

    def _broken_descriptions(self) -> Iterator[str]:
        """Yield a sentence for each film that has no description and whose title does not say why."""
        answer = as_owner(self.workload.product.endpoints, "GET", f"catalogue/titles?limit={MOST_LISTED}")
        answer.raise_for_status()
        titles = {title["id"]: title for title in answer.json()["titles"]}
        for sent in self.workload.uploads:
            title = titles.get(sent.title_id)
            if title is None:
                yield f"{sent.blob} was acknowledged, but is not among the {MOST_LISTED} newest titles"
            elif title["imdb_id"] != KNOWN_ID and not title["metadata"]["reason"]:
                yield f"{sent.blob} has no description of {KNOWN}, and does not say why: {title['metadata']}"

    def _broken_accounts(self) -> Iterator[str]:
        for viewer in self.workload.viewers:
            yield from self._broken_deletion(viewer) if viewer.has_left else self._broken_account(viewer)
        marked = {entry["title_id"] for entry in self._pages("list", "titles")}
        if lost := self.workload.listed - marked:
            yield f"{sorted(lost)} were marked, but the list has {sorted(marked)}"

    def _broken_account(self, viewer: PatientViewer) -> Iterator[str]:
        """Yield a sentence if the account is not there, has no access, or lacks the title that was watched."""
        body = {"email": viewer.email}
        found = as_owner(self.workload.product.endpoints, "POST", "people/search", body)
        if not found.ok or found.json()["user_id"] != viewer.user_id:
            yield f"{viewer.email} was registered, but is not found: {found.status_code} {found.text[:300]}"
        elif not found.json()["entitlement"]["entitled"]:
            yield f"{viewer.email} was given access, but has none"
        for path, name in (("usage", "entries"), ("ratings", "ratings")):
            answer = viewer.asked("GET", path)
            if not answer.ok or viewer.title_id not in {each["title_id"] for each in answer.json()[name]}:
                yield f"{viewer.email} has watched and rated {viewer.title_id}, but {path} is {answer.text[:300]}"

    def _broken_deletion(self, viewer: PatientViewer) -> Iterator[str]:
        """Yield a sentence if somebody can log in to a deleted account, or a store still has its id."""
        if viewer.email not in self.refused:  # a login costs half a second of processor time
            if viewer.log_in():
                yield f"{viewer.email} was deleted, but can log in"
            else:
                self.refused.add(viewer.email)
        for place in find_leftovers(self.workload.product.endpoints, self.graph, viewer.user_id):
            yield f"{viewer.email} was deleted, but {place} contains its id {viewer.user_id}"

    def _broken_graph(self) -> Iterator[str]:
        staying = {viewer.user_id: viewer for viewer in self.workload.viewers if not viewer.has_left}
        rows = self.graph.read(lambda ask: ask(VIEWINGS, users=list(staying)))
        known = {(row["user"], row["title"]): row["rating"] for row in rows}
        for viewer in staying.values():
            if known.get((viewer.user_id, viewer.title_id)) != 1:
                yield f"{viewer.email} has watched and rated {viewer.title_id}, but the graph does not know: {rows}"

    def _broken_payments(self) -> Iterator[str]:
        subscriber, subscription_id = self.workload.subscriber, self.workload.subscription_id
        now, days = datetime.now(UTC), timedelta(days=2)
        charges = self.paypal.charges(subscription_id, since=now - days, until=now + days)
        ledger = {charge.payment_id: charge.state.value.lower() for charge in charges}
        ours = {one["id"]: one["state"] for one in self._pages("payments", "payments")}
        if ours != ledger:
            yield f"the payments are {ours}, PayPal's are {ledger}"
        remote = self.paypal.subscription(subscription_id)
        last = max(charges, key=lambda charge: charge.at)
        entitled = subscriber.entitlement()["entitled"]
        if remote and entitled == last.refunded:
            yield f"the last payment is {last.state}, but the subscriber is {'' if entitled else 'not '}entitled"

    def _pages(self, path: str, name: str) -> list[dict[str, Any]]:
        """Return all entries of a list of the subscriber; raise HTTPError if it is not answered."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = self.workload.subscriber.ask("GET", f"{path}?limit=100&cursor={cursor}")
            answer.raise_for_status()
            found += answer.json()[name]
            cursor = answer.json()["cursor"]
        return found
