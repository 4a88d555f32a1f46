"""The composition root: joins the slices; each slice is assembled when it is first needed.

Heavy modules are imported only when a function needs them, so a cold start loads only what its first request uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.lazy import lazy
from functions.platform.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.access import AccountAccess
    from functions.accounts.service import AccountService
    from functions.billing.assembly import Billing
    from functions.billing.entitlements import Entitlements
    from functions.catalogue.publisher import CataloguePublisher
    from functions.catalogue.service import Catalogue
    from functions.encoding.service import EncodeService
    from functions.encoding.step_runner import StepRunner
    from functions.mail.service import MailService
    from functions.playback.assembly import PlaybackParts
    from functions.recommendations.assembly import GraphParts
    from functions.uploads.service import Uploads
    from functions.usage.service import UsageService

resources = Resources()
"""The clients that the slices share."""


def access() -> AccountAccess:
    """Return the authentication of callers of routes."""
    from functions.accounts.assembly import assemble_access

    return assemble_access(resources, accounts)


@lazy
def mail() -> MailService:
    """Return the service that sends emails."""
    from functions.mail.assembly import assemble

    return assemble(resources, lambda link: accounts().renew_link(link))


@lazy
def accounts() -> AccountService:
    """Return the account service."""
    from functions.accounts.assembly import assemble
    from functions.playback.assembly import end_streams

    return assemble(resources, forgetters, sessions_ended=lambda *ids: end_streams(resources, *ids))


@lazy
def entitlements() -> Entitlements:
    """Return the entitlements, which determine whether a viewer may play films."""
    from functions.billing.assembly import assemble_entitlements

    return assemble_entitlements(resources)


@lazy
def billing() -> Billing:
    """Return billing."""
    from functions.billing.assembly import assemble

    return assemble(
        resources,
        entitlements(),
        find_user=lambda email: accounts().find_account(email).user_id,
        recipient_for=lambda user_id, kind: accounts().email_choices.recipient_for(user_id, kind),
    )


@lazy
def catalogue() -> Catalogue:
    """Return the catalogue."""
    from functions.catalogue.assembly import assemble

    return assemble(resources)


@lazy
def publisher() -> CataloguePublisher:
    """Return the publisher of the static catalogue."""
    from functions.catalogue.assembly import assemble_publisher

    return assemble_publisher(resources)


@lazy
def playback() -> PlaybackParts:
    """Return playback: the service that opens titles, and the playlists for native players."""
    from functions.encoding.assembly import assemble_audience, assemble_demand
    from functions.playback.assembly import assemble

    demand = assemble_demand(resources, lambda user_id: accounts().may_begin_renditions(user_id))
    return assemble(resources, catalogue(), encodes(), assemble_audience(resources), demand, entitlements(), usage())


@lazy
def usage() -> UsageService:
    """Return usage: views, watch lists and ratings."""
    from functions.usage.assembly import assemble

    return assemble(resources, catalogue())


@lazy
def graph() -> GraphParts:
    """Return the graph: its queries, updates and rebuild."""
    from functions.recommendations.assembly import assemble

    return assemble(resources, catalogue(), usage())


@lazy
def encodes() -> EncodeService:
    """Return the service for encode jobs."""
    from functions.encoding.assembly import assemble

    return assemble(resources, catalogue(), lambda: accounts().email_choices.administrators())


@lazy
def encode_steps() -> StepRunner:
    """Return the runner of encode steps; only the encoder app, which has ffmpeg, uses it."""
    from functions.encoding.assembly import assemble_steps

    return assemble_steps(resources, catalogue())


@lazy
def uploads() -> Uploads:
    """Return the uploads."""
    from functions.uploads.assembly import assemble

    return assemble(resources, catalogue(), encodes())


def forgetters() -> tuple[Callable[[str], None], ...]:
    """Return the functions with which the other slices delete all data of a viewer; each is idempotent."""
    from functions.audit.assembly import assemble as assemble_audit

    audit = assemble_audit(resources)
    return (usage().forget, billing().subscriptions.forget_viewer, graph().sync.request_forgetting, audit.forget_viewer)
