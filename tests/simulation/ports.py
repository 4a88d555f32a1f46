"""The ports of the slices, the flow that must call all of their methods, and the methods that no flow calls."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, is_protocol

from functions.accounts import ports as accounts
from functions.audit import ports as audit
from functions.billing import ports as billing
from functions.catalogue import ports as catalogue
from functions.encoding import ports as encoding
from functions.encoding.av1 import ports as av1
from functions.encoding.late_subtitles import ports as late_subtitles
from functions.encoding.on_demand import ports as on_demand
from functions.mail import ports as mail
from functions.recommendations import ports as recommendations
from functions.uploads import ports as uploads
from functions.usage import ports as usage
from infra.local.home import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable

UPLOAD, RENDITIONS, ACCOUNTS, SUBSCRIPTIONS, WATCH = (
    "upload to ready",
    "ready to all renditions",
    "register to forgotten",
    "subscribe to refunded",
    "watch to recommended",
)

PORTS: tuple[tuple[str, type, str], ...] = (
    ("uploads", uploads.UploadStore, UPLOAD),
    ("arrivals", uploads.ArrivalStore, UPLOAD),
    ("jobs", encoding.EncodeJobs, UPLOAD),
    ("upkeep", encoding.JobUpkeep, UPLOAD),
    ("audience", encoding.AudienceStore, UPLOAD),
    ("claims", encoding.ClaimStore, UPLOAD),
    ("spending", encoding.SpendingStore, UPLOAD),
    ("encode_limit", encoding.LimitStore, UPLOAD),
    ("av1", av1.Av1Encodes, RENDITIONS),
    ("on_demand", on_demand.OnDemandEncodes, RENDITIONS),
    ("late", late_subtitles.LateSubtitleStore, UPLOAD),
    ("media", encoding.MediaStore, UPLOAD),
    ("folders", encoding.TitleFolders, UPLOAD),
    ("titles", catalogue.TitleStore, UPLOAD),
    ("site", catalogue.SiteFiles, UPLOAD),
    ("publication_lock", catalogue.PublicationLock, UPLOAD),
    ("subtitles", catalogue.SubtitleFiles, UPLOAD),
    ("sidecars", catalogue.SidecarStore, UPLOAD),
    ("films", catalogue.FilmDatabase, UPLOAD),
    ("posters", catalogue.Posters, UPLOAD),
    ("logins", accounts.LoginStore, ACCOUNTS),
    ("login_history", accounts.LoginHistoryStore, ACCOUNTS),
    ("factors", accounts.SecondFactorStore, ACCOUNTS),
    ("profiles", accounts.ProfileStore, ACCOUNTS),
    ("used_codes", accounts.UsedCodes, ACCOUNTS),
    ("sessions", accounts.SessionStore, ACCOUNTS),
    ("limiter", accounts.RateLimiter, ACCOUNTS),
    ("audit", audit.AuditStore, ACCOUNTS),
    ("mail", mail.MailTransport, ACCOUNTS),
    ("subscriptions", billing.SubscriptionStore, SUBSCRIPTIONS),
    ("payments", billing.PaymentStore, SUBSCRIPTIONS),
    ("paypal", billing.PayPal, SUBSCRIPTIONS),
    ("webhook_reader", billing.WebhookVerifier, SUBSCRIPTIONS),
    ("entitlement_cache", billing.EntitlementCache, SUBSCRIPTIONS),
    ("usage", usage.UsageStore, WATCH),
    ("viewing_days", usage.ViewingDays, WATCH),
    ("graph", recommendations.Graph, WATCH),
    ("graph", recommendations.Ranking, WATCH),
    ("rebuild_store", recommendations.RebuildStore, WATCH),
)
"""The ports by the name of their effects, their Protocols, and the flow that must call all of its methods."""

ELSEWHERE = {
    "titles.count": WATCH,
    "titles.in_order": WATCH,
    "titles.best": WATCH,
}
"""Methods that another flow than the port's must call."""

_READ = "only reads, for a page of the Studio or of the site: nothing is stored that a fault could lose"
_PLANS = "the owner opens and closes plans while nobody waits, and repeats what failed"
_LIMIT = "the monthly limit stops work instead of losing it; the unit tests of the budget refuse its stores"

NOT_CALLED = {
    **dict.fromkeys(
        (
            *("audit.list_entries", "logins.list_administrators", "graph.count_titles"),
            *("films.by_id", "films.search", "jobs.list_summaries", "usage.views"),
            *("titles.count_waiting", "titles.episodes", "titles.ids"),
            *("payments.count_revenue", "payments.find_payment", "payments.page_payments"),
            *("subscriptions.count_events", "subscriptions.count_subscribers", "subscriptions.page_events"),
            *("subscriptions.page_subscriptions", "paypal.webhooks_after_login", "viewing_days.viewing_since"),
            "viewing_days.av1_minutes",
            "spending.spent_since",
        ),
        _READ,
    ),
    **dict.fromkeys(
        (
            *("paypal.create_plan", "paypal.retire_plan", "subscriptions.store_plan", "subscriptions.retire_plan"),
            "subscriptions.list_plans",
        ),
        _PLANS,
    ),
    **dict.fromkeys(
        (
            *("encode_limit.store_limit_usd", "spending.add_below", "spending.is_announced"),
            "spending.note_announced",
        ),
        _LIMIT,
    ),
    "media.list_names": "only reads, when episodes are compared",
    "jobs.dismiss_job": "hides an entry of the Studio",
    "viewing_days.count_av1": "a few minutes of viewing do not change which titles are encoded in AV1",
    "sidecars.store_poster": "the owner sees at once whether the chosen poster was stored",
    "titles.mark_outdated": "called by a command for all titles, which is repeated if it fails",
}
"""The methods that no flow calls, and the reasons."""

_SERVICE = "another slice's service, whose own ports are simulated"

NOT_SIMULATED = {
    **dict.fromkeys(
        (
            *("AccessReader", "TitleReader", "WatchableProgress", "ProgressReader", "EntitlementReader"),
            *("ViewingStart", "UsageRecorder", "ShelfTitles", "TitleSource", "StateSource", "RebuildSources"),
            *("TitleLookup", "AudienceReader", "ManifestPart", "DemandRecorder"),
        ),
        _SERVICE,
    ),
    "Captions": "steps like those of AV1, whose work is in a process; tests/unit/encoding/captions interrupts them",
    "Comparisons": "decides only when episodes are compared, and the flows have none; tests/unit/encoding/intros",
    "SoundReader": "computes with FFmpeg and MediaStore, which are simulated",
    "LaterEncode": "the state of an encode, which is part of its job",
    "LaterWorker": "computes with FFmpeg and MediaStore, which are simulated",
    "MessageSender": "the product's own sender writes to the simulated host; each message is an effect",
    "PasswordHasher": "computes, and uses no store",
    "PasskeyCeremonies": "computes, and uses no store",
    "CertificateStore": "used by the verifier of webhooks, which is simulated as a whole",
    "CertificateKeys": "used by the verifier of webhooks, which is simulated as a whole",
    "CopyMedia": "a part of MediaStore",
    "CoverageStore": "a part of SubscriptionStore",
    "JobRecords": "only reads, for a report",
    "PageStore": "a page is one blob, which the owner saves again if that failed",
    "PauseStore": "limits the tests on the setup page",
    "ReadKeys": "computes, and uses no store",
    "PlaylistStore": "only reads",
    "StreamStore": "a stream expires within minutes; tests/support/stream_contract.py",
}
"""The Protocols whose methods are no effects of a simulation, and the reasons."""


def methods_of(port: type) -> set[str]:
    """Return the names of a Protocol's methods, including those that it inherits."""
    return {
        name
        for base in port.__mro__
        if base not in (object, Protocol) and is_protocol(base)
        for name, each in vars(base).items()
        if inspect.isfunction(each) and not name.startswith("_")
    }


def protocols() -> set[type]:
    """Return all Protocols with methods that the slices declare in their ports."""
    found = set()
    for path in sorted((REPOSITORY / "functions").rglob("ports.py")):
        module = import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
        found |= {each for each in vars(module).values() if inspect.isclass(each) and is_protocol(each)}
    return {each for each in found if each.__module__.endswith(".ports")}


def misjudged(flow: str, effects: Iterable[str]) -> list[str]:
    """Return a sentence for each method that a flow must call but does not, and for each that needs no exemption."""
    called = {word for effect in effects for word in effect.split()}
    methods = {f"{name}.{each}": of for name, port, of in PORTS for each in methods_of(port)}
    mine = {name for name, of in methods.items() if ELSEWHERE.get(name, of) == flow}
    return [
        *(f"{name} is not called by the flow {flow!r}" for name in sorted(mine - called - NOT_CALLED.keys())),
        *(f"{name} is called by the flow {flow!r}: do not exempt it" for name in sorted(called & NOT_CALLED.keys())),
    ]
