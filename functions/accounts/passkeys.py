"""Passkeys (WebAuthn Level 3): what the browser is asked for, and the verification of its answers.

A passkey here is a second factor: it is requested after the password, with user verification preferred but not
required. Attestation is not requested, because any authenticator is accepted.
"""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from functions.accounts.model import NewPasskey
from functions.platform.errors import Malformed, SettingMissing, WrongSecondFactor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from webauthn.helpers.structs import PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions

TIMEOUT_MS = 300_000
LONGEST_CREDENTIAL_ID = 1023
"""The maximum length of a credential id in bytes (WebAuthn, section 5.8.3)."""


class Passkeys:
    """Creates and verifies WebAuthn ceremonies for the site at `site_origin`, whose host is the relying party's id."""

    def __init__(self, site_origin: str) -> None:
        self._origin = site_origin.rstrip("/")

    def creation_options(
        self, challenge: bytes, *, user_id: str, email: str, existing: Sequence[str]
    ) -> Mapping[str, Any]:
        options = generate_registration_options(
            rp_id=self._rp_id(),
            rp_name="Notflix",
            user_id=bytes.fromhex(user_id),
            user_name=email,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=_descriptors(existing),
        )
        return _plain(options)

    def request_options(self, challenge: bytes, credential_ids: Sequence[str]) -> Mapping[str, Any]:
        options = generate_authentication_options(
            rp_id=self._rp_id(),
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=_descriptors(credential_ids),
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return _plain(options)

    def verify_creation(self, answer: Mapping[str, Any], challenge: bytes) -> NewPasskey:
        try:
            found = verify_registration_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self._rp_id(),
                expected_origin=self._origin,
                require_user_verification=False,
            )
        except Exception as error:  # for a malformed key, the library also raises KeyError and others
            raise Malformed("Your browser did not send a valid passkey. Try again.") from error
        if len(found.credential_id) > LONGEST_CREDENTIAL_ID:
            raise Malformed("The id of this passkey is too long. Use another device or security key.")
        return NewPasskey(bytes_to_base64url(found.credential_id), found.credential_public_key, found.sign_count)

    def verify_use(self, answer: Mapping[str, Any], challenge: bytes, *, public_key: bytes, sign_count: int) -> int:
        # The library rejects a sign count that does not increase, because this means that the passkey was copied
        # (WebAuthn, section 6.1.1). Authenticators without a counter always send 0.
        try:
            found = verify_authentication_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self._rp_id(),
                expected_origin=self._origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
                require_user_verification=False,
            )
        except Exception as error:  # for a malformed key, the library also raises KeyError and others
            raise WrongSecondFactor("This passkey was not accepted. Try again, or use another method.") from error
        return found.new_sign_count

    def _rp_id(self) -> str:
        host = urlsplit(self._origin).hostname or ""
        try:
            ip_address(host)
        except ValueError:
            if host:
                return host
        raise SettingMissing(
            "Set SITE_ORIGIN to an address with a host name; browsers refuse passkeys for IP addresses."
        )


def _plain(options: PublicKeyCredentialCreationOptions | PublicKeyCredentialRequestOptions) -> Mapping[str, Any]:
    plain: dict[str, Any] = json.loads(options_to_json(options))
    return plain


def _descriptors(credential_ids: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in credential_ids]
