"""The parts of the set-up: the services and keys that an owner configures, and the state of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from functions.platform.settings import Settings


class Part(StrEnum):
    """A part of the set-up."""

    DOMAIN = "domain"
    KEYS = "keys"
    PAYPAL = "paypal"
    MAIL = "mail"
    OMDB = "omdb"
    NEO4J = "neo4j"


class PartState(StrEnum):
    """The state of a part, as its settings show it.

    `stand_in`: everything is set, but the service is a replacement: a simulator, PayPal's sandbox, a server on this
    machine, or an address that belongs to Azure.
    """

    MISSING = "missing"
    STAND_IN = "stand_in"
    READY = "ready"


SETTINGS = {
    Part.DOMAIN: ("site_origin",),
    Part.KEYS: ("signing_key", "second_factor_keys", "operator_key"),
    Part.PAYPAL: ("paypal_client_id", "paypal_client_secret", "paypal_webhook_id"),
    Part.MAIL: ("smtp_url", "mail_from"),
    Part.OMDB: ("omdb_api_key",),
    Part.NEO4J: ("neo4j_uri", "neo4j_password"),
}
"""The settings that each part needs, as fields of `Settings`."""

LIVE_PAYPAL = "api-m.paypal.com"
AZURE_DOMAINS = (".azurefd.net", ".web.core.windows.net")
"""The endings of the addresses that Azure gives a site: Front Door, and static website hosting."""


@dataclass(frozen=True, slots=True)
class PartOverview:
    """A part, its state, and for each of its settings whether it has a value."""

    part: Part
    state: PartState
    settings: tuple[tuple[str, bool], ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the names of the settings without a value."""
        return tuple(name for name, is_set in self.settings if not is_set)


def overview_of(part: Part, settings: Settings) -> PartOverview:
    """Return the state of a part; the state contains no values of settings."""
    given = tuple((field.upper(), bool(getattr(settings, field).strip())) for field in SETTINGS[part])
    if not all(is_set for _, is_set in given):
        return PartOverview(part, PartState.MISSING, given)
    return PartOverview(part, PartState.STAND_IN if _is_replaced(part, settings) else PartState.READY, given)


def _is_replaced(part: Part, settings: Settings) -> bool:
    match part:
        case Part.DOMAIN:
            host = _host(settings.site_origin)
            return _is_loopback(host) or host.endswith(AZURE_DOMAINS)
        case Part.PAYPAL:
            return _host(settings.paypal_url) != LIVE_PAYPAL
        case Part.MAIL:
            return _is_loopback(_host(settings.smtp_url))
        case Part.OMDB:
            return _is_loopback(_host(settings.omdb_url))
        case _:  # keys have no address, and a graph on this machine is as good as any other
            return False


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # brackets that do not match; the part's test says what is wrong
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
