"""What a deployment would make, read from the template, and what it costs a month while nobody uploads or watches.

Prices are list prices in US dollars, pay as you go, rounded; docs/azure.md says where they come from and how to work
them out for a month with viewers.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from infra.local.home import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

IDLE_USD = {
    "Microsoft.DBforMySQL/flexibleServers": (15.0, "Standard_B1ms, 20 GB, 14 days of backup"),
    "Microsoft.Cache/redisEnterprise": (13.0, "Balanced_B0"),
    "Microsoft.Network/privateEndpoints": (7.3, "Redis, by the hour"),
    "Microsoft.Network/privateDnsZones": (0.5, "each zone"),
    "Microsoft.ContainerRegistry/registries": (5.0, "Basic"),
    "Microsoft.OperationalInsights/workspaces": (2.0, "about 1 GB of logs"),
    "Microsoft.DocumentDB/databaseAccounts": (0.3, "serverless: 1 GB kept"),
    "Microsoft.Storage/storageAccounts": (0.5, "queues asked and 10 GB kept"),
    "Microsoft.KeyVault/vaults": (0.1, "operations"),
    "Microsoft.Insights/scheduledQueryRules": (0.5, "each alert, every 5 minutes"),
    "Microsoft.Cdn/profiles": (35.0, "Front Door Standard, only if asked for"),
}
"""A month of a resource that costs while idle; what is not listed costs nothing then."""

OPTIONAL = {"edge": "frontDoor"}
"""Modules that are made only if a parameter asks for them."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A resource of the template: its module, type, and how many of it a loop makes."""

    module: str
    kind: str
    count: int

    @property
    def optional(self) -> bool:
        """Say whether it is made only on request."""
        return self.module in OPTIONAL

    @property
    def idle_usd(self) -> float:
        """Return what it costs a month while idle."""
        return self.count * IDLE_USD.get(self.kind, (0.0, ""))[0]


def planned(infra: Path = REPOSITORY / "infra") -> list[Planned]:
    """Return the resources of the template in the order of its modules; one that exists already is none of them."""
    main = (infra / "main.bicep").read_text(encoding="utf-8")
    modules = re.findall(r"^module \w+ 'modules/(\w+)\.bicep'", main, re.MULTILINE)
    found = [
        *_resources("main", main),
        *(
            each
            for name in modules
            for each in _resources(name, (infra / "modules" / f"{name}.bicep").read_text("utf-8"))
        ),
    ]
    found += _resources("events", (infra / "events.bicep").read_text(encoding="utf-8"))
    counts = Counter[tuple[str, str]]()
    for each in found:
        counts[each.module, each.kind] += each.count
    return [Planned(module, kind, count) for (module, kind), count in counts.items()]


def _resources(module: str, text: str) -> list[Planned]:
    lists = {
        name: len(re.findall(r"^  (?:'|\{)", body, re.MULTILINE))
        for name, body in re.findall(r"^var (\w+) = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    }
    found = []
    for kind, existing, loop in re.findall(
        r"^resource \w+ '([\w./]+)@[^']+'( existing)? = (?:\[for (?:\w+|\(\w+, \w+\)) in (\w+|\[[^\]]*\]))?",
        text,
        re.MULTILINE,
    ):
        if existing:
            continue
        count = lists.get(loop) or (loop.count(",") + 1 if loop.startswith("[") else 1)
        found.append(Planned(module, kind, count))
    return found


def show_plan() -> None:
    """Print what would be made, and its price a month at idle."""
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("module", "resource", "number", "idle, $ a month", ""):
        table.add_column(heading, overflow="fold")
    resources = [each for each in planned() if not _is_detail(each)]
    for each in resources:
        price = f"{each.idle_usd:.2f}" if each.idle_usd else ""
        note = IDLE_USD.get(each.kind, (0.0, ""))[1] or ("only if asked for" if each.optional else "")
        table.add_row(each.module, each.kind, str(each.count), price, note)
    console.print(table)
    always = sum(each.idle_usd for each in resources if not each.optional)
    more = sum(each.idle_usd for each in resources if each.optional)
    console.print(
        f"About ${always:.0f} a month while nobody uploads or watches; ${always + more:.0f} with Front Door. "
        "Encoding, storage and traffic come on top: docs/azure.md.",
        highlight=False,
    )


def _is_detail(each: Planned) -> bool:
    """Say whether it is a part of another resource, or a right to it, rather than a thing of its own."""
    return each.kind.count("/") > 1 or each.kind.startswith(
        ("Microsoft.Authorization/", "Microsoft.Insights/diagnostic")
    )
