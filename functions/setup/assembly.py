"""Creates the services of the setup slice with their dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.platform.finding import Finding
from functions.setup.model import Part
from functions.setup.repository import RedisPauses
from functions.setup.service import Setup
from functions.setup.site_probe import probe_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.service import AccountService
    from functions.platform.resources import Resources
    from functions.platform.viewer import Recipient

NO_ADDRESS = "Scripts have no email address. Open the Studio as an administrator to send a test email to yourself."


@dataclass(frozen=True, slots=True)
class ServiceTests:
    """The tests that other slices provide; a slice is assembled when its test is run.

    `keys` is called with the id of the owner who runs the test, `mail` with the recipient, `paypal` with the id of the
    webhook.
    """

    accounts: Callable[[], AccountService]
    keys: Callable[[str], Finding]
    paypal: Callable[[str], Finding]
    mail: Callable[[Recipient], Finding]
    omdb: Callable[[], Finding]
    neo4j: Callable[[], Finding]


def assemble(resources: Resources, tests: ServiceTests) -> Setup:
    """Return the set-up; connections are opened by the tests."""
    settings = resources.settings()

    def send_to_caller(owner: str) -> Finding:
        accounts = tests.accounts()
        sender = next((one for one in accounts.administrators.list_all() if one.user_id == owner), None)
        return tests.mail(accounts.email_choices.recipient(sender)) if sender else Finding(False, NO_ADDRESS)

    return Setup(
        settings,
        {
            Part.DOMAIN: lambda _: probe_site(settings.site_origin),
            Part.KEYS: tests.keys,
            Part.PAYPAL: lambda _: tests.paypal(settings.paypal_webhook_id),
            Part.MAIL: send_to_caller,
            Part.OMDB: lambda _: tests.omdb(),
            Part.NEO4J: lambda _: tests.neo4j(),
        },
        RedisPauses(resources.redis()),
    )
