"""During a deployment, the Azure CLI stays logged in, in the subscription of azd."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.azure import login, steps
from infra.azure.tools import Environment
from infra.local.home import CannotRun
from tests.support.web_server import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.azure import Programs

IN_GITHUB = {"AZURE_CLIENT_ID": "client", "AZURE_TENANT_ID": "tenant", "AZURE_SUBSCRIPTION_ID": "sub"}
TOKEN = "eyJ0b2tlbiI6MX0"


def in_github(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Set the variables that a job of GitHub Actions has."""
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{url}/token?api-version=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the job")
    for name, value in IN_GITHUB.items():
        monkeypatch.setenv(name, value)


def test_a_job_of_github_logs_in_again_with_a_new_token(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first token is valid for five minutes, and MySQL alone takes longer."""
    programs.answer("az", "login", body=[{}])
    programs.answer("az", "account", "set", body={})
    with serving({"/token": (200, json.dumps({"value": TOKEN}))}) as url:
        in_github(monkeypatch, url)
        login.ensure(Environment())
    who = ["--service-principal", "--username", "client", "--tenant", "tenant", "--federated-token", TOKEN]
    assert [call[2:9] for call in programs.asked_for("az", "login")] == [who]
    assert [call[:5] for call in programs.asked_for("az", "account", "set")] == [
        ["az", "account", "set", "--subscription", "sub"]
    ], "a login chooses a subscription by itself"


@pytest.mark.parametrize("answer", [403, (200, "{}"), (200, "no JSON")])
def test_a_job_without_the_permission_is_told_which(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, answer: int | tuple[int, str]
) -> None:
    with serving({"/token": answer}) as url:
        in_github(monkeypatch, url)
        with pytest.raises(CannotRun, match="id-token: write"):
            login.ensure(Environment())
    assert not programs.asked_for("az", "login")


def test_a_refused_token_is_not_shown(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.refuse("az", "login", words=f"AADSTS700024: {TOKEN} is not within its valid time range.")
    with serving({"/token": (200, json.dumps({"value": TOKEN}))}) as url:
        in_github(monkeypatch, url)
        with pytest.raises(CannotRun) as told:
            login.ensure(Environment())
    assert TOKEN not in str(told.value) and "az login" in str(told.value)


def test_a_person_stays_logged_in(programs: Programs) -> None:
    login.ensure(Environment())
    programs.keep({"AZURE_SUBSCRIPTION_ID": "sub"})
    login.ensure(Environment())
    assert not programs.asked_for("az", "login")


@pytest.mark.parametrize("step", [steps.prepare, steps.migrate, steps.deployed], ids=lambda step: str(step.__name__))
def test_each_step_looks_at_the_login_first(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, step: Callable[[], object]
) -> None:
    programs.keep({"NOTFLIX_ALERT_EMAIL": "owner@example.org", "AZURE_SUBSCRIPTION_ID": "other"})
    monkeypatch.delenv(steps.ROLLBACK, raising=False)
    with pytest.raises(CannotRun, match="az account set"):
        step()
    assert [call[:3] for call in programs.asked_for("az")] == [["az", "account", "show"]]


def test_another_subscription_than_that_of_azd_is_refused(programs: Programs) -> None:
    programs.keep({"AZURE_SUBSCRIPTION_ID": "other"})
    with pytest.raises(CannotRun, match=r"uses the subscription Films.*az account set --subscription other"):
        login.ensure(Environment())
