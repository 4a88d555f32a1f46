"""Finds everything that would make a deployment fail, before anything is created, and reports all of it at once."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.platform.prices import usd
from infra.azure import choices, providers, regions
from infra.azure.steps import not_set_up
from infra.azure.tools import WHERE_TO_GET, Environment, found, is_installed, run
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED_FOR = {
    "AZURE_LOCATION": "the region, such as westeurope",
    "NOTFLIX_ALERT_EMAIL": "who gets mail from alerts and the budget",
}
"""Values that a first deployment requires, by name in the azd environment."""

TOGETHER = (
    ("NOTFLIX_CDN_URL", "NOTFLIX_CDN_TOKEN_KEY"),
    ("NEO4J_URI", "NEO4J_PASSWORD"),
    ("PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET"),
    ("SMTP_URL", "MAIL_FROM"),
)
TRIAL = ("FreeTrial", "AzureForStudents", "AzurePass", "Sponsored")
"""Prefixes of the quota ids of subscriptions on free credit, on which registry builds are rejected."""
CORES_EACH = 4
CORES_OF_AN_ENVIRONMENT = 100
SUBSCRIPTION_API = "2022-12-01"


class Level(enum.IntEnum):
    """The severity of a finding."""

    STOPS = 0
    WARNS = 1
    TELLS = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem or remark found before a deployment: one sentence and its remedy."""

    level: Level
    text: str
    remedy: str = ""


def stops(text: str, remedy: str = "") -> Finding:
    """Return a finding that stops a deployment."""
    return Finding(Level.STOPS, text, remedy)


def warns(text: str, remedy: str = "") -> Finding:
    """Return a finding that may make a deployment fail, or that costs money."""
    return Finding(Level.WARNS, text, remedy)


def check(*, image: str = "") -> list[Finding]:
    """Return all findings, without changing anything; checks that need a login are omitted if there is none."""
    findings = [
        stops(f"{name} is not on your PATH.", f"Install {WHERE_TO_GET[name]}.")
        for name in ("az", "azd", "npm")
        if not is_installed(name)
    ]
    if findings:
        return findings
    account = found("account", "show")
    if account is None:
        findings.append(stops("You are not logged in to Azure.", "az login"))
    if not azd_is_logged_in():
        findings.append(stops("azd is not logged in to Azure.", "azd auth login"))
    try:
        environment = Environment()
    except CannotRun:
        return [*findings, stops("There is no azd environment yet.", "azd env new films")]
    image = image or environment.get("NOTFLIX_ENCODER_IMAGE")
    if image:
        findings += image_name(image)
    findings += values(environment)
    if account is not None:
        findings += subscription(environment, account, image)
    return findings


def azd_is_logged_in() -> bool:
    """Return whether azd is logged in. Its exit code is 0 in any case (azure-dev, cmd/auth_login.go)."""
    try:
        shown = json.loads(run("azd", "auth", "login", "--check-status", "--output", "json"))
        return bool(shown["status"] == "success")
    except (CannotRun, ValueError, KeyError):
        return False


def image_name(image: str) -> Iterator[Finding]:
    """Yield a finding if the name contains no registry, because azd would treat such a name as a path."""
    first, slash, _ = image.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        yield stops(f"{image} names no registry.", "Give its full name, such as ghcr.io/owner/notflix-encoder:1.")


def values(environment: Environment) -> Iterator[Finding]:
    """Yield a finding for each value of the environment that is missing, invalid or contradictory."""
    for name, what in ASKED_FOR.items():
        if not environment.get(name):
            yield stops(f"{name} is not set: {what}.", f"azd env set {name} …")
    for pair in TOGETHER:
        given = [name for name in pair if environment.get(name)]
        if len(given) == 1:
            (missing,) = set(pair) - set(given)
            yield stops(f"{given[0]} is set and {missing} is not; they need each other.", f"azd env set {missing} …")
    if environment.get("NOTFLIX_PROFILE") not in ("", "standard", "small"):
        yield stops("NOTFLIX_PROFILE must be standard or small.", "azd env set NOTFLIX_PROFILE standard")
    if environment.get("NOTFLIX_DOMAIN") and not environment.is_on("NOTFLIX_FRONT_DOOR", default=False):
        yield stops("A custom domain needs Front Door.", "azd env set NOTFLIX_FRONT_DOOR true")
    for fault in choices.faults(environment.get(choices.VARIABLE)):
        yield stops(fault, f"azd env set {choices.VARIABLE} NAME=VALUE,NAME=VALUE")
    encoders = int(environment.get("NOTFLIX_MAX_ENCODERS") or 10)
    if encoders * CORES_EACH > CORES_OF_AN_ENVIRONMENT:
        yield warns(
            f"{encoders} encoders need {encoders * CORES_EACH} cores; the usual quota of a Container Apps environment "
            f"is {CORES_OF_AN_ENVIRONMENT}.",
            "Request more at https://aka.ms/aca/quota, or lower NOTFLIX_MAX_ENCODERS.",
        )
    for line in not_set_up(environment):
        yield Finding(Level.TELLS, f"Not set up, and not needed now. {line}")


def subscription(environment: Environment, account: dict[str, Any], image: str) -> Iterator[Finding]:
    """Yield a finding for everything that the subscription, its region or a role does not permit."""
    wanted = environment.get("AZURE_SUBSCRIPTION_ID")
    if wanted and wanted != account["id"]:
        yield stops(
            f"The Azure CLI uses the subscription {account['name']}, but azd uses another one.",
            f"az account set --subscription {wanted}",
        )
        return
    if not wanted:
        other = "To deploy to another one: az account set --subscription …"
        yield Finding(Level.TELLS, f"The deployment belongs to the subscription {account['name']}.", other)
    yield from registry(environment, image)
    yield from credit(account, image)
    yield from unregistered(environment)
    yield from permissions(account)
    if location := environment.get("AZURE_LOCATION"):
        geo_backup = environment.is_on("NOTFLIX_GEO_BACKUP", default=True)
        for level, text, remedy in regions.findings(location, geo_backup=geo_backup):
            yield Finding(Level(level), text, remedy)
    if name := environment.get("AZURE_ENV_NAME"):
        yield from leftovers(name, environment.get("NOTFLIX_PROFILE") or "standard", environment.get("AZURE_LOCATION"))


def registry(environment: Environment, image: str) -> Iterator[Finding]:
    """Yield a finding if there is neither an image nor a registry that could build one, as in the profile small."""
    default = environment.get("NOTFLIX_PROFILE") != "small"
    if not image and not environment.is_on("NOTFLIX_REGISTRY", default=default):
        yield stops(
            "There is no image for the encoder, and no registry that could build one: the profile small has none.",
            "./notflix deploy --image REGISTRY/NAME:TAG uses an image that was built elsewhere (docs/azure.md). For "
            f"${usd('registry-basic'):.0f} a month, there can be one: azd env set NOTFLIX_REGISTRY true",
        )


def credit(account: dict[str, Any], image: str) -> Iterator[Finding]:
    """Yield a finding if the image cannot be built by a registry, as on trial or free credit."""
    if account.get("state") not in (None, "Enabled"):
        yield stops(f"The subscription {account['name']} is {account['state']}.", "Enable it in the Azure portal.")
    url = f"https://management.azure.com/subscriptions/{account['id']}?api-version={SUBSCRIPTION_API}"
    policies = (found("rest", "--method", "get", "--url", url) or {}).get("subscriptionPolicies") or {}
    quota = str(policies.get("quotaId", ""))
    if not quota.startswith(TRIAL) and policies.get("spendingLimit") != "On":
        return
    if image:
        return
    remedy = "./notflix deploy --image REGISTRY/NAME:TAG uses an image that was built elsewhere (docs/azure.md)."
    if is_installed("docker"):
        yield warns(f"The subscription runs on credit ({quota}), so registries build no images; azd uses Docker.")
    else:
        yield stops(
            f"The subscription runs on credit ({quota}), so registries build no images, and Docker is not installed.",
            remedy,
        )


def unregistered(environment: Environment) -> Iterator[Finding]:
    """Yield a remark if resource providers are not registered, as on a new subscription; `deploy` registers them."""
    names = providers.missing(environment)
    if names is None:
        yield warns("The resource providers of the subscription could not be listed.")
    elif names:
        listed = ", ".join(name.removeprefix("Microsoft.") for name in names)
        yield Finding(
            Level.TELLS, f"`./notflix deploy` first registers the resource providers that it needs: {listed}."
        )


def permissions(account: dict[str, Any]) -> Iterator[Finding]:
    """Yield a finding if the deploying person or pipeline may not create resources or assign roles."""
    user = account.get("user") or {}
    if user.get("type") == "servicePrincipal":
        who = user.get("name")
    else:
        who = (found("ad", "signed-in-user", "show") or {}).get("id")
    assigned = who and found(
        "role", "assignment", "list", "--assignee", str(who), "--include-inherited", "--include-groups",
        "--scope", f"/subscriptions/{account['id']}",
    )  # fmt: skip
    if not assigned:
        yield warns("Your roles could not be read.", "You need Owner, or Contributor and User Access Administrator.")
        return
    roles = {each["roleDefinitionName"] for each in assigned}
    gives = {"Owner", "User Access Administrator", "Role Based Access Control Administrator"}
    if not roles & {"Owner", "Contributor"}:
        yield stops("You cannot create resources in this subscription.", "You need the role Owner, or Contributor.")
    if not roles & gives:
        yield stops(
            "You cannot assign roles, which the identities of the apps need.",
            "You need Owner, User Access Administrator or Role Based Access Control Administrator.",
        )


def leftovers(name: str, profile: str, location: str) -> Iterator[Finding]:
    """Yield the remains of an earlier deployment of this environment that would make this one fail."""
    group = found("group", "show", "--name", f"rg-{name}")
    if group and location and group["location"] != location.lower().replace(" ", ""):
        yield stops(
            f"The resource group rg-{name} is in {group['location']}, and a group cannot be moved to another region.",
            f"azd env set AZURE_LOCATION {group['location']}, or azd env new ANOTHER-NAME",
        )
    for vault in found("keyvault", "list-deleted", "--resource-type", "vault") or []:
        properties = vault["properties"]
        if f"/resourcegroups/rg-{name}/".lower() in str(properties["vaultId"]).lower():
            yield stops(
                f"The vault of a deployment that you removed keeps its name until {properties['scheduledPurgeDate']}.",
                "azd env new ANOTHER-NAME",
            )
    for server in found("mysql", "flexible-server", "list", "--resource-group", f"rg-{name}") or []:
        is_private = bool((server.get("network") or {}).get("delegatedSubnetResourceId"))
        if is_private != (profile == "standard"):
            yield stops(
                f"MySQL was created for another profile than {profile}, and its network cannot be changed.",
                f"azd env set NOTFLIX_PROFILE {'standard' if is_private else 'small'}, or use a new environment.",
            )
