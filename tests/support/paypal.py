"""A running PayPal simulator, a client of its API, and a webhook that records requests."""

from __future__ import annotations

import base64
import threading
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from infra.local.simulators.paypal import CLIENT_ID, WEBHOOK_ID
from infra.local.simulators.paypal.simulator import PayPalSimulator, create_app
from tests.support.asgi_server import bound_socket, serving_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SECRET = "a secret of tests"


@dataclass(frozen=True, slots=True)
class PayPal:
    """The address of a simulator, and the credentials of its client."""

    url: str
    client_id: str = CLIENT_ID
    client_secret: str = SECRET
    webhook_id: str = WEBHOOK_ID
    running: PayPalSimulator | None = None

    @property
    def simulator(self) -> PayPalSimulator:
        """Return the simulator itself, which runs in this process."""
        assert self.running is not None
        return self.running

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the control API, as in `control("PATCH", "switches", copies=2)`, and return its answer."""
        answer = requests.request(method, f"{self.url}/_simulator/{path}", json=body, timeout=300)
        assert answer.ok, answer.text
        return answer.json()

    def settle(self) -> None:
        """Wait until every event has been delivered."""
        assert self.control("GET", "settled?timeout_s=240")["settled"], "events are still pending"

    def token(self) -> str:
        """Return an access token."""
        answer = requests.post(
            f"{self.url}/v1/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(self.client_id, self.client_secret),
            timeout=30,
        )
        return str(answer.json()["access_token"])

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Call the API with a fresh token."""
        own = {"Authorization": f"Bearer {self.token()}"}
        return requests.request(method, self.url + path, json=body, headers={**own, **(headers or {})}, timeout=30)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Call the API and return the answer's JSON; the call must succeed."""
        answer = self.call(method, path, body, headers)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


@contextmanager
def running_simulator(data: Path, *, webhook_url: str = "", port: int = 0) -> Iterator[PayPal]:
    """Run a simulator with its state in `data`, on a free port unless one is given."""
    with bound_socket(port) as (bound, url):
        simulator = PayPalSimulator(data, url, client_id=CLIENT_ID, client_secret=SECRET)
        if webhook_url:
            simulator.webhooks.register(WEBHOOK_ID, webhook_url)
        with serving_app(create_app(simulator), bound):
            yield PayPal(url, running=simulator)


@dataclass
class Received:
    """A transmission that the webhook received."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """A webhook that records requests. It answers with each of `statuses` once, then always with `status`."""

    status: int = 200
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Serve the webhook on a free port."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # name required by http.server
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.received.append(Received({name.upper(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else outer.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = False
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def make_plan(paypal: PayPal, *, price: str = "7.99", unit: str = "MONTH", **more: Any) -> str:
    """Create a product and a plan, and return the id of the plan; `more` overrides fields."""
    product = paypal.ask("POST", "/v1/catalogs/products", {"name": "Notflix", "type": "SERVICE"})["id"]
    body = {
        "product_id": product,
        "name": "Monthly",
        "billing_cycles": [
            {
                "frequency": {"interval_unit": unit, "interval_count": 1},
                "tenure_type": "REGULAR",
                "sequence": 1,
                "total_cycles": 0,
                "pricing_scheme": {"fixed_price": {"value": price, "currency_code": "EUR"}},
            }
        ],
        "payment_preferences": {"auto_bill_outstanding": True, "payment_failure_threshold": 2},
        **more,
    }
    return str(paypal.ask("POST", "/v1/billing/plans", body)["id"])


def make_subscription(paypal: PayPal, plan: str, **more: Any) -> Any:
    """Create a subscription that waits for approval, and return it."""
    body = {
        "plan_id": plan,
        "custom_id": "user-1",
        "application_context": {
            "brand_name": "Notflix",
            "return_url": "https://notflix.example/subscribed.html?from=paypal",
            "cancel_url": "https://notflix.example/plans.html",
        },
        **more,
    }
    return paypal.ask("POST", "/v1/billing/subscriptions", body, {"Prefer": "return=representation"})


def make_active(paypal: PayPal, plan: str | None = None, **more: Any) -> str:
    """Create a subscription that has been approved and paid, and return its id."""
    made = make_subscription(paypal, plan or make_plan(paypal), **more)
    paypal.control("POST", f"subscriptions/{made['id']}/approve")
    return str(made["id"])


def transactions_of(paypal: PayPal, id_: str) -> list[Any]:
    """Return all transactions of a subscription."""
    query = "start_time=2000-01-01T00:00:00Z&end_time=2100-01-01T00:00:00.000Z"
    found: list[Any] = paypal.ask("GET", f"/v1/billing/subscriptions/{id_}/transactions?{query}")["transactions"]
    return found


def chain_of(received: Received) -> list[x509.Certificate]:
    """Return the certificates, leaf first, at the address that the headers of a transmission contain."""
    return x509.load_pem_x509_certificates(requests.get(received.headers["PAYPAL-CERT-URL"], timeout=30).content)


def is_signed(received: Received, webhook_id: str) -> bool:
    """Return whether a transmission is signed for a webhook by the leaf certificate at the URL in its headers."""
    headers = received.headers
    parts = (headers["PAYPAL-TRANSMISSION-ID"], headers["PAYPAL-TRANSMISSION-TIME"], webhook_id)
    message = "|".join((*parts, str(zlib.crc32(received.body)))).encode()
    key = chain_of(received)[0].public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        signature = base64.b64decode(headers["PAYPAL-TRANSMISSION-SIG"])
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
