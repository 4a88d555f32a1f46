"""Codes of authenticator apps: those of RFC 6238, the tolerance for clocks, and the data that sets up an app."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from functions.accounts.totp import code_at, make_secret, matching_step, qr_rows, setup_key, setup_uri, step_at

SECRET = b"12345678901234567890"
"""The secret of RFC 6238, appendix B."""

MOMENT = datetime(2026, 11, 24, 12, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_the_last_six_digits_of_those_in_the_rfc(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert code_at(SECRET, step_at(moment)) == code
    assert matching_step(SECRET, code, moment) == seconds // 30


@pytest.mark.parametrize(("steps", "is_accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_one_step_early_or_late(steps: int, is_accepted: bool) -> None:
    step = step_at(MOMENT) + steps
    assert matching_step(SECRET, code_at(SECRET, step), MOMENT) == (step if is_accepted else None)


def test_a_step_takes_thirty_seconds() -> None:
    begins = MOMENT.replace(second=0)
    assert step_at(begins) == step_at(begins + timedelta(seconds=29.9)) == step_at(begins + timedelta(seconds=30)) - 1


@pytest.mark.parametrize("code", ["", "28708", "2870820", " 287082", "٢٨٧٠٨٢", "\ud800"])
def test_nothing_else_is_a_code(code: str) -> None:
    assert matching_step(SECRET, code, datetime.fromtimestamp(59, UTC)) is None


def test_a_secret_has_160_random_bits() -> None:
    secrets = {make_secret() for _ in range(20)}
    assert len(secrets) == 20 and {len(secret) for secret in secrets} == {20}


def test_an_app_gets_the_secret_as_a_uri_and_as_text_that_can_be_typed() -> None:
    base32 = base64.b32encode(SECRET).decode()
    uri = urlsplit(setup_uri(SECRET, "jo.öz+films@example.org"))
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/Notflix:jo.öz+films@example.org")
    assert parse_qs(uri.query) == {
        "secret": [base32],
        "issuer": ["Notflix"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
    assert setup_key(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ" and len(base32) == 32


def test_a_qr_code_is_a_square_with_three_finder_patterns() -> None:
    rows = qr_rows(setup_uri(SECRET, "jo@example.org"))
    assert {len(row) for row in rows} == {len(rows)} and set("".join(rows)) == {"0", "1"}
    dark, light = "1111111", "1000001"
    for top, bottom in ((rows[0], rows[1]), (rows[-7], rows[-6])):
        assert (top[:7], bottom[:7]) == (dark, light)
    assert (rows[0][-7:], rows[1][-7:]) == (dark, light)


def test_even_a_short_text_is_no_micro_qr_code_which_phones_cannot_read() -> None:
    assert len(qr_rows("1")) == 21
