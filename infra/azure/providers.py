"""The resource providers of Azure that a deployment uses; a new subscription has few of them registered.

Azure registers most providers when a template first creates one of their resources, but not a provider that a subnet is
delegated to, such as `Microsoft.App` for the subnet of the API (azure-docs, resource-providers-and-types and
flex-consumption-plan).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.azure.tools import az, found
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.azure.tools import Environment

PROVIDERS = (
    "Microsoft.App", "Microsoft.Cache", "Microsoft.Consumption", "Microsoft.ContainerRegistry",
    "Microsoft.DBforMySQL", "Microsoft.DocumentDB", "Microsoft.EventGrid", "Microsoft.Insights", "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity", "Microsoft.Network", "Microsoft.OperationalInsights", "Microsoft.Storage",
    "Microsoft.Web",
)  # fmt: skip
OF_FRONT_DOOR = ("Microsoft.Cdn",)
PATIENCE_S = 600.0
PAUSE_S = 5.0


def missing(environment: Environment) -> list[str] | None:
    """Return the providers that are not registered; None if they cannot be listed."""
    listed = found("provider", "list")
    if listed is None:
        return None
    states = {str(each["namespace"]).lower(): each["registrationState"] for each in listed}
    front_door = environment.is_on("NOTFLIX_FRONT_DOOR", default=False)
    wanted = (*PROVIDERS, *(OF_FRONT_DOOR if front_door else ()))
    return [name for name in wanted if states.get(name.lower()) != "Registered"]


def register(
    environment: Environment, *, pause: Callable[[float], None] = time.sleep, patience_s: float = PATIENCE_S
) -> None:
    """Register the providers that are missing, and wait until they are registered; raise CannotRun if one is not."""
    names = missing(environment)
    for name in names or ():
        az("provider", "register", "--namespace", name)
    deadline = time.monotonic() + patience_s
    while names:
        if time.monotonic() > deadline:
            raise CannotRun(
                f"These resource providers are still not registered: {', '.join(names)}. Run `./notflix deploy` again; "
                "it continues from here."
            )
        pause(PAUSE_S)
        now_missing = missing(environment)
        names = names if now_missing is None else now_missing
