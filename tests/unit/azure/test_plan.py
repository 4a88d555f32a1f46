"""The plan: the resources of the template for each choice, and their costs from one dated table."""

from __future__ import annotations

import re
from datetime import date

import pytest

from infra.azure.plan import bill, idle_usd, runs_a_month, show_plan, timers
from infra.azure.plan import table as plan_table
from infra.azure.preflight import ASKED_FOR
from infra.azure.prices import encode_usd, free_encode_s, prices, usd
from infra.azure.prices import table as price_table
from infra.azure.template import INFRA, Choices, planned
from infra.local.home import REPOSITORY

SMALL = Choices("small", registry=False)
GOAL_USD = 35


def kinds(choices: Choices) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in planned(choices):
        counts[each.kind] = counts.get(each.kind, 0) + each.count
    return counts


def test_the_plan_counts_what_loops_make_and_leaves_out_what_exists() -> None:
    counts = {(each.module, each.kind): each.count for each in planned()}
    assert counts["storage", "Microsoft.Storage/storageAccounts/queueServices/queues"] == 18
    assert counts["identity", "Microsoft.ManagedIdentity/userAssignedIdentities"] == 3
    assert ("vault", "Microsoft.Cache/redisEnterprise") not in counts


def test_every_condition_of_the_template_is_known() -> None:
    """An unknown condition in any file raises KeyError."""
    for choices in (Choices(), SMALL, Choices(front_door=True)):
        assert planned(choices)
    resources = sum(
        len(re.findall(r"^resource \w+ ", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in (*INFRA.glob("*.bicep"), *(INFRA / "modules").glob("*.bicep"))
    )
    assert resources > 90


def test_the_profile_small_makes_no_network_and_one_alert() -> None:
    small, standard = kinds(SMALL), kinds(Choices())
    for kind in (
        "Microsoft.Network/virtualNetworks",
        "Microsoft.Network/privateEndpoints",
        "Microsoft.Insights/webtests",
    ):
        assert kind in standard and kind not in small
    assert "Microsoft.ContainerRegistry/registries" not in small
    assert small["Microsoft.Insights/scheduledQueryRules"] == 1


def test_the_profile_small_costs_what_it_promises() -> None:
    assert idle_usd(SMALL) <= GOAL_USD
    assert idle_usd(Choices("small")) <= GOAL_USD + usd("registry-basic")


def test_what_an_independent_count_found_is_in_the_bill() -> None:
    """The first plan omitted the network of the encoder, and included only a third of the price of alerts."""
    lines = {line.what: line.idle_usd for line in bill(Choices())}
    assert lines["network of the encoder"] == pytest.approx(21.9)
    assert lines["MySQL"] == pytest.approx(18.82)
    assert lines["urgent log alerts"] == pytest.approx(4 * 1.5)
    assert lines["private endpoints"] == pytest.approx(3 * 7.3)


def test_each_price_has_a_source_a_region_and_a_day() -> None:
    for price in prices().values():
        assert len(price.source) > 5 and price.region and price.unit
        assert date(2026, 1, 1) <= price.read <= date(2030, 1, 1)


def test_each_price_is_used_or_shown() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (INFRA / "azure").glob("*.py")]
    docs = (REPOSITORY / "docs" / "azure.md").read_text(encoding="utf-8")
    for key in prices():
        assert any(f'"{key}"' in text for text in texts) or f"`{key}`" in docs, key


def test_the_free_grant_of_encoding_is_counted() -> None:
    assert free_encode_s() == 45_000
    assert encode_usd(3600) == pytest.approx(0.432)


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ("0 */5 * * * *", 8760),
        ("0 5-59/10 * * * *", 4380),
        ("0 7 * * * *", 730),
        ("0 20 3 * * *", 30),
        ("0 * * * * *", 43_800),
        ("*/30 * * * * *", 87_600),
        ("0 0,30 * * * *", 1460),
    ],
)
def test_runs_of_a_timer_are_counted(schedule: str, runs: int) -> None:
    assert runs_a_month(schedule) == runs


def test_a_schedule_that_is_not_understood_is_an_error() -> None:
    with pytest.raises(ValueError, match="by day"):
        runs_a_month("0 0 3 * * 1")


def test_all_timers_are_found() -> None:
    texts = (path.read_text(encoding="utf-8") for path in (REPOSITORY / "functions").glob("*/triggers.py"))
    assert len(timers()) == sum(text.count("@app.timer(") for text in texts) > 0


def test_the_plan_shows_prices_of_both_profiles(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    show_plan()
    told = " ".join(capsys.readouterr().out.split())
    assert "Microsoft.DBforMySQL/flexibleServers" in told
    assert f"standard ${idle_usd():.0f}" in told and f"prebuilt image ${idle_usd(SMALL):.0f}" in told


def test_the_documentation_has_the_tables_of_today() -> None:
    docs = (REPOSITORY / "docs" / "azure.md").read_text(encoding="utf-8")
    assert plan_table() in docs and price_table() in docs, "write the tables of plan.table() and prices.table() again"


def test_the_documentation_leads_to_an_address_in_six_commands() -> None:
    docs = (REPOSITORY / "docs" / "azure.md").read_text(encoding="utf-8")
    first = docs.split("## The first deployment")[1].split("```")[1]
    commands = [line for line in first.splitlines() if line.strip()]
    assert commands[-1] == "./notflix deploy" and len(commands) <= 6
    given = set(re.findall(r"(\w+)=", first))
    assert given == set(ASKED_FOR), "what the first deployment asks for is set there, and nothing else"
