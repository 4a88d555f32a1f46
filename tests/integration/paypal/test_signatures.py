"""What is genuine is verified; whatever is forged is not, except where the signature cannot know."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from infra.local.simulators.paypal.certificates import LEAF_NAME
from infra.local.simulators.paypal.crc import text_for
from infra.local.simulators.paypal.forgery import MODES
from tests.support.paypal import Listener, PayPal, make_active

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSED = (
    "other_key",
    "own_chain",
    "expired",
    "other_name",
    "wrong_host",
    "http_url",
    "redirect",
    "altered_body",
    "sha1",
)


def verify(
    paypal: PayPal, headers: Mapping[str, str], event: bytes, webhook_id: str | None = None, **changes: str
) -> str:
    """Return PayPal's verdict, the event's bytes spliced into the request as they are."""
    claim = {
        "auth_algo": headers["PAYPAL-AUTH-ALGO"],
        "cert_url": headers["PAYPAL-CERT-URL"],
        "transmission_id": headers["PAYPAL-TRANSMISSION-ID"],
        "transmission_sig": headers["PAYPAL-TRANSMISSION-SIG"],
        "transmission_time": headers["PAYPAL-TRANSMISSION-TIME"],
        "webhook_id": webhook_id or paypal.webhook_id,
        **changes,
    }
    raw = json.dumps(claim).encode()[:-1] + b', "webhook_event": ' + event + b"}"
    answer = requests.post(
        f"{paypal.url}/v1/notifications/verify-webhook-signature",
        data=raw,
        headers={"Authorization": f"Bearer {paypal.token()}", "Content-Type": "application/json"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["verification_status"])


def sign(paypal: PayPal, event: object, mode: str = "genuine") -> tuple[dict[str, str], bytes]:
    (signed,) = paypal.control("POST", "sign", events=[event], mode=mode)["transmissions"]
    return signed["headers"], signed["body"].encode()


def test_a_genuine_event_is_verified_to_the_byte(paypal: PayPal, hook: Listener) -> None:
    make_active(paypal)
    paypal.settle()
    for received in hook.received:
        assert verify(paypal, received.headers, received.body) == "SUCCESS"
        assert verify(paypal, received.headers, received.body.replace(b'":"', b'": "', 1)) == "FAILURE"


@pytest.mark.parametrize(
    "raw",
    [
        '{"amount": 1.10, "id": "a"}',
        '{ "webhook_event": {"webhook_event": 1},\n "text": "}, \\"webhook_event\\": 2 { é \\u00e9 \\/" }',
        '{"list":[1e5,-0.0,null,true]}',
    ],
)
def test_the_bytes_count_whatever_stands_in_them(paypal: PayPal, raw: str) -> None:
    headers, body = sign(paypal, raw)
    assert body == raw.encode()
    assert verify(paypal, headers, body) == "SUCCESS"
    assert verify(paypal, headers, json.dumps(json.loads(raw)).encode() + b" ") == "FAILURE"


@pytest.mark.parametrize("mode", REFUSED)
def test_a_forged_event_is_not_verified(paypal: PayPal, mode: str) -> None:
    event = {"id": "WH-1", "resource_type": "sale", "resource": {"amount": {"total": "7.99"}}}
    headers, body = sign(paypal, event, mode)
    assert verify(paypal, headers, body) == "FAILURE"


def test_the_literal_webhook_id_is_no_webhook(paypal: PayPal) -> None:
    headers, body = sign(paypal, {"id": "WH-1"}, "literal_webhook_id")
    assert verify(paypal, headers, body) == "FAILURE"
    assert verify(paypal, headers, body, "WEBHOOK_ID") == "FAILURE"


def test_every_part_of_the_claim_counts(paypal: PayPal) -> None:
    headers, body = sign(paypal, {"id": "WH-1"})
    assert verify(paypal, headers, body) == "SUCCESS"
    for changes in (
        {"auth_algo": "SHA1withRSA"},
        {"cert_url": headers["PAYPAL-CERT-URL"].replace("127.0.0.1", "localhost")},
        {"cert_url": f"{headers['PAYPAL-CERT-URL']}?x=1"},
        {"transmission_id": "another"},
        {"transmission_time": "2026-01-01T00:00:00Z"},
        {"transmission_sig": "AAAA"},
        {"transmission_sig": "no base64!"},
        {"webhook_id": "4XL90610J3647323C"},
    ):
        assert verify(paypal, headers, body, **changes) == "FAILURE", changes


def test_a_claim_without_a_part_is_malformed(paypal: PayPal) -> None:
    answer = paypal.call("POST", "/v1/notifications/verify-webhook-signature", {"auth_algo": "SHA256withRSA"})
    assert answer.status_code == 400
    assert answer.json()["details"][0]["issue"] == "MISSING_REQUIRED_PARAMETER"


def test_a_body_altered_under_the_same_crc_keeps_its_signature(paypal: PayPal, hook: Listener) -> None:
    make_active(paypal)
    paypal.settle()
    sale = hook.received[-1]
    event_id = json.loads(sale.body)["id"]
    changes = {"/resource/amount/total": "0.01"}
    answer = paypal.control("POST", "forge", mode="same_crc_body", event_id=event_id, changes=changes)
    assert answer["status"] == 200
    forged = hook.received[-1]
    assert json.loads(forged.body)["resource"]["amount"]["total"] == "0.01"
    assert zlib.crc32(forged.body) == zlib.crc32(sale.body)
    assert verify(paypal, forged.headers, forged.body) == "SUCCESS", "as at PayPal: only asking again tells the truth"


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_any_text_gets_any_crc(before: bytes, after: bytes, wanted: int) -> None:
    text = text_for(before, after, wanted)
    assert zlib.crc32(before + text + after) == wanted
    assert json.loads(b'"' + text + b'"') == text.decode()


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "genuine"])
def test_a_switch_spoils_the_next_transmissions_and_the_repeat_is_genuine(
    paypal: PayPal, hook: Listener, mode: str
) -> None:
    paypal.control("PATCH", "switches", signing={"mode": mode, "count": 1})
    hook.statuses = [400]
    made: Any = paypal.control("POST", "events", event_type="TEST", resource={"id": "x", "status": "SUSPENDED"})
    paypal.settle()
    spoiled, genuine = hook.received
    if mode == "no_headers":
        assert not [name for name in spoiled.headers if name.startswith("PAYPAL-")]
    elif mode != "same_crc_body":
        assert verify(paypal, spoiled.headers, spoiled.body) == "FAILURE"
    assert verify(paypal, genuine.headers, genuine.body) == "SUCCESS"
    assert json.loads(genuine.body)["id"] == made["id"]


def test_forged_certificates_lie_where_their_headers_say(paypal: PayPal) -> None:
    addresses = {mode: sign(paypal, {"id": "1"}, mode)[0]["PAYPAL-CERT-URL"] for mode in REFUSED}
    root = x509.load_pem_x509_certificate(paypal.simulator.authority.root.encode())
    now = datetime.now(UTC)
    for mode in ("own_chain", "expired", "other_name", "redirect"):
        leaf, middle = x509.load_pem_x509_certificates(requests.get(addresses[mode], timeout=30).content)
        leaf.verify_directly_issued_by(middle)
        (name,) = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert (name.value == LEAF_NAME) == (mode != "other_name")
        assert (leaf.not_valid_after_utc < now) == (mode == "expired")
        if mode in ("expired", "other_name"):
            middle.verify_directly_issued_by(root)
        else:
            with pytest.raises(InvalidSignature):
                middle.verify_directly_issued_by(root)
    assert requests.get(addresses["redirect"], timeout=30, allow_redirects=False).status_code == 302
    assert urlsplit(addresses["http_url"]).scheme == "http"
    assert urlsplit(addresses["wrong_host"]).hostname == "api.paypal.com.certificates.example"
    assert requests.get(f"{paypal.url}/v1/notifications/certs/CERT-none", timeout=30).status_code == 404
