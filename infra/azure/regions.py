"""Checks with Azure whether a region offers everything that the template needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.azure.tools import found

if TYPE_CHECKING:
    from collections.abc import Iterator

STOPS, WARNS = 0, 1
TYPES = (
    ("Microsoft.Cache", "redisEnterprise", "Azure Managed Redis"),
    ("Microsoft.App", "managedEnvironments", "Container Apps"),
    ("Microsoft.DocumentDB", "databaseAccounts", "Cosmos DB"),
)
"""Services that a region may lack: resource provider, resource type, and display name."""
PYTHON = "3.13"
MYSQL_SKU, MYSQL_VERSION = "standard_b1ms", "8.4"
OTHER_REGION = "azd env set AZURE_LOCATION …"


def findings(location: str, *, geo_backup: bool) -> Iterator[tuple[int, str, str]]:
    """Yield a severity, a sentence and a remedy for everything that the region lacks."""
    regions = {str(each["name"]).lower(): each for each in found("account", "list-locations") or []}
    region = regions.get(location.lower())
    if regions and region is None:
        yield STOPS, f"This subscription has no region {location}.", OTHER_REGION
        return
    if region and geo_backup and not (region.get("metadata") or {}).get("pairedRegion"):
        yield (
            STOPS,
            f"{location} has no paired region for a second backup of MySQL.",
            "azd env set NOTFLIX_GEO_BACKUP false",
        )
    if region:
        yield from _types(str(region.get("displayName") or location))
    yield from _flex(location)
    yield from _mysql(location)
    yield from _quota(location)


def _types(region: str) -> Iterator[tuple[int, str, str]]:
    wanted = region.lower().replace(" ", "")
    for namespace, kind, name in TYPES:
        shown = found("provider", "show", "--namespace", namespace) or {}
        for each in shown.get("resourceTypes") or []:
            offered = {str(place).lower().replace(" ", "") for place in each.get("locations") or []}
            if each.get("resourceType") == kind and offered and wanted not in offered:
                yield STOPS, f"{region} does not offer {name}.", OTHER_REGION


def _flex(location: str) -> Iterator[tuple[int, str, str]]:
    offered = found("functionapp", "list-flexconsumption-locations")
    if offered is None:
        yield WARNS, "The regions of Flex Consumption could not be listed.", ""
        return
    names = {str(each["name"]).lower().replace(" ", "") for each in offered}
    if location.lower() not in names:
        yield STOPS, f"{location} does not offer Flex Consumption, on which the API runs.", OTHER_REGION
        return
    runtimes = found("functionapp", "list-flexconsumption-runtimes", "--location", location, "--runtime", "python")
    if runtimes is not None and PYTHON not in {str(each.get("version")) for each in runtimes}:
        yield STOPS, f"Flex Consumption in {location} does not offer Python {PYTHON}.", OTHER_REGION


def _mysql(location: str) -> Iterator[tuple[int, str, str]]:
    skus = found("mysql", "flexible-server", "list-skus", "--location", location)
    if skus is None:
        yield WARNS, f"What MySQL offers in {location} could not be listed.", ""
        return
    text = str(skus).lower()
    if MYSQL_SKU not in text:
        yield STOPS, f"{location} does not offer MySQL on Standard_B1ms to this subscription.", OTHER_REGION
    elif f"'{MYSQL_VERSION}'" not in text:
        yield WARNS, f"MySQL {MYSQL_VERSION} is not listed for {location}.", OTHER_REGION


def _quota(location: str) -> Iterator[tuple[int, str, str]]:
    # unlike other commands, this one prints the body of Azure's answer
    usages = (found("containerapp", "list-usages", "--location", location) or {}).get("value", [])
    for usage in usages:
        if usage["name"]["value"] == "ManagedEnvironmentCount" and usage["currentValue"] >= usage["limit"]:
            yield (
                STOPS,
                f"All {usage['limit']:g} Container Apps environments of {location} are in use.",
                "Request more at https://aka.ms/aca/quota.",
            )
