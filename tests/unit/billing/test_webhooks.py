"""Which webhooks are accepted as PayPal's, and which hosts may serve their certificates."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.billing.certificates import LARGEST_BYTES, Certificates, origins_of
from functions.billing.webhooks import LARGEST_BODY
from functions.platform.errors import NotflixError, NotFromPayPal, SettingMissing, StoreUnavailable
from infra.local.simulators.paypal.certificates import make_authority
from tests.support.billing_caches import MemoryCertificates
from tests.support.web import Answer, WebServer
from tests.support.webhooks import AUTHORITY, CERTS, EVENT, PAYPAL, SIGNER, body_of, now, reader, transmission
from tests.support.wording import is_sentence

OTHER_ALGORITHM, NO_TRANSMISSION, NO_SIGNATURE = "SHA256withRSA", "transmission", "no signature"
OTHER_SIGNATURE, ELSEWHERE = "signature is not", "certificate"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"PAYPAL_AUTH_ALGO": "SHA1withRSA"}, OTHER_ALGORITHM),
        ({"PAYPAL_AUTH_ALGO": "sha256withrsa"}, OTHER_ALGORITHM),
        ({"PAYPAL_AUTH_ALGO": ""}, OTHER_ALGORITHM),
        ({"PAYPAL_TRANSMISSION_ID": ""}, NO_TRANSMISSION),
        ({"PAYPAL_TRANSMISSION_ID": "b|c"}, NO_TRANSMISSION),
        ({"PAYPAL_TRANSMISSION_TIME": "now"}, NO_TRANSMISSION),
        ({"PAYPAL_TRANSMISSION_SIG": ""}, NO_SIGNATURE),
        ({"PAYPAL_TRANSMISSION_SIG": "not base64!"}, NO_SIGNATURE),
        ({"PAYPAL_TRANSMISSION_SIG": "A" * 1028}, NO_SIGNATURE),
        ({"PAYPAL_TRANSMISSION_SIG": "A" * 1024}, OTHER_SIGNATURE),
        ({"PAYPAL_CERT_URL": ""}, ELSEWHERE),
        ({"signed_for": "WEBHOOK_ID"}, OTHER_SIGNATURE),
        ({"signed_for": "another"}, OTHER_SIGNATURE),
    ],
    ids=str,
)
def test_what_is_not_signed_as_paypal_signs_for_us_is_refused(
    server: WebServer, ca: str, changes: dict[str, str], word: str
) -> None:
    with pytest.raises(NotFromPayPal) as refused:
        reader(server, ca).read(transmission(server, body_of(), **changes), body_of(), source=PAYPAL)
    assert is_sentence(refused.value.detail) and word in refused.value.detail


@pytest.mark.parametrize(
    "missing", ["TRANSMISSION-ID", "TRANSMISSION-TIME", "TRANSMISSION-SIG", "CERT-URL", "AUTH-ALGO"]
)
def test_a_webhook_without_one_of_paypals_headers_is_refused(server: WebServer, ca: str, missing: str) -> None:
    headers = transmission(server, body_of())
    del headers[f"PAYPAL-{missing}"]
    with pytest.raises(NotFromPayPal):
        reader(server, ca).read(headers, body_of(), source=PAYPAL)
    assert server.asked == []


def test_a_body_that_was_changed_or_is_far_too_large_is_refused(server: WebServer, ca: str) -> None:
    headers = transmission(server, body_of())
    with pytest.raises(NotFromPayPal):
        reader(server, ca).read(headers, body_of() + b" ", source=PAYPAL)
    assert len(server.asked) == 1
    large = b" " * (LARGEST_BODY + 1)
    with pytest.raises(NotFromPayPal, match=r"^The body .+\.$"):
        reader(server, ca).read(transmission(server, large), large, source=PAYPAL)
    assert len(server.asked) == 1
    largest = body_of(EVENT | {"summary": "x" * (LARGEST_BODY - len(body_of(EVENT | {"summary": ""})))})
    assert len(largest) == LARGEST_BODY
    assert reader(server, ca).read(transmission(server, largest), largest, source=PAYPAL).event_id == "WH-1"


@pytest.mark.parametrize(
    "address",
    [
        "https://api.paypal.com.evil.test/v1/notifications/certs/CERT-1",
        "https://evil.test/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.test/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:444/v1/notifications/certs/CERT-1",
        "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../../x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/v1/notifications/certs/%2e%2e",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_elsewhere_is_not_even_asked_for(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.get", lambda *_, **__: pytest.fail("somebody was asked"))
    with pytest.raises(NotFromPayPal):
        Certificates("https://api-m.paypal.com", "", MemoryCertificates(), now).key(address, PAYPAL)


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        ("https://api-m.paypal.com", {"https://api.paypal.com", "https://api-m.paypal.com"}),
        (
            "https://api-m.sandbox.paypal.com/",
            {"https://api.sandbox.paypal.com", "https://api-m.sandbox.paypal.com"},
        ),
        ("http://127.0.0.1:7101", {"http://127.0.0.1:7101"}),
    ],
)
def test_the_origins_of_certificates_follow_from_where_paypal_is(url: str, origins: set[str]) -> None:
    assert origins_of(url) == origins


@pytest.mark.parametrize(
    "url", ["http://api-m.paypal.com", "https://evil.test", "http://10.0.0.1:80", "", "http://127.0.0.1.evil.test:80"]
)
def test_an_address_that_is_neither_paypal_nor_a_simulator_here_is_no_setting(url: str) -> None:
    with pytest.raises(SettingMissing, match="PAYPAL_URL"):
        origins_of(url)


@pytest.mark.parametrize("webhook_id", ["", "WEBHOOK_ID", "a|b"])
def test_everyones_webhook_id_and_none_at_all_are_no_settings(server: WebServer, ca: str, webhook_id: str) -> None:
    headers = transmission(server, body_of(), signed_for=webhook_id)
    with pytest.raises(SettingMissing, match=r"^PAYPAL_WEBHOOK_ID .+\.$"):
        reader(server, ca, webhook_id=webhook_id).read(headers, body_of(), source=PAYPAL)
    assert server.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(make_authority().issue().chain.encode()),
        Answer(AUTHORITY.issue(name="www.paypal.com").chain.encode()),
        Answer(AUTHORITY.issue(began=now() - timedelta(days=400), life=timedelta(days=300)).chain.encode()),
        Answer(AUTHORITY.issue(began=now() + timedelta(days=1), life=timedelta(days=300)).chain.encode()),
        Answer(SIGNER.chain.split("-----END CERTIFICATE-----")[0].encode() + b"-----END CERTIFICATE-----\n"),
        Answer(AUTHORITY.root.encode()),
        Answer(b"no certificate"),
        Answer(b""),
        Answer(b"x" * (LARGEST_BYTES + 1)),
        Answer(status=404),
        Answer(status=302, headers={"Location": "/v1/notifications/certs/CERT-2"}),
    ],
    ids=[
        *("self-made", "other name", "run out", "not yet", "leaf alone", "root"),
        *("text", "empty", "too large", "missing", "redirect"),
    ],
)
def test_what_lies_at_the_address_must_be_paypals_own_chain(server: WebServer, ca: str, answer: Answer) -> None:
    server.answer = answer
    with pytest.raises(NotFromPayPal):
        reader(server, ca).read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "error", "word"),
    [
        (Answer(status=404), NotFromPayPal, "HTTP 404"),
        (Answer(status=429), StoreUnavailable, "HTTP 429"),
        (Answer(status=500), StoreUnavailable, "HTTP 500"),
        (Answer(b"x" * (LARGEST_BYTES + 1)), NotFromPayPal, "too large"),
        (
            Answer(AUTHORITY.issue(name="www.paypal.com").chain.encode()),
            NotFromPayPal,
            "messageverificationcerts.paypal.com",
        ),
        (Answer(b"no certificate"), NotFromPayPal, "not trusted"),
    ],
    ids=["missing", "too many", "broken", "too large", "other name", "text"],
)
def test_what_is_wrong_with_a_certificate_is_said(
    server: WebServer, ca: str, answer: Answer, error: type[NotflixError], word: str
) -> None:
    server.answer = answer
    with pytest.raises(error) as refused:
        reader(server, ca).read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert is_sentence(refused.value.detail) and word in refused.value.detail


def test_a_server_that_cannot_be_reached_is_named_by_the_kind_of_failure(ca: str, refused_port: int) -> None:
    address = f"http://127.0.0.1:{refused_port}"
    certificates = Certificates(address, ca, MemoryCertificates(), now)
    with pytest.raises(StoreUnavailable) as refused:
        certificates.key(f"{address}/{CERTS}CERT-1", PAYPAL)
    assert is_sentence(refused.value.detail) and "ConnectionError" in refused.value.detail
