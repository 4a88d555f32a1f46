"""The approval page and the overview work in a browser without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import requests

from tests.support.paypal import make_active, make_plan, make_subscription

if TYPE_CHECKING:
    from typing import Any

    from tests.support.paypal import PayPal


def approval_of(subscription: Any) -> str:
    return str(next(link["href"] for link in subscription["links"] if link["rel"] == "approve"))


def decide(url: str, decision: str) -> requests.Response:
    token = parse_qs(urlsplit(url).query)["ba_token"][0]
    form = {"ba_token": token, "decision": decision}
    return requests.post(url, data=form, timeout=30, allow_redirects=False)


def test_the_page_says_what_is_bought_and_that_it_is_a_simulator(paypal: PayPal) -> None:
    plan = make_plan(paypal, name="Films <monthly>", description="All & more")
    page = requests.get(approval_of(make_subscription(paypal, plan)), timeout=30)
    assert page.status_code == 200
    assert "7.99 EUR every month" in page.text
    assert "Films &lt;monthly&gt;" in page.text and "All &amp; more" in page.text
    assert "This is not PayPal. No money moves." in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_approving_leads_back_with_what_paypal_adds(paypal: PayPal) -> None:
    subscription = make_subscription(paypal, make_plan(paypal))
    url = approval_of(subscription)
    answer = decide(url, "approve")
    assert answer.status_code == 303
    target = urlsplit(answer.headers["location"])
    assert target.netloc + target.path == "notflix.example/subscribed.html"
    token = parse_qs(urlsplit(url).query)["ba_token"]
    expected = {"from": ["paypal"], "subscription_id": [subscription["id"]], "ba_token": token, "token": token}
    assert parse_qs(target.query) == expected
    assert paypal.ask("GET", f"/v1/billing/subscriptions/{subscription['id']}")["status"] == "ACTIVE"


def test_cancelling_leads_to_the_other_page_and_changes_nothing(paypal: PayPal) -> None:
    subscription = make_subscription(paypal, make_plan(paypal))
    answer = decide(approval_of(subscription), "cancel")
    assert answer.headers["location"].startswith("https://notflix.example/plans.html?subscription_id=")
    assert paypal.ask("GET", f"/v1/billing/subscriptions/{subscription['id']}") == subscription


def test_a_page_decides_once(paypal: PayPal) -> None:
    subscription = make_subscription(paypal, make_plan(paypal))
    url = approval_of(subscription)
    assert decide(url, "approve").status_code == 303
    again = decide(url, "approve")
    assert again.status_code == 410 and "the subscription is active" in again.text
    assert requests.get(url, timeout=30).status_code == 410
    query = "?start_time=2000-01-01T00:00:00Z&end_time=2100-01-01T00:00:00Z"
    path = f"/v1/billing/subscriptions/{subscription['id']}/transactions{query}"
    assert len(paypal.ask("GET", path)["transactions"]) == 1


def test_an_unknown_token_is_told_so(paypal: PayPal) -> None:
    answer = requests.get(f"{paypal.url}/webapps/billing/subscriptions?ba_token=BA-NONE", timeout=30)
    assert answer.status_code == 404 and "no such approval page" in answer.text


def test_the_overview_lists_subscriptions_and_its_forms_lead_back_to_it(paypal: PayPal) -> None:
    id_ = make_active(paypal)
    assert id_ in requests.get(paypal.url, timeout=30).text
    form = requests.post(
        f"{paypal.url}/_simulator/subscriptions/{id_}/cancel",
        data={"note": "by hand"},
        headers={"Origin": paypal.url},
        timeout=30,
    )
    assert form.url == f"{paypal.url}/" and "cancelled" in form.text
    again = requests.post(f"{paypal.url}/_simulator/subscriptions/{id_}/cancel", data={"note": "x"}, timeout=30)
    assert again.status_code == 422 and "<h1>" in again.text and "Invalid subscription status" in again.text
    moved = requests.post(f"{paypal.url}/_simulator/clock", data={"days": "31"}, timeout=30)
    assert "moved" in moved.text
    slow = requests.post(f"{paypal.url}/_simulator/switches", data={"copies": "2"}, timeout=30)
    assert slow.status_code == 200
    assert paypal.control("GET", "switches")["copies"] == 2
