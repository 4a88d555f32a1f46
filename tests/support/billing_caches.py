"""Billing's caches in memory: entitlements and PayPal's certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from functions.billing.model import Entitlement
    from functions.billing.ports import LearnedCertificate


class MemoryEntitlementCache:
    """Entitlements by user; unavailable on request."""

    def __init__(self) -> None:
        self.entitlements: dict[str, Entitlement] = {}
        self.unavailable = False

    def find_entitlement(self, user_id: str) -> Entitlement | None:
        self._answer()
        return self.entitlements.get(user_id)

    def store_entitlement(self, user_id: str, entitlement: Entitlement, *, seconds: int) -> None:
        self._answer()
        self.entitlements[user_id] = entitlement

    def drop_entitlement(self, user_id: str) -> None:
        self._answer()
        self.entitlements.pop(user_id, None)

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailable("The cache does not answer.")


class MemoryCertificates:
    """Certificates by address; unavailable on request."""

    def __init__(self) -> None:
        self.certificates: dict[str, LearnedCertificate] = {}
        self.unavailable = False

    def find_certificate(self, address: str) -> LearnedCertificate | None:
        self._answer()
        return self.certificates.get(address)

    def store_certificate(self, address: str, certificate: LearnedCertificate) -> None:
        self._answer()
        self.certificates[address] = certificate

    def drop_certificate(self, address: str) -> None:
        self._answer()
        self.certificates.pop(address, None)

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailable("The store of certificates does not answer.")
