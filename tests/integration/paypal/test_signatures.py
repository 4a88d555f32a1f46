"""Genuine transmissions have a valid signature; forged transmissions are invalid in the way that their mode defines."""

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
from infra.local.simulators.paypal.signing import text_for
from tests.support.paypal import Received, chain_of, is_signed

if TYPE_CHECKING:
    from tests.support.paypal import PayPal

SALE = {"id": "WH-1", "resource_type": "sale", "resource": {"amount": {"total": "7.99"}}}


def sign(paypal: PayPal, event: object, mode: str = "genuine") -> Received:
    (signed,) = paypal.control("POST", "sign", events=[event], mode=mode)["transmissions"]
    return Received(signed["headers"], signed["body"].encode())


@pytest.mark.parametrize(
    "raw",
    [
        '{"amount": 1.10, "id": "a"}',
        '{ "webhook_event": {"webhook_event": 1},\n "text": "}, \\"webhook_event\\": 2 { é \\u00e9 \\/" }',
        '{"list":[1e5,-0.0,null,true]}',
    ],
)
def test_a_genuine_signature_covers_each_byte_of_the_body(paypal: PayPal, raw: str) -> None:
    received = sign(paypal, raw)
    assert received.body == raw.encode()
    assert is_signed(received, paypal.webhook_id)
    assert not is_signed(Received(received.headers, received.body + b" "), paypal.webhook_id)


@pytest.mark.parametrize("mode", ["other_key", "altered_body", "sha1", "literal_webhook_id"])
def test_the_signature_of_a_forged_event_is_not_valid(paypal: PayPal, mode: str) -> None:
    assert not is_signed(sign(paypal, SALE, mode), paypal.webhook_id)


def test_the_literal_webhook_id_is_signed_as_by_the_public_event_simulator(paypal: PayPal) -> None:
    assert is_signed(sign(paypal, SALE, "literal_webhook_id"), "WEBHOOK_ID")


def test_a_transmission_without_headers_has_no_signature(paypal: PayPal) -> None:
    assert not [name for name in sign(paypal, SALE, "no_headers").headers if name.startswith("PAYPAL-")]


def test_an_altered_body_with_the_same_crc_keeps_its_signature(paypal: PayPal) -> None:
    genuine, forged = sign(paypal, SALE), sign(paypal, SALE, "same_crc_body")
    resource: Any = json.loads(forged.body)["resource"]
    assert resource["amount"]["total"] == "9999.99"
    assert zlib.crc32(forged.body) == zlib.crc32(genuine.body)
    assert is_signed(forged, paypal.webhook_id), "as at PayPal: only the resource itself can be trusted"


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_any_text_gets_any_crc(before: bytes, after: bytes, wanted: int) -> None:
    text = text_for(before, after, wanted)
    assert zlib.crc32(before + text + after) == wanted
    assert json.loads(b'"' + text + b'"') == text.decode()


@pytest.mark.parametrize("mode", ["own_chain", "expired", "other_name", "redirect"])
def test_a_forged_chain_is_wrong_in_one_way(paypal: PayPal, mode: str) -> None:
    received = sign(paypal, SALE, mode)
    leaf, middle = chain_of(received)
    assert is_signed(received, paypal.webhook_id)
    leaf.verify_directly_issued_by(middle)
    (name,) = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert (name.value == LEAF_NAME) == (mode != "other_name")
    assert (leaf.not_valid_after_utc < datetime.now(UTC)) == (mode == "expired")
    root = x509.load_pem_x509_certificate(paypal.simulator.authority.root.encode())
    if mode in ("expired", "other_name"):
        middle.verify_directly_issued_by(root)
    else:
        with pytest.raises(InvalidSignature):
            middle.verify_directly_issued_by(root)


def test_the_addresses_of_forged_certificates_are_what_their_modes_say(paypal: PayPal) -> None:
    urls = {
        mode: sign(paypal, SALE, mode).headers["PAYPAL-CERT-URL"] for mode in ("redirect", "http_url", "wrong_host")
    }
    assert requests.get(urls["redirect"], timeout=30, allow_redirects=False).status_code == 302
    assert urlsplit(urls["http_url"]).scheme == "http"
    assert urlsplit(urls["wrong_host"]).hostname == "api.paypal.com.certificates.example"
    assert requests.get(f"{paypal.url}/v1/notifications/certs/CERT-none", timeout=30).status_code == 404


def test_signing_needs_a_known_mode(paypal: PayPal) -> None:
    answer = requests.post(f"{paypal.url}/_simulator/sign", json={"events": [SALE], "mode": "md5"}, timeout=30)
    assert answer.status_code == 422
    assert "same_crc_body" in answer.json()["error"]
