"""The requests that PayPal receives from us, as its documentation wants them, and what its refusals mean here."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from functions.billing.model import Interval, State
from functions.billing.paypal import PayPalClient
from functions.platform.errors import NotflixError, PayPalRefused, StoreUnavailable
from tests.support.billing import MONTHLY
from tests.support.wording import is_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKENS = "/v1/oauth2/token"
SUBSCRIPTION = {"id": "I-1", "plan_id": "P-1", "status": "APPROVAL_PENDING", "create_time": "2026-11-24T12:00:00Z"}
OFFER = replace(
    MONTHLY, name="Quarterly", description="Every film.", price_minor=1990, interval=Interval.MONTH, count=3
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the server received; `body` is the content of its JSON."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]

    @property
    def call(self) -> tuple[str, str, Any]:
        return self.method, self.path, self.body


class Server:
    """A server that issues tokens, records all other requests, and sends `answers` in turn, the last one repeatedly."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[tuple[int, Any]] = [(200, {})]
        self.tokens = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # name required by http.server
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                if self.path == TOKENS:
                    outer.tokens += 1
                    self._send(200, {"token_type": "Bearer", "access_token": f"t{outer.tokens}", "expires_in": 32400})
                    return
                body = json.loads(content) if content else None
                outer.asked.append(Asked(self.command, self.path, body, dict(self.headers)))
                self._send(*(outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]))

            do_POST = do_GET

            def _send(self, status: int, body: Any) -> None:
                text = body if isinstance(body, str) else json.dumps(body)
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *arguments: object) -> None:
                """Log nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def calls(self) -> list[tuple[str, str, Any]]:
        """Return the requests without their headers."""
        return [one.call for one in self.asked]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


@pytest.fixture
def paypal(server: Server) -> PayPalClient:
    return PayPalClient(f"http://127.0.0.1:{server.http.server_port}/", "id", "secret")


def test_a_plan_is_created_with_its_product_and_bills_until_it_is_cancelled(
    server: Server, paypal: PayPalClient
) -> None:
    server.answers = [(201, {"id": "PROD-1"}), (201, {"id": "P-1"})]
    assert paypal.create_plan(OFFER, request_id="x" * 32) == ("PROD-1", "P-1")
    product = {"name": "Quarterly", "type": "SERVICE", "category": "ONLINE_SERVICES"}
    plan = {
        "product_id": "PROD-1",
        "name": "Quarterly",
        "description": "Every film.",
        "status": "ACTIVE",
        "billing_cycles": [
            {
                "frequency": {"interval_unit": "MONTH", "interval_count": 3},
                "tenure_type": "REGULAR",
                "sequence": 1,
                "total_cycles": 0,
                "pricing_scheme": {"fixed_price": {"value": "19.90", "currency_code": "EUR"}},
            }
        ],
        "payment_preferences": {"auto_bill_outstanding": True, "payment_failure_threshold": 2},
    }
    assert server.calls == [("POST", "/v1/catalogs/products", product), ("POST", "/v1/billing/plans", plan)]


def test_a_plan_without_a_description_has_none(server: Server, paypal: PayPalClient) -> None:
    server.answers = [(201, {"id": "X-1"})]
    paypal.create_plan(replace(OFFER, description=""), request_id="x")
    assert "description" not in server.asked[1].body


def test_a_repeated_request_has_the_same_id_and_each_other_one_another(server: Server, paypal: PayPalClient) -> None:
    server.answers = [(201, {"id": "X-1"})]
    for request_id in ("one", "one", "another"):
        paypal.create_plan(OFFER, request_id=request_id)
    ids = [one.headers["PayPal-Request-Id"] for one in server.asked]
    assert ids[:2] == ids[2:4] and len(set(ids)) == 4
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids), "PayPal accepts 38 characters at most"
    assert {one.headers["Prefer"] for one in server.asked} == {"return=representation"}
    assert {one.headers["Authorization"] for one in server.asked} == {"Bearer t1"}


def test_a_subscription_is_for_a_viewer_who_returns_to_our_pages(server: Server, paypal: PayPalClient) -> None:
    approval = {"href": "https://paypal.example/approve", "rel": "approve"}
    server.answers = [
        (201, {**SUBSCRIPTION, "links": [{"href": "https://paypal.example/edit", "rel": "edit"}, approval]})
    ]
    pages = {"return_url": "https://films.example/subscribed.html", "cancel_url": "https://films.example/plans.html"}
    made = paypal.subscribe("P-1", "a" * 32, request_id="r", starts_at=None, **pages)
    assert (made.subscription_id, made.state, made.approve_url) == ("I-1", State.APPROVAL_PENDING, approval["href"])
    asked = {
        "plan_id": "P-1",
        "custom_id": "a" * 32,
        "application_context": {
            "brand_name": "Notflix",
            "shipping_preference": "NO_SHIPPING",
            "user_action": "SUBSCRIBE_NOW",
            **pages,
        },
    }
    starts_at = datetime(2026, 12, 24, 10, tzinfo=UTC)
    paypal.subscribe("P-1", "a" * 32, request_id="r", starts_at=starts_at, **pages)
    path = "/v1/billing/subscriptions"
    assert server.calls == [("POST", path, asked), ("POST", path, {**asked, "start_time": "2026-12-24T10:00:00Z"})]


def test_what_is_read_is_read_from_its_own_address(server: Server, paypal: PayPalClient) -> None:
    since, until = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 24, 12, tzinfo=UTC)
    server.answers = [
        (200, SUBSCRIPTION),
        (200, {"transactions": []}),
        (200, {"id": "R1", "sale_id": "S1", "total_refunded_amount": {"value": "-2.50", "currency": "EUR"}}),
        (200, {"id": "R1", "sale_id": "S1"}),
        (200, {"id": "S1", "billing_agreement_id": "I-1"}),
        (200, {"id": "S1"}),
    ]
    assert paypal.subscription("I-1/../x?y") is not None
    assert paypal.charges("I/1", since=since, until=until) == []
    assert [paypal.refund("R/1"), paypal.refund("R1")] == [("S1", 250), ("S1", 0)]
    assert [paypal.subscription_of_sale("S/1"), paypal.subscription_of_sale("S1")] == ["I-1", None]
    assert server.calls == [
        ("GET", "/v1/billing/subscriptions/I-1%2F..%2Fx%3Fy", None),
        (
            "GET",
            "/v1/billing/subscriptions/I%2F1/transactions?start_time=2026-11-01T00%3A00%3A00Z&end_time=2026-11-24T12%3A00%3A00Z",
            None,
        ),
        ("GET", "/v1/payments/refund/R%2F1", None),
        ("GET", "/v1/payments/refund/R1", None),
        ("GET", "/v1/payments/sale/S%2F1", None),
        ("GET", "/v1/payments/sale/S1", None),
    ]


def test_what_paypal_does_not_have_is_none(server: Server, paypal: PayPalClient) -> None:
    server.answers = [(404, {"name": "RESOURCE_NOT_FOUND"})]
    assert paypal.subscription("I-1") is None
    assert paypal.charges("I-1", since=datetime.now(UTC), until=datetime.now(UTC)) == []
    assert paypal.refund("R1") is None and paypal.subscription_of_sale("S1") is None
    paypal.cancel("I-1", reason="Cancelled by the subscriber.")
    with pytest.raises(PayPalRefused, match=r"^PayPal has nothing at /v1/billing/plans/P-1/deactivate\.$"):
        paypal.retire_plan("P-1")


def test_what_is_ended_already_need_not_be_ended(server: Server, paypal: PayPalClient) -> None:
    for status, issue in ((204, ""), (422, "SUBSCRIPTION_STATUS_INVALID")):
        server.answers = [(status, {"details": [{"issue": issue}]} if issue else "")]
        paypal.cancel("I/1", reason="Cancelled by the subscriber.")
    for status, issue in ((204, ""), (422, "PLAN_STATUS_INVALID")):
        server.answers = [(status, {"details": [{"issue": issue}]} if issue else "")]
        paypal.retire_plan("P/1")
    cancelled = ("POST", "/v1/billing/subscriptions/I%2F1/cancel", {"reason": "Cancelled by the subscriber."})
    retired: tuple[str, str, Any] = ("POST", "/v1/billing/plans/P%2F1/deactivate", {})
    assert server.calls == [cancelled, cancelled, retired, retired]
    server.answers = [(422, {"details": [{"issue": "ANOTHER"}]})]
    with pytest.raises(PayPalRefused, match="ANOTHER"):
        paypal.cancel("I-1", reason="x")
    with pytest.raises(PayPalRefused, match="ANOTHER"):
        paypal.retire_plan("P-1")


def test_a_webhook_is_made_for_an_address_that_has_none(server: Server, paypal: PayPalClient) -> None:
    address = "https://films.example/api/paypal/webhooks"
    kept = [{"id": "WH-1", "url": "https://films.example/other"}, {"id": "WH-2", "url": address}]
    server.answers = [(200, {"webhooks": kept}), (200, {"webhooks": kept[:1]}), (201, {"id": "WH-3"})]
    assert [paypal.webhook_at(address), paypal.webhook_at(address)] == ["WH-2", "WH-3"]
    path = "/v1/notifications/webhooks"
    made = ("POST", path, {"url": address, "event_types": [{"name": "*"}]})
    assert server.calls == [("GET", path, None), ("GET", path, None), made]


def test_the_test_of_the_credentials_logs_in_again(server: Server, paypal: PayPalClient) -> None:
    server.answers = [(200, {"webhooks": [{"id": "WH-1", "url": "https://films.example"}]})]
    for _ in range(2):
        assert paypal.webhooks_after_login() == {"WH-1": "https://films.example"}
    assert server.tokens == 2


def test_a_token_that_ended_is_renewed_once(server: Server, paypal: PayPalClient) -> None:
    server.answers = [(401, {}), (200, SUBSCRIPTION), (401, {})]
    assert paypal.subscription("I-1") is not None
    assert [one.headers["Authorization"] for one in server.asked] == ["Bearer t1", "Bearer t2"]
    with pytest.raises(PayPalRefused, match="PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET") as refused:
        paypal.subscription("I-1")
    assert is_sentence(refused.value.detail)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, StoreUnavailable) for status in (408, 425, 429, 500, 503)),
        *((status, PayPalRefused) for status in (302, 400, 403, 409, 422)),
    ],
)
def test_a_refusal_is_temporary_or_lasting(
    server: Server, paypal: PayPalClient, status: int, error: type[NotflixError]
) -> None:
    server.answers = [(status, "")]
    with pytest.raises(error, match=f"HTTP {status}") as refused:
        paypal.subscription("I-1")
    assert is_sentence(refused.value.detail)
    assert server.calls == [("GET", "/v1/billing/subscriptions/I-1", None)], "no redirect is followed"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"name": "UNPROCESSABLE", "message": "Wrong.", "details": [{"issue": "ONE"}, {"issue": "TWO"}]},
            "UNPROCESSABLE ONE TWO Wrong.",
        ),
        ({"name": "UNPROCESSABLE", "details": [{}]}, "UNPROCESSABLE"),
        ({"message": "Wrong."}, "Wrong."),
        ({}, "it gives no reason."),
        ("", "it gives no reason."),
        ("<html>", "it gives no reason."),
        ([], "it gives no reason."),
        ({"name": "UNPROCESSABLE", "details": 5}, "it gives no reason."),
    ],
)
def test_a_refusal_says_what_paypal_says(server: Server, paypal: PayPalClient, body: Any, words: str) -> None:
    server.answers = [(422, body)]
    with pytest.raises(PayPalRefused) as refused:
        paypal.subscription("I-1")
    assert refused.value.detail == f"PayPal refuses (HTTP 422): {words}"


def test_an_answer_that_cannot_be_read_names_its_fields(server: Server, paypal: PayPalClient) -> None:
    server.answers = [(200, {**SUBSCRIPTION, "status": "LOST", "billing_info": {"failed_payments_count": "many"}})]
    with pytest.raises(PayPalRefused) as refused:
        paypal.subscription("I-1")
    fields = "(status, billing_info.failed_payments_count)"
    assert refused.value.detail == f"PayPal's answer does not match its documentation {fields}."
    server.answers = [(200, "<html>")]
    with pytest.raises(StoreUnavailable, match="JSONDecodeError") as broken:
        paypal.subscription("I-1")
    assert is_sentence(broken.value.detail)
