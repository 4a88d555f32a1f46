"""The steps of a deployment: what each asks of az and azd, that each may be run again, and what a person is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from infra.azure import steps
from infra.azure.deploy import ASKED_FOR, check_values
from infra.azure.plan import planned, show_plan
from infra.azure.tools import Environment, az, require
from infra.local.home import REPOSITORY, CannotRun

if TYPE_CHECKING:
    from tests.support.azure import Programs

GIVEN = {
    "NOTFLIX_ALERT_EMAIL": "owner@example.org",
    "AZURE_RESOURCE_GROUP": "rg-films",
    "NOTFLIX_MIGRATIONS_JOB": "migrations-x",
    "SERVICE_ENCODER_IMAGE_NAME": "cr.azurecr.io/encoder:1",
    "NOTFLIX_API_NAME": "func-x",
    "NOTFLIX_EVENT_TOPIC": "evgt-x",
}


def no_pause(seconds: float) -> None:
    assert seconds > 0


def test_prepare_chooses_each_secret_once(programs: Programs) -> None:
    programs.keep(GIVEN)
    steps.prepare()
    chosen = programs.values
    assert all(len(chosen[name]) > 32 for name in steps.GENERATED)
    assert len({chosen[name] for name in steps.GENERATED}) == len(steps.GENERATED)
    assert chosen["NOTFLIX_BUDGET_START"].endswith("-01")
    steps.prepare()
    assert programs.values == chosen


def test_prepare_takes_back_from_the_vault_what_another_machine_chose(programs: Programs) -> None:
    programs.keep({**GIVEN, "AZURE_KEY_VAULT_NAME": "kv-x"})
    programs.answer("az", "keyvault", "secret", "show", body={"value": "kept"})
    steps.prepare()
    assert {programs.values[name] for name in steps.GENERATED} == {"kept"}


def test_prepare_keeps_the_image_that_runs_on_a_machine_that_has_not_built_it(programs: Programs) -> None:
    given = {name: value for name, value in GIVEN.items() if name != steps.IMAGE}
    image = "cr.azurecr.io/encoder:7"
    tags = {"azd-service-name": "encoder"}
    app = {"tags": tags, "properties": {"template": {"containers": [{"image": image}]}}}
    programs.answer("az", "containerapp", "list", "--resource-group", "rg-films", body=[app])
    programs.keep({**given, "AZURE_ENV_NAME": "films"})
    steps.prepare()
    assert programs.values[steps.IMAGE] == image


def test_prepare_leaves_the_placeholder_to_the_template(programs: Programs) -> None:
    programs.keep({**{name: value for name, value in GIVEN.items() if name != steps.IMAGE}, "AZURE_ENV_NAME": "films"})
    steps.prepare()
    assert steps.IMAGE not in programs.values


def test_prepare_asks_who_hears_of_alerts(programs: Programs) -> None:
    with pytest.raises(CannotRun, match="NOTFLIX_ALERT_EMAIL"):
        steps.prepare()
    assert not programs.asked_for("az")


def test_a_secret_never_stands_in_what_a_person_is_told(programs: Programs) -> None:
    (programs.folder / "values.json").write_text("broken")
    with pytest.raises(CannotRun) as told:
        Environment()
    assert "broken" not in str(told.value)


def test_prepare_chooses_what_the_vault_does_not_have_yet(programs: Programs) -> None:
    programs.keep({**GIVEN, "AZURE_KEY_VAULT_NAME": "kv-x"})
    programs.refuse("az", "keyvault", "secret", "show", words="(SecretNotFound) A secret with that name is not there.")
    steps.prepare()
    assert all(len(programs.values[name]) > 32 for name in steps.GENERATED)


def test_prepare_chooses_nothing_anew_while_the_vault_cannot_be_read(programs: Programs) -> None:
    programs.keep({**GIVEN, "AZURE_KEY_VAULT_NAME": "kv-x"})
    programs.refuse("az", "keyvault", "secret", "show", words="(Forbidden) Caller is not authorized.")
    with pytest.raises(CannotRun, match="not authorized"):
        steps.prepare()
    assert not set(programs.values) & set(steps.GENERATED)


def test_migrations_come_after_the_image_and_before_the_api() -> None:
    """azd deploys services in the order of their names, and runs a service's hook when it is deployed."""
    services = (REPOSITORY / "azure.yaml").read_text(encoding="utf-8").split("\nhooks:")[0].split("services:")[1]
    assert re.findall(r"^  (\w+):$", services, re.MULTILINE) == ["encoder", "functions"]
    assert services.index("azure migrate") < services.index("functions:")


def test_migrations_run_with_the_image_of_this_deployment(programs: Programs) -> None:
    programs.keep(GIVEN)
    programs.answer("az", "containerapp", "job", "update", body={})
    programs.answer("az", "containerapp", "job", "start", body={"name": "run-1"})
    programs.answer("az", "containerapp", "job", "execution", "show", body={"properties": {"status": "Succeeded"}})
    steps.migrate(no_pause)
    (update,) = programs.asked_for("az", "containerapp", "job", "update")
    assert GIVEN["SERVICE_ENCODER_IMAGE_NAME"] in update
    (shown,) = programs.asked_for("az", "containerapp", "job", "execution", "show")
    assert "run-1" in shown


def test_migrations_that_fail_say_where_to_look(programs: Programs) -> None:
    programs.keep(GIVEN)
    programs.answer("az", "containerapp", "job", "update", body={})
    programs.answer("az", "containerapp", "job", "start", body={"name": "run-1"})
    programs.answer("az", "containerapp", "job", "execution", "show", body={"properties": {"status": "Failed"}})
    with pytest.raises(CannotRun, match=r"ended as Failed.*az containerapp job logs show"):
        steps.migrate(no_pause)


def test_events_are_led_to_the_app_that_was_deployed(programs: Programs) -> None:
    programs.keep(GIVEN)
    programs.answer("az", "deployment", "group", "create", body={})
    steps._lead_events(Environment())
    (call,) = programs.asked_for("az", "deployment", "group", "create")
    assert "apiName=func-x" in call
    assert "topicName=evgt-x" in call


def test_all_that_is_missing_is_told_at_once(programs: Programs) -> None:
    programs.keep({"AZURE_LOCATION": "westeurope"})
    with pytest.raises(CannotRun) as told:
        check_values(Environment())
    assert all(f"azd env set {name}" in str(told.value) for name in ASKED_FOR if name != "AZURE_LOCATION")
    assert "AZURE_LOCATION" not in str(told.value)


def test_what_az_says_is_passed_on(programs: Programs) -> None:
    with pytest.raises(CannotRun, match="no such thing"):
        az("group", "show", "--name", "none")
    assert programs.asked_for("az", "group", "show")


def test_a_program_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotRun, match=r"aka\.ms/install-azd"):
        require("azd")


def test_the_plan_counts_what_loops_make_and_leaves_out_what_exists() -> None:
    counts = {(each.module, each.kind): each.count for each in planned()}
    assert counts["storage", "Microsoft.Storage/storageAccounts/queueServices/queues"] > 5
    assert counts["identity", "Microsoft.ManagedIdentity/userAssignedIdentities"] == 3
    assert ("vault", "Microsoft.Cache/redisEnterprise") not in counts


def test_the_plan_shows_a_price(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    show_plan()
    told = capsys.readouterr().out
    assert "Microsoft.DBforMySQL/flexibleServers" in told
    assert "a month while nobody uploads or watches" in " ".join(told.split())
