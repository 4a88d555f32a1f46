"""Webhooks: who is told of events, and the check of a signature (Webhooks Management v1)."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.checks import Fields
from infra.local.simulators.paypal.errors import PayPalError, invalid, not_found
from infra.local.simulators.paypal.events import EVENT_TYPES
from infra.local.simulators.paypal.forgery import ALGORITHM
from infra.local.simulators.paypal.shapes import link, webhook_id

if TYPE_CHECKING:
    from infra.local.simulators.paypal.certificates import Signer
    from infra.local.simulators.paypal.forgery import Sender
    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.store import Store

WEBHOOKS_PATH = "/v1/notifications/webhooks"
MOST_WEBHOOKS = 10

_BLANK = " \t\r\n"


class Webhooks:
    """The webhooks that are registered, and the judge of what claims to have been sent to them."""

    def __init__(self, store: Store, base: str, *, signer: Signer, sender: Sender) -> None:
        self._store = store
        self._base = base
        self._signer = signer
        self._sender = sender

    def register(self, id_: str, url: str) -> None:
        """Make sure that the webhook `id_` exists and leads to `url`; its events stay as they were set."""
        known = self._store.get("webhook", id_)
        types = known["event_types"] if known else [{"name": "*"}]
        self._store.put("webhook", id_, {"id": id_, "url": url, "event_types": types})

    def create(self, body: object) -> Document:
        """Register a webhook."""
        given = Fields(body)
        url = given.address("url")
        types = _event_types(given)
        known = self._store.all("webhook")
        if any(each["url"] == url for each in known):
            raise PayPalError(400, "WEBHOOK_URL_ALREADY_EXISTS")
        if len(known) >= MOST_WEBHOOKS:
            raise invalid("/url", "WEBHOOK_NUMBER_LIMIT_EXCEEDED", "The maximum number of webhooks is registered.")
        id_ = webhook_id()
        self._store.put("webhook", id_, {"id": id_, "url": url, "event_types": types})
        return self.get(id_)

    def get(self, id_: str) -> Document:
        """Return a webhook."""
        webhook = self._store.get("webhook", id_)
        if webhook is None:
            raise not_found()
        href = f"{self._base}{WEBHOOKS_PATH}/{id_}"
        links = [link(href, "self", "GET"), link(href, "update", "PATCH"), link(href, "delete", "DELETE")]
        return {**webhook, "links": links}

    def list(self) -> Document:
        """Return all webhooks."""
        return {"webhooks": [self.get(each["id"]) for each in self._store.all("webhook")]}

    def patch(self, id_: str, body: object) -> Document:
        """Replace a webhook's address or its events."""
        webhook = {name: value for name, value in self.get(id_).items() if name != "links"}
        for index, operation in enumerate(body if isinstance(body, list) else [None]):
            given = Fields(operation, f"/{index}")
            given.choice("op", ("replace",))
            path = given.choice("path", ("/url", "/event_types"))
            if path == "/url":
                webhook["url"] = given.address("value")
            else:
                webhook["event_types"] = _event_types(given, "value")
        self._store.put("webhook", id_, webhook)
        return self.get(id_)

    def delete(self, id_: str) -> None:
        """Forget a webhook."""
        self.get(id_)
        self._store.remove("webhook", id_)

    def verify(self, raw: bytes) -> Document:
        """Say whether PayPal signed this event for this webhook; its bytes count as they stand in the request."""
        try:
            text = raw.decode()
            given = Fields(json.loads(text))
        except ValueError:
            raise invalid("/", "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.") from None
        names = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time", "webhook_id")
        claim = {name: given.text(name, longest=500) for name in names}
        given.child("webhook_event")
        event = _member(text, "webhook_event").encode()
        holds = (
            claim["auth_algo"] == ALGORITHM
            and claim["cert_url"] == self._sender.address_of(self._signer)
            and claim["webhook_id"] != "WEBHOOK_ID"
            and self._store.get("webhook", claim["webhook_id"]) is not None
            and self._signer.verifies(
                f"{claim['transmission_id']}|{claim['transmission_time']}|{claim['webhook_id']}|"
                f"{zlib.crc32(event)}".encode(),
                claim["transmission_sig"],
            )
        )
        return {"verification_status": "SUCCESS" if holds else "FAILURE"}


def _event_types(given: Fields, name: str = "event_types") -> list[Document]:
    return [{"name": each.choice("name", (*EVENT_TYPES, "*"))} for each in given.children(name, most=500)]


def _member(text: str, wanted: str) -> str:
    """Return the text of a member of a JSON object exactly as it stands; of several alike the last, as `json` does.

    `text` is known to be such an object.
    """
    decoder, found, at = json.JSONDecoder(), "", text.index("{") + 1
    while True:
        at = _past_blank(text, at)
        if text[at] == "}":
            return found
        name, at = decoder.raw_decode(text, at)
        start = _past_blank(text, _past_blank(text, at) + 1)  # past the colon
        _, at = decoder.raw_decode(text, start)
        if name == wanted:
            found = text[start:at]
        at = _past_blank(text, at)
        if text[at] == ",":
            at += 1


def _past_blank(text: str, at: int) -> int:
    while text[at] in _BLANK:
        at += 1
    return at
