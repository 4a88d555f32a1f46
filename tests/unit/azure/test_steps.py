"""The steps of a deployment call az and azd correctly, may be run again, and print helpful messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.azure import steps, uploads
from infra.azure.generated import GENERATED
from infra.azure.tools import Environment, az, require
from infra.local.home import CannotRun
from tests.support.azure import NO_BUDGET

if TYPE_CHECKING:
    from tests.support.azure import Programs

GIVEN = {
    "AZURE_ENV_NAME": "films",
    "NOTFLIX_ALERT_EMAIL": "owner@example.org",
    "AZURE_RESOURCE_GROUP": "rg-films",
    "NOTFLIX_MIGRATIONS_JOB": "migrations-x",
    "NOTFLIX_API_NAME": "func-x",
    "NOTFLIX_API_URL": "https://func-x.azurewebsites.net",
    "NOTFLIX_EVENT_TOPIC": "evgt-x",
    "NOTFLIX_STORAGE_NAME": "stx",
    "NOTFLIX_SITE_URL": "https://stx.z6.web.core.windows.net",
}


@pytest.fixture(autouse=True)
def no_values_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*GENERATED, *GIVEN, "NOTFLIX_FRONT_DOOR", "PAYPAL_CLIENT_ID", "NEO4J_URI", "OMDB_API_KEY", "SMTP_URL"):
        monkeypatch.delenv(name, raising=False)


def no_pause(seconds: float) -> None:
    assert seconds > 0


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in GIVEN.items() if key != name}


def test_prepare_asks_who_gets_mail_from_alerts(programs: Programs) -> None:
    with pytest.raises(CannotRun, match="NOTFLIX_ALERT_EMAIL"):
        steps.prepare()
    assert not programs.asked_for("az")


def test_values_of_the_process_count_where_the_file_has_none(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a new runner, azd's file is nearly empty, and the workflow exports the values as environment variables."""
    programs.keep({"AZURE_ENV_NAME": "films"})
    monkeypatch.setenv("NOTFLIX_ALERT_EMAIL", "owner@example.org")
    steps.prepare()
    assert "NOTFLIX_ALERT_EMAIL" not in programs.values


def test_the_file_counts_before_the_process(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.keep(GIVEN)
    monkeypatch.setenv("NOTFLIX_API_NAME", "func-other")
    assert Environment()["NOTFLIX_API_NAME"] == "func-x"


def test_a_secret_that_azd_keeps_in_a_vault_is_fetched(programs: Programs) -> None:
    programs.keep({"PAYPAL_CLIENT_SECRET": "akvs://sub/kv-own/paypal"})
    programs.answer("az", "keyvault", "secret", "show", "--vault-name", "kv-own", body={"value": "E-secret"})
    assert Environment().secret("PAYPAL_CLIENT_SECRET") == "E-secret"


def test_a_secret_is_never_in_what_a_person_is_told(programs: Programs) -> None:
    (programs.folder / "values.json").write_text("broken")
    with pytest.raises(CannotRun) as told:
        Environment()
    assert "broken" not in str(told.value)


def test_migrations_are_started_and_waited_for(programs: Programs) -> None:
    programs.keep(GIVEN)
    programs.answer("az", "containerapp", "job", "start", body={"name": "run-1"})
    programs.answer_in_turn(
        "az", "containerapp", "job", "execution", "show",
        bodies=[{"properties": {"status": "Running"}}, {"properties": {"status": "Succeeded"}}],
    )  # fmt: skip
    steps.migrate(no_pause)
    first, second = programs.asked_for("az", "containerapp", "job", "execution", "show")
    assert first == second and "run-1" in first


def test_migrations_that_fail_say_where_to_look(programs: Programs) -> None:
    programs.keep(GIVEN)
    programs.answer("az", "containerapp", "job", "start", body={"name": "run-1"})
    programs.answer("az", "containerapp", "job", "execution", "show", body={"properties": {"status": "Failed"}})
    with pytest.raises(CannotRun, match=r"ended with status Failed.*az containerapp job logs show"):
        steps.migrate(no_pause)


def finish(programs: Programs, monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """Run the last step with an API that answers, without publishing the site."""
    programs.keep({**GIVEN, **values})
    programs.answer("az", "functionapp", "show", body={"id": "/subscriptions/s/resourceGroups/rg-films/func-x"})
    programs.answer("az", "rest", "--method", "post", body={})
    programs.answer("az", "functionapp", "keys", "list", body={"systemKeys": {"blobs_extension": "key"}})
    programs.answer("az", "deployment", "group", "create", "--name", "events", body={})

    def warm(api_url: str, *, pause: Any, patience_s: float) -> list[str]:
        assert api_url == GIVEN["NOTFLIX_API_URL"] and pause is no_pause
        assert patience_s == (3600 if values.get("NOTFLIX_FRONT_DOOR") == "true" else 900)
        return []

    def publish(environment: Environment) -> None:
        assert environment["NOTFLIX_STORAGE_NAME"] == "stx"

    monkeypatch.setattr(uploads, "warm", warm)
    monkeypatch.setattr(steps, "_publish_site", publish)
    return steps.deployed(no_pause)


def test_a_new_front_door_is_waited_for_longer(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.answer("az", "deployment", "group", "create", "--name", "budget", body={})
    assert finish(programs, monkeypatch, NOTFLIX_FRONT_DOOR="true") == GIVEN["NOTFLIX_SITE_URL"]


def test_a_refused_budget_stops_nothing(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.refuse("az", "deployment", "group", "create", "--name", "budget", words=NO_BUDGET)
    assert finish(programs, monkeypatch) == GIVEN["NOTFLIX_SITE_URL"]
    told = capsys.readouterr().out
    assert "refused the budget" in told and "two days" in told


def test_a_budget_keeps_its_first_day(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.answer(
        "az", "consumption", "budget", "show", body={"timePeriod": {"startDate": "2026-08-01T00:00:00+00:00"}}
    )
    programs.answer("az", "deployment", "group", "create", "--name", "budget", body={})
    finish(programs, monkeypatch)
    (call,) = programs.asked_for("az", "deployment", "group", "create", "--name", "budget")
    assert "startDate=2026-08-01" in call and "amount=100" in call


def test_a_budget_can_be_left_out(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(programs, monkeypatch, NOTFLIX_BUDGET="false")
    assert not programs.asked_for("az", "consumption")
    assert not programs.asked_for("az", "deployment", "group", "create", "--name", "budget")


def test_without_paypal_nothing_is_registered(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.answer("az", "deployment", "group", "create", "--name", "budget", body={})
    finish(programs, monkeypatch)
    assert not programs.asked_for("az", "functionapp", "config")
    lines = steps.not_set_up(Environment())
    assert len(lines) == 4
    assert all("azd env set" in line for line in lines)


def test_the_vault_references_of_the_api_are_read_again(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role assigned seconds before the app was created may not have been effective yet."""
    programs.answer("az", "deployment", "group", "create", "--name", "budget", body={})
    finish(programs, monkeypatch)
    (call,) = programs.asked_for("az", "rest", "--method", "post")
    assert "configreferences/appsettings/refresh" in " ".join(call)


def test_what_az_says_is_passed_on(programs: Programs) -> None:
    with pytest.raises(CannotRun, match="ResourceNotFound"):
        az("group", "show", "--name", "none")
    assert programs.asked_for("az", "group", "show")


def test_a_program_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotRun, match=r"aka\.ms/install-azd"):
        require("azd")
