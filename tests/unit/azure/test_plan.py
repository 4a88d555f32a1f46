"""The plan: the resources of the template for each choice, and their costs from one dated table."""

from __future__ import annotations

import re
from datetime import date

import pytest

from functions.platform.prices import prices, usd
from infra.azure.example import SERVICES, SUBSCRIBERS
from infra.azure.example import bill as example_bill
from infra.azure.example import table as example_table
from infra.azure.plan import bill, idle_usd, queue_polls, queues_of_api, runs_a_month, show_plan, timers
from infra.azure.plan import table as plan_table
from infra.azure.preflight import ASKED_FOR
from infra.azure.prices import free_encode_s
from infra.azure.prices import table as price_table
from infra.azure.template import INFRA, Choices, planned
from infra.local.home import REPOSITORY

SMALL = Choices("small")
GOAL_USD = 35
GOAL_A_SUBSCRIBER_USD = 0.25
MOST_TRANSACTIONS = 2_000_000


def kinds(choices: Choices) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in planned(choices):
        counts[each.kind] = counts.get(each.kind, 0) + each.count
    return counts


def test_the_plan_counts_what_loops_make_and_leaves_out_what_exists() -> None:
    counts = {(each.module, each.kind): each.count for each in planned()}
    assert counts["storage", "Microsoft.Storage/storageAccounts/queueServices/queues"] == 29
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
    assert idle_usd(Choices("small", registry=True)) == pytest.approx(idle_usd(SMALL) + usd("registry-basic"))
    assert idle_usd(Choices(registry=False)) == pytest.approx(idle_usd() - usd("registry-basic"))


def test_a_subscriber_of_the_small_service_costs_a_quarter_of_a_dollar() -> None:
    small = next(service for service in SERVICES if service.choices.profile == "small" and service.cdn == "cdn-volume")
    assert sum(example_bill(small).values()) / SUBSCRIBERS <= GOAL_A_SUBSCRIBER_USD


def test_the_worked_example_agrees_with_a_count_by_hand() -> None:
    """Every number here is written out, so that an error in the module or in a price is not repeated here."""
    standard, small = example_bill(SERVICES[0]), example_bill(SERVICES[2])
    replica_usd = 4 * 0.000024 + 8 * 0.000003
    film_s = 50 * 100 * 60
    by_hand = {
        "encoding": film_s * 24 * 3.84 * 0.0174 / 4 * replica_usd,
        "starting encoders": 50 * 10 * 360 * replica_usd,
        "free grant of encoding": -45_000 * replica_usd,
        "writing segments": film_s / 3600 * 5530 * 0.06875 / 10_000,
        "storing films and their masters": film_s / 3600 * 8 * 0.026,
        "traffic of the CDN": 0,
        "traffic of storage": (500 * 10 * 1.5 - 100) * 0.08,
        "reading segments": 5000 * 1800 * 0.0045 / 10_000,
        "API": 150 * 3600 * (1 - 2.718281828 ** -(5000 * 280 / 540_000)) * 2 * 0.000026 + 1.15 * 0.4,
    }
    assert {what: standard[what] for what in by_hand} == pytest.approx(by_hand, rel=1e-6)
    assert sum(standard.values()) == pytest.approx(sum(by_hand.values()) + idle_usd(), rel=1e-6)
    assert small["traffic of the CDN"] == pytest.approx(37.5)
    assert small["traffic of storage"] == 0, "one of a hundred requests reaches storage: 75 GB, less than the free 100"
    assert small["API"] == pytest.approx((by_hand["API"] - 0.46) / 4 + 0.46, rel=1e-6)


def test_what_an_independent_count_found_is_in_the_bill() -> None:
    """The first plan omitted the network of the encoder, and included only a third of the price of alerts."""
    lines = {line.what: line.idle_usd for line in bill(Choices())}
    assert lines["lists of uploads"] == pytest.approx(43_800 * 0.06875 / 10_000)
    assert lines["requests of Cosmos DB"] == pytest.approx(43_800 * 15 * 0.279 / 1e6)
    assert lines["timers"] == pytest.approx((sum(timers()) * 2 - 100_000) * 0.000026)
    assert lines["network of the encoder"] == pytest.approx(21.9)
    assert lines["MySQL"] == pytest.approx(18.82)
    assert lines["urgent log alerts"] == pytest.approx(4 * 1.5)
    assert lines["private endpoints"] == pytest.approx(3 * 7.3)


def test_empty_queues_cause_at_most_two_million_transactions_a_month() -> None:
    """With a poll every second, one instance of the API alone caused 44.7 million."""
    polls = queue_polls()
    assert set(polls) == {"queue listeners", "queue measurements", "scale rules"}
    assert sum(polls.values()) <= MOST_TRANSACTIONS
    billed = sum(line.idle_usd for line in bill(Choices()) if line.what in polls)
    assert billed == pytest.approx(sum(polls.values()) * usd("queue-operation"))


def test_every_queue_that_the_api_listens_on_is_counted() -> None:
    texts = (path.read_text(encoding="utf-8") for path in (REPOSITORY / "functions").glob("*/*triggers.py"))
    found = sum(
        len(re.findall(r"^@app\.(?:queue|dead_letters|lost_blobs|blob)\(", text, re.MULTILINE)) for text in texts
    )
    assert len(queues_of_api()) == len(set(queues_of_api())) == found


def test_each_price_has_a_source_a_region_and_a_day() -> None:
    for price in prices().values():
        assert len(price.source) > 5 and price.region and price.unit
        assert date(2026, 1, 1) <= price.read <= date(2030, 1, 1)


def test_each_price_is_used_or_shown() -> None:
    modules = (*(INFRA / "azure").glob("*.py"), REPOSITORY / "functions" / "encoding" / "spending" / "costs.py")
    texts = [path.read_text(encoding="utf-8") for path in modules]
    docs = (REPOSITORY / "docs" / "azure.md").read_text(encoding="utf-8")
    for key in prices():
        assert any(f'"{key}"' in text for text in texts) or f"`{key}`" in docs, key


def test_the_free_grant_of_encoding_is_counted() -> None:
    assert free_encode_s() == 45_000


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


def test_a_small_instance_runs_the_timers_within_the_free_grant() -> None:
    small = {line.what: line.idle_usd for line in bill(Choices("small", memory_mb=512))}
    assert small["timers"] == 0


def test_a_schedule_that_is_not_understood_is_an_error() -> None:
    with pytest.raises(ValueError, match="by day"):
        runs_a_month("0 0 3 * * 1")


def test_all_timers_are_found() -> None:
    texts = (path.read_text(encoding="utf-8") for path in (REPOSITORY / "functions").glob("*/*triggers.py"))
    assert len(timers()) == sum(text.count("@app.timer(") for text in texts) > 0


def test_the_plan_shows_prices_of_both_profiles(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    show_plan()
    told = " ".join(capsys.readouterr().out.split())
    assert "Microsoft.DBforMySQL/flexibleServers" in told
    assert f"standard ${idle_usd():.0f}" in told and f"small ${idle_usd(SMALL):.0f}" in told


def test_the_documentation_has_the_tables_of_today() -> None:
    docs = (REPOSITORY / "docs" / "azure.md").read_text(encoding="utf-8")
    tables = (plan_table(), price_table(), example_table())
    assert all(table in docs for table in tables), "write the tables of plan, prices and example again"


def test_the_documentation_leads_to_an_address_in_six_commands() -> None:
    docs = (REPOSITORY / "docs" / "azure.md").read_text(encoding="utf-8")
    first = docs.split("## The first deployment")[1].split("```")[1]
    commands = [line for line in first.splitlines() if line.strip()]
    assert commands[-1] == "./notflix deploy" and len(commands) <= 6
    given = set(re.findall(r"(\w+)=", first))
    assert given == set(ASKED_FOR), "what the first deployment asks for is set there, and nothing else"
