"""Passkeys: what the browser is asked for, and which of its answers are refused whatever they contain."""

from __future__ import annotations

from typing import Any

import pytest

from functions.accounts.passkeys import LONGEST_CREDENTIAL_ID, Passkeys
from functions.platform.errors import Malformed, SettingMissing, WrongSecondFactor
from tests.support.accounts import SITE
from tests.support.authenticators import SoftPasskey, base64url

CHALLENGE = bytes(range(32))
USER_ID, EMAIL = "5" * 32, "jo@example.org"
OLD_ID = base64url(b"an older passkey")


def creation(passkeys: Passkeys) -> dict[str, Any]:
    return dict(passkeys.creation_options(CHALLENGE, user_id=USER_ID, email=EMAIL, existing=[OLD_ID]))


def test_a_passkey_is_created_for_this_site_and_not_twice_on_one_device() -> None:
    options = creation(Passkeys(f"{SITE}/"))
    assert options["rp"] == {"id": "films.example.org", "name": "Notflix"}
    assert (options["user"]["id"], options["user"]["name"]) == (base64url(bytes.fromhex(USER_ID)), EMAIL)
    assert (options["challenge"], options["timeout"]) == (base64url(CHALLENGE), 300_000)
    assert [each["id"] for each in options["excludeCredentials"]] == [OLD_ID]
    assert options["attestation"] == "none", "any authenticator is accepted"
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("discouraged", "preferred")


def test_only_passkeys_of_the_account_are_asked_for() -> None:
    options = Passkeys(SITE).request_options(CHALLENGE, [OLD_ID])
    assert (options["rpId"], options["challenge"], options["timeout"]) == (
        "films.example.org",
        base64url(CHALLENGE),
        300_000,
    )
    assert [each["id"] for each in options["allowCredentials"]] == [OLD_ID]
    assert options["userVerification"] == "preferred"


def test_a_passkey_that_was_created_is_returned_with_its_key_and_count() -> None:
    passkeys, key = Passkeys(SITE), SoftPasskey(SITE, count=7)
    made = passkeys.verify_creation(key.create(creation(passkeys)), CHALLENGE)
    assert (made.credential_id, made.sign_count) == (base64url(key.credential_id), 7)
    options = passkeys.request_options(CHALLENGE, [made.credential_id])
    assert passkeys.verify_use(key.use(options), CHALLENGE, public_key=made.public_key, sign_count=7) == 8


def test_an_answer_to_another_challenge_or_for_another_site_is_refused() -> None:
    passkeys, key = Passkeys(SITE), SoftPasskey(SITE)
    made = passkeys.verify_creation(key.create(creation(passkeys)), CHALLENGE)
    options = dict(passkeys.request_options(CHALLENGE, [made.credential_id]))
    for answer, challenge in (
        (key.use(options), bytes(32)),
        (key.use({**options, "rpId": "example.org"}), CHALLENGE),
    ):
        with pytest.raises(WrongSecondFactor):
            passkeys.verify_use(answer, challenge, public_key=made.public_key, sign_count=0)
    for created, challenge in (
        (key.create(creation(passkeys)), bytes(32)),
        (key.create({**creation(passkeys), "rp": {"id": "example.org"}}), CHALLENGE),
        (SoftPasskey("https://example.org").create(creation(passkeys)), CHALLENGE),
    ):
        with pytest.raises(Malformed):
            passkeys.verify_creation(created, challenge)


@pytest.mark.parametrize("more", [0, 1])
def test_the_id_of_a_passkey_is_as_long_as_the_standard_allows(more: int) -> None:
    passkeys, key = Passkeys(SITE), SoftPasskey(SITE)
    key.credential_id = b"x" * (LONGEST_CREDENTIAL_ID + more)
    if more:
        with pytest.raises(Malformed):
            passkeys.verify_creation(key.create(creation(passkeys)), CHALLENGE)
    else:
        assert passkeys.verify_creation(key.create(creation(passkeys)), CHALLENGE)


@pytest.mark.parametrize("origin", ["", "https://", "http://127.0.0.1:8080", "http://[::1]:8080", "films"])
def test_a_site_without_a_host_name_has_no_passkeys(origin: str) -> None:
    passkeys = Passkeys(origin)
    with pytest.raises(SettingMissing, match=r"^Set SITE_ORIGIN .+\.$"):
        creation(passkeys)
    with pytest.raises(SettingMissing, match="SITE_ORIGIN"):
        passkeys.request_options(CHALLENGE, [OLD_ID])
