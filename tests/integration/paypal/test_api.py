"""The API answers like PayPal's: access, products, plans, subscriptions, idempotency, errors, faults."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from paypalrestsdk import Api

from tests.support.paypal import make_active, make_plan, make_subscription

if TYPE_CHECKING:
    from tests.support.paypal import PayPal

WEBHOOKS = "/v1/notifications/webhooks"
SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def token_of(paypal: PayPal, secret: str, grant: str = "client_credentials") -> requests.Response:
    return requests.post(
        f"{paypal.url}/v1/oauth2/token",
        data={"grant_type": grant},
        auth=(paypal.client_id, secret),
        timeout=30,
    )


def issue_of(answer: requests.Response) -> tuple[int, str, str]:
    """Return the status, name and first issue of an error after checking the error's structure."""
    body = answer.json()
    assert body["message"] and body["debug_id"] and body["links"][0]["rel"] == "information_link"
    return answer.status_code, body["name"], body["details"][0]["issue"] if "details" in body else ""


def link_of(resource: Any, rel: str) -> str:
    return str(next(link["href"] for link in resource["links"] if link["rel"] == rel))


# Access


def test_credentials_get_a_token_that_says_when_it_ends(paypal: PayPal) -> None:
    answer = token_of(paypal, paypal.client_secret)
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 32_400
    assert "https://uri.paypal.com/services/subscriptions" in body["scope"]


def test_wrong_credentials_and_other_grants_are_refused(paypal: PayPal) -> None:
    wrong = token_of(paypal, "wrong")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    other = token_of(paypal, paypal.client_secret, "password")
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")
    none = requests.post(f"{paypal.url}/v1/oauth2/token", data="grant_type=client_credentials", timeout=30)
    assert none.status_code == 401


def test_a_call_without_a_good_token_is_refused(paypal: PayPal) -> None:
    url = paypal.url + WEBHOOKS
    assert issue_of(requests.get(url, timeout=30))[:2] == (401, "AUTHENTICATION_FAILURE")
    token = paypal.token()
    changed = token[:-2] + ("yy" if token.endswith("xx") else "xx")
    forged = requests.get(url, headers={"Authorization": f"Bearer {changed}"}, timeout=30)
    assert (forged.status_code, forged.json()["error"]) == (401, "invalid_token")


def test_a_token_is_refused_once_it_has_expired(paypal: PayPal) -> None:
    old = {"Authorization": f"Bearer {paypal.token()}"}
    url = paypal.url + WEBHOOKS
    assert requests.get(url, headers=old, timeout=30).status_code == 200
    paypal.control("POST", "tokens/expire")
    assert requests.get(url, headers=old, timeout=30).status_code == 401


def test_the_client_library_gets_a_new_token_when_the_old_one_has_expired(paypal: PayPal) -> None:
    api = Api(mode="live", endpoint=paypal.url, client_id=paypal.client_id, client_secret=paypal.client_secret)
    assert api.post("v1/catalogs/products", {"name": "Notflix", "type": "SERVICE"}, {"PayPal-Request-Id": "p-1"})["id"]
    paypal.control("POST", "tokens/expire")
    assert len(api.get("v1/notifications/webhooks")["webhooks"]) == 1


# Products and plans


def test_a_product_is_created(paypal: PayPal) -> None:
    answer = paypal.call("POST", "/v1/catalogs/products", {"name": "Notflix", "type": "SERVICE"})
    assert answer.status_code == 201
    assert answer.headers["paypal-debug-id"]
    made = answer.json()
    assert made["id"].startswith("PROD-") and SECONDS.fullmatch(made["create_time"])


def test_a_deactivated_plan_is_closed_to_new_subscribers(paypal: PayPal) -> None:
    plan = make_plan(paypal)
    assert re.fullmatch(r"P-[0-9A-Z]{24}", plan)
    assert paypal.call("POST", f"/v1/billing/plans/{plan}/deactivate").status_code == 204
    refused = paypal.call("POST", "/v1/billing/subscriptions", {"plan_id": plan})
    assert issue_of(refused) == (422, "UNPROCESSABLE_ENTITY", "PLAN_STATUS_INVALID")
    again = paypal.call("POST", f"/v1/billing/plans/{plan}/deactivate")
    assert issue_of(again) == (422, "UNPROCESSABLE_ENTITY", "PLAN_STATUS_INVALID")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": None}, (400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")),
        ({"name": "x" * 128}, (400, "INVALID_REQUEST", "INVALID_STRING_MAX_LENGTH")),
        ({"payment_preferences": {"auto_bill_outstanding": False}}, (422, "UNPROCESSABLE_ENTITY", "NOT_SIMULATED")),
        ({"taxes": {"percentage": "10"}}, (422, "UNPROCESSABLE_ENTITY", "NOT_SIMULATED")),
        ({"billing_cycles": []}, (400, "INVALID_REQUEST", "INVALID_ARRAY_MIN_ITEMS")),
        ({"payment_preferences": None}, (400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")),
        ({"product_id": "PROD-UNKNOWN"}, (404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")),
    ],
)
def test_a_malformed_plan_is_refused_with_its_issue(
    paypal: PayPal, change: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    with pytest.raises(AssertionError) as refused:
        make_plan(paypal, **change)
    assert expected[2] in str(refused.value) and expected[1] in str(refused.value)


@pytest.mark.parametrize(
    ("cycle", "issue"),
    [
        ({"tenure_type": "TRIAL", "total_cycles": 1}, "MISSING_REGULAR_BILLING_CYCLE"),
        ({"sequence": 2}, "INVALID_BILLING_CYCLE_SEQUENCE"),
        ({"total_cycles": 12}, "NOT_SIMULATED"),
        ({"pricing_scheme": {"tiers": []}}, "NOT_SIMULATED"),
        ({"frequency": {"interval_unit": "FORTNIGHT"}}, "INVALID_PARAMETER_VALUE"),
        ({"frequency": {"interval_unit": "YEAR", "interval_count": 2}}, "INVALID_INTEGER_MAX_VALUE"),
        ({"pricing_scheme": {"fixed_price": {"value": 7.99, "currency_code": "EUR"}}}, "INVALID_PARAMETER_SYNTAX"),
        ({"pricing_scheme": {"fixed_price": {"value": "7.999", "currency_code": "EUR"}}}, "INVALID_PARAMETER_SYNTAX"),
        ({"pricing_scheme": {"fixed_price": {"value": "7.99", "currency_code": "JPY"}}}, "INVALID_PARAMETER_SYNTAX"),
        ({"pricing_scheme": {"fixed_price": {"value": "7.99", "currency_code": "XTS"}}}, "CURRENCY_NOT_SUPPORTED"),
    ],
)
def test_a_senseless_billing_cycle_is_refused_with_its_issue(
    paypal: PayPal, cycle: dict[str, object], issue: str
) -> None:
    good = {
        "frequency": {"interval_unit": "MONTH", "interval_count": 1},
        "tenure_type": "REGULAR",
        "sequence": 1,
        "total_cycles": 0,
        "pricing_scheme": {"fixed_price": {"value": "7.99", "currency_code": "EUR"}},
    }
    with pytest.raises(AssertionError, match=issue):
        make_plan(paypal, billing_cycles=[{**good, **cycle}])


# Subscriptions


def test_a_subscription_waits_for_approval_under_a_link(paypal: PayPal) -> None:
    plan = make_plan(paypal)
    body = {"plan_id": plan, "custom_id": "user-1"}
    answer = paypal.call("POST", "/v1/billing/subscriptions", body)
    assert answer.status_code == 201
    least = answer.json()
    assert least.keys() == {"id", "status", "create_time", "links"}
    assert [each["rel"] for each in least["links"]] == ["approve", "edit", "self"]
    assert re.fullmatch(r"I-[0-9A-Z]{12}", least["id"])
    whole = paypal.ask("GET", f"/v1/billing/subscriptions/{least['id']}")
    assert (whole["status"], whole["custom_id"], whole["plan_id"]) == ("APPROVAL_PENDING", "user-1", plan)
    assert "billing_info" not in whole
    asked = paypal.ask("POST", "/v1/billing/subscriptions", body, {"Prefer": "return=representation"})
    assert asked["plan_id"] == plan


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        ({"plan_id": None}, "MISSING_REQUIRED_PARAMETER"),
        ({"custom_id": "x" * 128}, "INVALID_STRING_MAX_LENGTH"),
        ({"start_time": "2020-01-01T00:00:00Z"}, "INVALID_PARAMETER_VALUE"),
        ({"start_time": "soon"}, "INVALID_PARAMETER_SYNTAX"),
        ({"application_context": {"return_url": "https://a.example/", "cancel_url": "javascript:alert(1)"}}, "SYNTAX"),
        ({"application_context": {"return_url": "https://a.example/"}}, "MISSING_REQUIRED_PARAMETER"),
        ({"quantity": "2"}, "NOT_SIMULATED"),
        ({"plan_id": "P-UNKNOWN"}, "INVALID_RESOURCE_ID"),
    ],
)
def test_a_malformed_subscription_is_refused_with_its_issue(
    paypal: PayPal, body: dict[str, object], issue: str
) -> None:
    with pytest.raises(AssertionError, match=issue):
        make_subscription(paypal, make_plan(paypal), **body)


def test_a_body_that_is_no_json_and_one_of_another_kind_are_refused(paypal: PayPal) -> None:
    headers = {"Authorization": f"Bearer {paypal.token()}"}
    url = f"{paypal.url}/v1/billing/subscriptions"
    as_json = {**headers, "Content-Type": "application/json"}
    assert issue_of(requests.post(url, data="{", headers=as_json, timeout=30))[::2] == (400, "MALFORMED_REQUEST_JSON")
    assert issue_of(requests.post(url, headers=as_json, timeout=30))[::2] == (400, "MISSING_REQUEST_BODY")
    assert requests.post(url, data="plan_id=1", headers=headers, timeout=30).status_code == 415


def test_what_does_not_exist_is_not_found(paypal: PayPal) -> None:
    for method, path in (
        ("GET", "/v1/billing/subscriptions/I-NOTHERE"),
        ("GET", "/v1/payments/sale/NOTHERE"),
        ("GET", "/v1/payments/refund/NOTHERE"),
        ("GET", "/v1/billing/plans"),  # the product does not use this, so the simulator does not support it
    ):
        assert issue_of(paypal.call(method, path)) == (404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"), path
    cancel = paypal.call("POST", "/v1/billing/subscriptions/I-NOTHERE/cancel", {"reason": "x"})
    assert cancel.status_code == 404


# Idempotency


def test_a_repeated_request_id_makes_nothing_twice(paypal: PayPal) -> None:
    plan = make_plan(paypal)
    answers = [
        paypal.call("POST", "/v1/billing/subscriptions", {"plan_id": plan}, {"PayPal-Request-Id": "once"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert len(paypal.control("GET", "subscriptions")["subscriptions"]) == 1


def test_a_request_id_is_forgotten_after_three_days_and_a_refusal_at_once(paypal: PayPal) -> None:
    headers = {"PayPal-Request-Id": "once"}
    product = {"name": "Notflix", "type": "SERVICE"}
    assert paypal.call("POST", "/v1/catalogs/products", {}, headers).status_code == 400
    first = paypal.ask("POST", "/v1/catalogs/products", product, headers)["id"]
    paypal.control("POST", "clock", hours=71)
    assert paypal.ask("POST", "/v1/catalogs/products", product, headers)["id"] == first
    paypal.control("POST", "clock", hours=2)
    assert paypal.ask("POST", "/v1/catalogs/products", product, headers)["id"] != first


# Faults


def test_calls_fail_as_often_and_only_where_the_switch_says(paypal: PayPal) -> None:
    id_ = make_active(paypal)
    paypal.control("PATCH", "switches", fault={"status": 503, "count": 2, "path": "/v1/billing"})
    assert paypal.call("GET", WEBHOOKS).status_code == 200
    failed = [paypal.call("GET", f"/v1/billing/subscriptions/{id_}") for _ in range(3)]
    assert [answer.status_code for answer in failed] == [503, 503, 200]
    assert failed[0].json()["name"] == "SERVICE_UNAVAILABLE"
    paypal.control("PATCH", "switches", fault={"status": 429})
    headers = {"Authorization": "Bearer whatever"}
    limited = requests.get(paypal.url + WEBHOOKS, headers=headers, timeout=30)
    assert issue_of(limited)[:2] == (429, "RATE_LIMIT_REACHED")


def test_a_lost_answer_leaves_its_effect_which_the_request_id_finds_again(paypal: PayPal) -> None:
    plan = make_plan(paypal)
    fault = {"status": 500, "path": "/v1/billing/subscriptions", "when": "after"}
    paypal.control("PATCH", "switches", fault=fault)
    headers = {"PayPal-Request-Id": "lost"}
    assert paypal.call("POST", "/v1/billing/subscriptions", {"plan_id": plan}, headers).status_code == 500
    again = paypal.call("POST", "/v1/billing/subscriptions", {"plan_id": plan}, headers)
    assert again.status_code == 200
    assert [each["id"] for each in paypal.control("GET", "subscriptions")["subscriptions"]] == [again.json()["id"]]


def test_every_call_takes_as_long_as_the_switch_says(paypal: PayPal) -> None:
    paypal.control("PATCH", "switches", slow_ms=300)
    began = time.monotonic()
    assert paypal.call("GET", WEBHOOKS).status_code == 200  # two calls: one for the token, and this one
    assert time.monotonic() - began >= 0.6
    paypal.control("DELETE", "switches")
    assert paypal.control("GET", "switches")["slow_ms"] == 0


def test_a_switch_that_does_not_exist_or_cannot_stand_so_is_refused_in_a_sentence(paypal: PayPal) -> None:
    for body, words in (
        ({"speed": 1}, "There is no switch speed"),
        ({"copies": 0}, "copies must be a number"),
        ({"delivery": "drop"}, "normal, hold, lose"),
        ({"fault": 500}, "fault must be an object"),
        ({"slow_ms": 5, "order": "up"}, "in, reversed"),
    ):
        answer = requests.patch(f"{paypal.url}/_simulator/switches", json=body, timeout=30)
        assert answer.status_code == 422 and words in answer.json()["error"]
    assert paypal.control("GET", "switches")["slow_ms"] == 0, "nothing is set where anything is wrong"


def test_a_page_of_another_site_may_not_use_the_controls(paypal: PayPal) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    answer = requests.post(f"{paypal.url}/_simulator/clock", json={"days": 1}, headers=headers, timeout=30)
    assert answer.status_code == 403
    assert paypal.control("GET", "clock")["offset_s"] == 0
