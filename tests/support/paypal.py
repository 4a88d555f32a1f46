"""A running PayPal simulator, a client of its API, and a webhook that collects what it receives."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import requests
import uvicorn

from infra.local.paypal.app import create_app
from infra.local.paypal.identity import CLIENT_ID, WEBHOOK_ID
from infra.local.paypal.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SECRET = "a secret of tests"


@dataclass(frozen=True, slots=True)
class PayPal:
    """The address of a simulator, and what its client needs."""

    url: str
    client_id: str = CLIENT_ID
    client_secret: str = SECRET
    webhook_id: str = WEBHOOK_ID
    running: Simulator | None = None

    @property
    def simulator(self) -> Simulator:
        """Return the simulator itself, where it runs in this process."""
        assert self.running is not None
        return self.running

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Use the control API: `control("PATCH", "switches", copies=2)`; return its answer."""
        answer = requests.request(method, f"{self.url}/_simulator/{path}", json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def settle(self) -> None:
        """Wait until every event has been delivered."""
        assert self.control("GET", "settled?timeout_s=20")["settled"], "events still wait"

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
    """Run a simulator with its data in `data`, on a free port unless one is given."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        simulator = Simulator(data, url, client_id=CLIENT_ID, client_secret=SECRET)
        if webhook_url:
            simulator.webhooks.register(WEBHOOK_ID, webhook_url)
        server = uvicorn.Server(uvicorn.Config(create_app(simulator), log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        listening.listen()  # from now on connections wait for the server instead of being refused
        thread.start()
        try:
            yield PayPal(url, running=simulator)
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Received:
    """A transmission that the webhook received."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """A webhook that answers `status` and collects what it receives; `statuses` are answered first, one each."""

    status: int = 200
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Serve on a free port."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name that http.server prescribes
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.received.append(Received({name.upper(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else outer.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

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
    """Create a product and a plan with one endless cycle; return the plan's id; `more` overrides fields."""
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
    """Create a subscription that waits for approval."""
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
    """Create a subscription that is approved and paid; return its id."""
    made = make_subscription(paypal, plan or make_plan(paypal), **more)
    paypal.control("POST", f"subscriptions/{made['id']}/approve")
    return str(made["id"])
