"""PayPal client based on paypalrestsdk's `Api`: products, plans, subscriptions, transactions; all with time limits.

The library itself logs the Authorization header outside live mode and follows redirects. It has no time limits, not
even for requesting the access token. This module corrects all three defects.

An answer of PayPal is not stored if one that was requested later is stored already. An instance whose clock is ahead
could therefore keep the other instances' answers from being stored. So an instance uses no answers while its clock
differs from PayPal's.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import requests
from paypalrestsdk import Api, exceptions
from pydantic import BaseModel, ValidationError

from functions.billing.money import value_of
from functions.billing.paypal_schemas import (
    CreatedResource,
    RefundResource,
    SaleResource,
    SubscriptionResource,
    Transactions,
    WebhookListResource,
)
from functions.platform.errors import Malformed, PayPalRefused, StoreUnavailable
from functions.platform.time import to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.billing.model import Charge, Offer, RemoteSubscription

TIMEOUT_S = 10
WRONG_CLOCK = timedelta(minutes=5)
"""How far this instance's clock may differ from PayPal's."""

FAILURES_BEFORE_SUSPENSION = 2
SAFE_IN_PATH = "-_"
WEBHOOKS = "/v1/notifications/webhooks"

logging.getLogger("paypalrestsdk").setLevel(logging.CRITICAL)


class _LimitedApi(Api):  # type: ignore[misc]  # the library has no types
    """The library's client, with a time limit on every call and without redirects."""

    def http_call(self, url: str, method: str, **options: Any) -> Any:
        """Send one request."""
        return super().http_call(url, method, **{"timeout": TIMEOUT_S, "allow_redirects": False, **options})

    def handle_response(self, response: requests.Response, content: str) -> Any:
        """Return the content of an answer. Raises StoreUnavailable for an answer to a GET while our clock is wrong."""
        if response.request.method == "GET":
            _check_clock(response.headers.get("Date", ""))
        return super().handle_response(response, content)


class PayPalClient:
    """The merchant's account at PayPal; methods raise StoreUnavailable and PayPalRefused."""

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self._base = url.rstrip("/")
        # "live" only switches off logging; the endpoint decides which PayPal is called
        self._api = _LimitedApi(mode="live", endpoint=self._base, client_id=client_id, client_secret=client_secret)

    def create_plan(self, offer: Offer, *, request_id: str) -> tuple[str, str]:
        product = {"name": offer.name, "type": "SERVICE", "category": "ONLINE_SERVICES"}
        made = self._post("/v1/catalogs/products", product, CreatedResource, request_id=f"{request_id}-product")
        price = {"value": value_of(offer.price_minor, offer.currency), "currency_code": offer.currency}
        cycle = {
            "frequency": {"interval_unit": offer.interval.value, "interval_count": offer.count},
            "tenure_type": "REGULAR",
            "sequence": 1,
            "total_cycles": 0,  # unlimited, until the subscription is cancelled
            "pricing_scheme": {"fixed_price": price},
        }
        plan = {
            "product_id": made.id,
            "name": offer.name,
            **({"description": offer.description} if offer.description else {}),
            "status": "ACTIVE",
            "billing_cycles": [cycle],
            "payment_preferences": {
                "auto_bill_outstanding": True,
                "payment_failure_threshold": FAILURES_BEFORE_SUSPENSION,
            },
        }
        return made.id, self._post("/v1/billing/plans", plan, CreatedResource, request_id=f"{request_id}-plan").id

    def retire_plan(self, plan_id: str) -> None:
        try:
            self._call("POST", f"/v1/billing/plans/{_in_path(plan_id)}/deactivate", {})
        except PayPalRefused as refusal:
            if "PLAN_STATUS_INVALID" not in refusal.detail:
                raise

    def subscribe(
        self,
        plan_id: str,
        user_id: str,
        *,
        request_id: str,
        return_url: str,
        cancel_url: str,
        starts_at: datetime | None,
    ) -> RemoteSubscription:
        asked = {
            "plan_id": plan_id,
            "custom_id": user_id,
            **({"start_time": to_text(starts_at)} if starts_at else {}),
            "application_context": {
                "brand_name": "Notflix",
                "shipping_preference": "NO_SHIPPING",
                "user_action": "SUBSCRIBE_NOW",
                "return_url": return_url,
                "cancel_url": cancel_url,
            },
        }
        made = self._post("/v1/billing/subscriptions", asked, SubscriptionResource, request_id=request_id)
        return _converted(made.remote)

    def subscription(self, subscription_id: str) -> RemoteSubscription | None:
        found = self._find(f"/v1/billing/subscriptions/{_in_path(subscription_id)}", SubscriptionResource)
        return _converted(found.remote) if found else None

    def charges(self, subscription_id: str, *, since: datetime, until: datetime) -> list[Charge]:
        query = urlencode({"start_time": to_text(since), "end_time": to_text(until)})
        path = f"/v1/billing/subscriptions/{_in_path(subscription_id)}/transactions?{query}"
        found = self._find(path, Transactions)
        return [_converted(transaction.charge) for transaction in found.transactions] if found else []

    def refund(self, refund_id: str) -> tuple[str, int] | None:
        found = self._find(f"/v1/payments/refund/{_in_path(refund_id)}", RefundResource)
        return (found.sale_id, _converted(found.total_minor)) if found else None

    def subscription_of_sale(self, sale_id: str) -> str | None:
        found = self._find(f"/v1/payments/sale/{_in_path(sale_id)}", SaleResource)
        return (found.billing_agreement_id or None) if found else None

    def cancel(self, subscription_id: str, *, reason: str) -> None:
        try:
            self._call("POST", f"/v1/billing/subscriptions/{_in_path(subscription_id)}/cancel", {"reason": reason})
        except _Missing:
            return
        except PayPalRefused as refusal:
            if "SUBSCRIPTION_STATUS_INVALID" not in refusal.detail:
                raise

    def webhooks_after_login(self) -> dict[str, str]:
        self._api.token_hash = None  # the next call requests a token, even if an earlier one is still valid
        return self._webhooks()

    def _webhooks(self) -> dict[str, str]:
        kept = _read(self._call("GET", WEBHOOKS), WebhookListResource)
        return {webhook.id: webhook.url for webhook in kept.webhooks}

    def webhook_at(self, address: str) -> str:
        """Return the id of the webhook that sends events to an address; create the webhook if there is none yet."""
        for webhook_id, url in self._webhooks().items():
            if url == address:
                return webhook_id
        asked = {"url": address, "event_types": [{"name": "*"}]}
        return self._post(
            WEBHOOKS, asked, CreatedResource, request_id=f"webhook-{hashlib.sha256(address.encode()).hexdigest()[:32]}"
        ).id

    def _find[Resource: BaseModel](self, path: str, kind: type[Resource]) -> Resource | None:
        try:
            return _read(self._call("GET", path), kind)
        except _Missing:
            return None

    def _post[Resource: BaseModel](self, path: str, body: object, kind: type[Resource], *, request_id: str) -> Resource:
        # `Prefer` requests the whole resource; the request id is hashed because some calls limit it to 38 characters
        key = hashlib.sha256(request_id.encode()).hexdigest()[:32]
        headers = {"PayPal-Request-Id": key, "Prefer": "return=representation"}
        return _read(self._call("POST", path, body, headers), kind)

    def _call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        """Send a request; after a 401 send it once more with a new access token."""
        data = None if body is None else json.dumps(body)
        for attempt in (1, 2):
            try:
                return self._api.http_call(
                    f"{self._base}{path}", method, data=data, headers={**self._api.headers(), **(headers or {})}
                )
            except exceptions.UnauthorizedAccess:
                self._api.token_hash = None
                if attempt == 2:
                    raise PayPalRefused(
                        "PayPal does not accept PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET; check both settings."
                    ) from None
            except exceptions.ResourceNotFound:
                raise _Missing(f"PayPal has nothing at {path.partition('?')[0]}.") from None
            except exceptions.ConnectionError as error:
                raise _error_of(error) from None
            except (requests.RequestException, ValueError) as error:
                raise StoreUnavailable(
                    f"PayPal does not answer ({type(error).__name__}); try again in a minute."
                ) from None
        raise AssertionError("unreachable")


def _check_clock(said: str) -> None:
    """Raise StoreUnavailable if PayPal's time, from the header `Date`, is not ours."""
    try:
        ahead = datetime.now(UTC) - parsedate_to_datetime(said)
    except (ValueError, TypeError):  # no time, or one without a zone
        return
    if abs(ahead) > WRONG_CLOCK:
        raise StoreUnavailable(
            f"The clock of this machine differs from PayPal's by {abs(ahead) // timedelta(minutes=1)} minutes; "
            "PayPal's answers are used once it is right."
        )


class _Missing(PayPalRefused):
    """PayPal has no such resource."""


def _error_of(error: exceptions.ConnectionError) -> StoreUnavailable | PayPalRefused:
    """Return the exception to raise for an unsuccessful response."""
    status = error.response.status_code
    if status in (408, 425, 429) or status >= 500:
        return StoreUnavailable(f"PayPal cannot answer now (HTTP {status}); try again in a minute.")
    try:
        said = json.loads(error.content or "{}")
        issues = [str(detail.get("issue", "")) for detail in said.get("details", [])]
        words = " ".join(filter(None, [str(said.get("name", "")), *issues, str(said.get("message", ""))]))
    except (ValueError, AttributeError, TypeError):
        words = ""
    return PayPalRefused(f"PayPal refuses (HTTP {status}): {words or 'it gives no reason.'}")


def _read[Resource: BaseModel](answer: Any, kind: type[Resource]) -> Resource:
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        raise PayPalRefused(f"PayPal's answer does not match its documentation ({fields}).") from None


def _converted[Value](convert: Callable[[], Value]) -> Value:
    """Return a converted response. Raises PayPalRefused if it contains an amount that cannot be parsed."""
    try:
        return convert()
    except Malformed as error:
        raise PayPalRefused(f"PayPal's answer has an amount that cannot be read: {error.detail}") from None


def _in_path(name: str) -> str:
    return quote(name, safe=SAFE_IN_PATH)
