"""`./notflix deploy --plan`: the resources of a deployment, and its monthly costs while nobody uploads or watches."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from functions.platform.prices import usd
from functions.platform.queues import DEAD_LETTERS, PARKED
from functions.platform.triggers import LOST_BLOBS
from infra.azure.prices import SECONDS_A_MONTH
from infra.azure.template import INFRA, Choices, planned
from infra.local.home import REPOSITORY
from infra.local.host.config import timespan_s

FILMS_GB = 10
"""Data stored in the example month: ten gigabytes of films, and one of titles and history."""
LOGS_GB = 1
MYSQL_GB = 20
BILLED_S = 1.0
"""The least time for which an instance is billed when it runs a function (azure-functions, flex-consumption-plan)."""
PASS_RU = 15
"""Estimate: request units of Cosmos DB that a pass of `reconcile_work` uses if there is nothing to do."""
VAULT_CALLS = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the bill: item, number, US dollars per month, and a note on the calculation."""

    what: str
    number: int
    idle_usd: float
    note: str = ""


def bill(choices: Choices | None = None) -> list[Line]:
    """Return every item that costs money while nobody uploads or watches."""
    choices = choices or Choices()
    counts: dict[str, int] = {}
    for each in planned(choices):
        counts[each.kind] = counts.get(each.kind, 0) + each.count

    lines = [
        Line("MySQL", counts["Microsoft.DBforMySQL/flexibleServers"],
             usd("mysql-b1ms") + MYSQL_GB * usd("mysql-storage"), "Standard_B1ms, 20 GB"),
        Line("Redis", counts["Microsoft.Cache/redisEnterprise"], usd("redis-b0"), "Balanced_B0 without a replica"),
        _each(counts, "Microsoft.Network/privateEndpoints", "private endpoints", "private-endpoint"),
        _each(counts, "Microsoft.Network/privateDnsZones", "private DNS zones", "private-dns-zone"),
        _each(counts, "Microsoft.ContainerRegistry/registries", "registry", "registry-basic"),
        _each(counts, "Microsoft.Insights/metricAlerts", "metric alerts", "metric-alert"),
        _each(counts, "Microsoft.Cdn/profiles", "Front Door", "front-door"),
        *_log_alerts(counts["Microsoft.Insights/scheduledQueryRules"], choices),
        Line("logs", 1, max(0.0, LOGS_GB - usd("logs-free")) * usd("logs"), "about 1 GB, within the free grant"),
        Line("storage", 1, FILMS_GB * usd("storage"), f"{FILMS_GB} GB kept"),
        Line("Cosmos DB", counts["Microsoft.DocumentDB/databaseAccounts"], usd("cosmos-storage"), "1 GB kept"),
        *_passes(),
        Line("Key Vault", 1, VAULT_CALLS * usd("vault-operation"), ""),
        *_queue_polls(),
        _timers(choices),
    ]  # fmt: skip
    if choices.private:
        network = usd("containers-load-balancer") + usd("containers-public-ip")
        lines.append(Line("network of the encoder", 1, network, "a load balancer and an address"))
    if tests := counts.get("Microsoft.Insights/webtests"):
        calls = SECONDS_A_MONTH / _seconds("modules/availability.bicep", "Frequency")
        lines.append(Line("availability test", tests, tests * calls * usd("web-test"), f"{calls:,.0f} calls"))
    return [line for line in lines if line.number]


def idle_usd(choices: Choices | None = None) -> float:
    """Return the total cost of a month in which nobody uploads or watches."""
    return sum(line.idle_usd for line in bill(choices))


def _each(counts: dict[str, int], kind: str, what: str, price: str) -> Line:
    number = counts.get(kind, 0)
    return Line(what, number, number * usd(price))


def _log_alerts(number: int, choices: Choices) -> list[Line]:
    if not choices.private:
        return [Line("log alert", number, number * usd("log-alert-15-min"), "every 15 minutes")]
    text = (INFRA / "modules" / "observability.bicep").read_text(encoding="utf-8").split("\nresource alert ")[0]
    fast = len(re.findall(r"^    severity: [01]$", text, re.MULTILINE))
    return [
        Line("urgent log alerts", fast, fast * usd("log-alert-5-min"), "every 5 minutes"),
        Line("other log alerts", number - fast, (number - fast) * usd("log-alert-15-min"), "every 15 minutes"),
    ]


def _rules() -> list[str]:
    text = (INFRA / "encoder.bicep").read_text(encoding="utf-8")
    return re.findall(r"^  \{ name: '([\w-]+)', length:", text, re.MULTILINE)


def queue_polls() -> dict[str, int]:
    """Return how many transactions a month the queues cause while they are empty, by cause.

    One instance of the API is awake all month, because its timers wake it every minute. It polls each of its queues
    once per `maxPollingInterval`, lists all queues, and peeks at those without dead letters to measure them. The scale
    rules poll the encoder's queues; no encoder runs.
    """
    listened = queues_of_api()
    measured = [name for name in (*listened, *_encoder_queues(), PARKED) if not name.endswith(DEAD_LETTERS)]
    interval_s = timespan_s(host_settings()["extensions"]["queues"]["maxPollingInterval"])
    return {
        "queue listeners": round(len(listened) * SECONDS_A_MONTH / interval_s),
        "queue measurements": (len(measured) + 1) * runs_a_month(_schedule("measure_queues")),
        "scale rules": len(_rules()) * SECONDS_A_MONTH // _seconds("encoder.bicep", "pollingInterval"),
    }


def queues_of_api() -> list[str]:
    """Return the queues that the host of the API polls, including the host's own queue for blob triggers."""
    import function_app

    declared = [each for app in function_app.SLICES for each in app.queue_functions]
    names = [f"{each.queue}-poison" if each.dead_letters else each.queue for each in declared]
    return [*names, LOST_BLOBS, "azure-webjobs-blobtrigger"]


def host_settings() -> dict[str, Any]:
    """Return host.json of the API."""
    settings: dict[str, Any] = json.loads((REPOSITORY / "host.json").read_text(encoding="utf-8"))
    return settings


def _queue_polls() -> list[Line]:
    polls = queue_polls()
    numbers = {"queue listeners": len(queues_of_api()), "queue measurements": 1, "scale rules": len(_rules())}
    return [
        Line(what, numbers[what], calls * usd("queue-operation"), f"{calls:,} transactions")
        for what, calls in polls.items()
    ]


def _encoder_queues() -> set[str]:
    """Return the queues of the encoder without those of dead letters; two functions may share a queue."""
    import encoder_app

    return {each.queue for app in encoder_app.SLICES for each in app.queue_functions if not each.dead_letters}


def _schedule(timer: str) -> str:
    import function_app

    return next(each.schedule for app in function_app.SLICES for each in app.timers if each.name == timer)


def _seconds(file: str, name: str) -> int:
    text = (INFRA / file).read_text(encoding="utf-8")
    return int(re.findall(rf"^\s+{name}: (\d+)$", text, re.MULTILINE)[0])


def timers() -> list[int]:
    """Return the number of runs per month for each timer of the functions."""
    import function_app

    return [runs_a_month(timer.schedule) for each in function_app.SLICES for timer in each.timers]


def _timers(choices: Choices) -> Line:
    each_gb_s = BILLED_S * choices.memory_mb / 1024
    cost = max(0.0, sum(timers()) * each_gb_s - usd("functions-gb-s-free")) * usd("functions-gb-s")
    return Line("timers", len(timers()), cost, f"{sum(timers()):,} runs, {each_gb_s:g} GB-s each, less the free grant")


def _passes() -> list[Line]:
    """Return the price of the timer that looks for lost work: each pass lists the uploads and runs some queries."""
    passes = runs_a_month(_schedule("reconcile_work"))
    units = passes * PASS_RU
    return [
        Line("lists of uploads", 1, passes * usd("storage-list"), f"{passes:,} calls"),
        Line("requests of Cosmos DB", 1, units * usd("cosmos-request-units"), f"about {units:,} request units"),
    ]


def runs_a_month(schedule: str) -> int:
    """Return how many times a month a six-field NCRONTAB schedule runs; its day, month and weekday must be `*`."""
    seconds, minutes, hours, *days = schedule.split()
    if days != ["*", "*", "*"]:
        raise ValueError(f"{schedule}: schedules by day are not supported here")
    a_day = _values(seconds, 60) * _values(minutes, 60) * _values(hours, 24)
    return round(a_day * SECONDS_A_MONTH / 86_400)


def _values(field: str, span: int) -> int:
    """Return the number of values that a field of a schedule matches; `span` is the number of possible values."""
    total = 0
    for part in field.split(","):
        head, _, step = part.partition("/")
        first, _, last = ("0", "", str(span - 1)) if head == "*" else head.partition("-")
        end = int(last) if last else (span - 1 if step else int(first))
        total += len(range(int(first), end + 1, int(step or 1)))
    return total


def show_plan(choices: Choices | None = None) -> None:
    """Print the resources, their monthly price at idle, and the price of each profile."""
    from rich.console import Console
    from rich.table import Table

    choices = choices or Choices()
    console = Console()
    made = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("module", "resource", "number"):
        made.add_column(heading, overflow="fold")
    for each in planned(choices):
        if each.kind.count("/") == 1 and not each.kind.startswith("Microsoft.Authorization/"):
            made.add_row(each.module, each.kind, str(each.count))
    console.print(made)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "number", "idle, $ a month", ""):
        table.add_column(heading, overflow="fold")
    for line in bill(choices):
        table.add_row(line.what, str(line.number), f"{line.idle_usd:.2f}", line.note)
    console.print(table)
    console.print(
        f"About ${idle_usd(choices):.0f} a month while nobody uploads or watches, with the profile {choices.profile}. "
        f"Profiles: standard ${idle_usd(Choices()):.0f}, small ${idle_usd(Choices('small')):.0f}, small with "
        f"a registry ${idle_usd(Choices('small', registry=True)):.0f}. Encoding, storage and traffic cost extra: "
        "docs/azure.md.",
        highlight=False,
    )


def table() -> str:
    """Return a Markdown table for the documentation with the idle costs of each profile."""
    profiles = {
        "standard": Choices(),
        "small": Choices("small"),
    }
    bills = {name: {line.what: line.idle_usd for line in bill(choices)} for name, choices in profiles.items()}
    rows = list(dict.fromkeys(what for lines in bills.values() for what in lines))
    text = ["| $ a month at idle | " + " | ".join(profiles) + " |", "| --- |" + " --- |" * len(profiles)]
    for what in rows:
        cells = [f"{lines[what]:.2f}" if what in lines else "–" for lines in bills.values()]
        text.append(f"| {what} | " + " | ".join(cells) + " |")
    text.append("| **together** | " + " | ".join(f"**{sum(lines.values()):.0f}**" for lines in bills.values()) + " |")
    return "\n".join(text)
