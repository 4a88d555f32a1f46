"""What people do with a running product while it fails.

Everything that was acknowledged to them is remembered, and is compared with the product once the fault is over
(`invariants.py`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import requests
from azure.core.exceptions import AzureError

from tests.faults.patience import ANSWERED_WITHIN_S, TIMEOUT_S, acknowledged, until
from tests.faults.patient_viewer import PatientViewer
from tests.support.media import Film
from tests.support.uploads import Storefront
from tests.support.viewers import SomeViewer, as_owner, make_confirmed_viewer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.product import Product
    from tests.support.uploads import Sent

TINY = Film("tiny.mp4", rate=Fraction(5), frames=11, width=64, height=36)

KNOWN = "Sintel (2010)"
"""A film that OMDb knows."""

ENCODED_WITHIN_S = 120


@dataclass
class Workload:
    """The people of a running product, and everything that was acknowledged to them.

    `listed` are the titles on the subscriber's list, and `watchable` is a title that was ready before anything failed.
    """

    product: Product
    film: Path
    storefront: Storefront
    subscriber: SomeViewer
    subscription_id: str
    watchable: str
    uploads: list[Sent] = field(default_factory=list)
    viewers: list[PatientViewer] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, product: Product, film: Path) -> Workload:
        """Subscribe a viewer and publish a film before anything fails."""
        endpoints = product.endpoints
        storefront = Storefront(endpoints)
        first = storefront.send(f"{KNOWN}.mp4", film)
        offer = {"name": "Monthly", "price": "7.99", "currency": "EUR"}
        plan_id = as_owner(endpoints, "POST", "plans", offer).json()["id"]
        subscriber = make_confirmed_viewer(product)
        begun = subscriber.ask("POST", "subscriptions", {"plan_id": plan_id})
        assert begun.status_code == 201, begun.text
        made = cls(product, film, storefront, subscriber, begun.json()["subscription_id"], first.title_id)
        made.at_paypal("approve")
        until(lambda: subscriber.entitlement()["entitled"], within_s=300, what="the subscription entitles")
        assert storefront.ended([first], within_s=ENCODED_WITHIN_S)[first.blob]["status"] == "ready"
        return made

    def do(self, name: str, *, number: int) -> None:
        """Do one of everything.

        Upload a film, register, watch and rate a title, pay or have a payment refunded, and put a title on a list. In
        every fourth run, the new account is deleted.
        """
        sent = self._upload(f"{name}/{KNOWN}.mp4")
        self.uploads.append(sent)
        email = f"{name}-{secrets.token_hex(4)}@example.org"
        viewer = PatientViewer(self.product.endpoints, email, network=number)
        self.viewers.append(viewer)
        viewer.register()
        self.at_paypal("refund" if number % 3 == 2 else "pay")
        viewer.watch(self.watchable)
        if (number + number // 20) % 4 == 3:  # other places of each round of 20 kinds
            viewer.leave()
        marked = acknowledged(lambda: self.subscriber.ask("PUT", f"list/{sent.title_id}"), what="a mark")
        if marked.ok:
            self.listed.add(sent.title_id)

    def at_paypal(self, action: str) -> None:
        """Run an action on the subscription in the simulator of PayPal, such as `pay` or `refund`."""
        address = f"{self.product.endpoints['paypal']}/_simulator/subscriptions/{self.subscription_id}/{action}"
        acknowledged(lambda: requests.post(address, json={}, timeout=TIMEOUT_S), what=f"{action} at PayPal")

    def forget(self) -> None:
        """Forget what was compared with the product."""
        for viewer in self.viewers:
            viewer.close()
        self.viewers.clear()
        self.uploads.clear()

    def close(self) -> None:
        """Close the connections."""
        self.forget()
        self.storefront.close()

    def _upload(self, blob: str) -> Sent:
        def sent() -> Sent | None:
            try:
                return self.storefront.send(blob, self.film)
            except AzureError:
                return None

        return until(sent, within_s=ANSWERED_WITHIN_S, what=f"the upload {blob} is acknowledged")
