"""The composition root of what only the Studio uses: audit log, health, limit, pages, people, setup, reports.

It uses the other slices, and no other slice uses it; see `bootstrap`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.lazy import lazy

if TYPE_CHECKING:
    from functions.audit.service import AuditLog
    from functions.encoding.spending.limit import EncodeLimit
    from functions.encoding.spending.reports import EncodeReports
    from functions.health.service import HealthMonitor
    from functions.pages.service import PageService
    from functions.people.service import People
    from functions.setup.service import Setup


@lazy
def setup() -> Setup:
    """Return the set-up: what is configured, and tests of it."""
    from functions.accounts.assembly import assemble_key_test
    from functions.mail.assembly import assemble as assemble_mail
    from functions.setup.assembly import ServiceTests, assemble

    tests = ServiceTests(
        accounts=bootstrap.accounts,
        keys=lambda owner: assemble_key_test(bootstrap.resources).run(owner),
        paypal=lambda webhook_id: bootstrap.billing().admin.test_paypal(webhook_id),
        mail=lambda recipient: assemble_mail(
            bootstrap.resources, lambda link: bootstrap.accounts().renew_link(link), timeout_s=10
        ).send_test(recipient),
        omdb=lambda: bootstrap.catalogue().test_descriptions(),
        neo4j=lambda: bootstrap.graph().recommendations.test_graph(),
    )
    return assemble(bootstrap.resources, tests)


@lazy
def pages() -> PageService:
    """Return the pages whose texts the owner writes."""
    from functions.pages.assembly import assemble

    return assemble(bootstrap.resources)


@lazy
def encode_limit() -> EncodeLimit:
    """Return the monthly limit on encoding."""
    from functions.encoding.assembly import assemble_limit

    return assemble_limit(bootstrap.resources)


@lazy
def people() -> People:
    """Return the people, as the owner sees them."""
    from functions.people.assembly import assemble

    return assemble(bootstrap.accounts(), bootstrap.entitlements(), bootstrap.billing().subscriptions)


@lazy
def encode_reports() -> EncodeReports:
    """Return the reports on encoding."""
    from functions.encoding.assembly import assemble_reports

    return assemble_reports(bootstrap.resources, bootstrap.catalogue())


@lazy
def audit() -> AuditLog:
    """Return the audit log."""
    from functions.audit.assembly import assemble

    return assemble(bootstrap.resources)


@lazy
def health() -> HealthMonitor:
    """Return the monitor of the stores."""
    from functions.health.assembly import assemble

    return assemble(bootstrap.resources, bootstrap.usage)
