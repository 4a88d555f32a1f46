"""Everything that would stop a deployment is found before anything is created, and reported in one list."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest

from infra.azure import deploy as deployment
from infra.azure import preflight, providers
from infra.azure.preflight import ASKED_FOR, Level, check
from infra.azure.providers import PROVIDERS
from infra.azure.tools import Environment
from infra.local.home import REPOSITORY, CannotRun

if TYPE_CHECKING:
    from tests.support.azure import Programs

GIVEN = {"AZURE_ENV_NAME": "films", "AZURE_LOCATION": "westeurope", "NOTFLIX_ALERT_EMAIL": "owner@example.org"}
ACCOUNT = {"id": "sub", "name": "Films", "state": "Enabled", "user": {"type": "user", "name": "owner@example.org"}}
PAID = {"subscriptionPolicies": {"quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"}}
TRIAL = {"subscriptionPolicies": {"quotaId": "FreeTrial_2014-09-01", "spendingLimit": "On"}}
SKUS = [{"supportedFlexibleServerEditions": [{"supportedSkus": [{"name": "Standard_B1ms"}]}], "v": ["8.4"]}]
REGION = {"name": "westeurope", "metadata": {"pairedRegion": [{"name": "northeurope"}]}}


@pytest.fixture(autouse=True)
def ready(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up az and azd so that the preflight check reports no findings."""
    for name in (*GIVEN, "AZURE_SUBSCRIPTION_ID", "NOTFLIX_ENCODER_IMAGE", *(n for p in preflight.TOGETHER for n in p)):
        monkeypatch.delenv(name, raising=False)
    programs.keep(GIVEN)
    programs.answer("az", "account", "show", body=ACCOUNT)
    programs.answer("az", "rest", "--method", "get", body=PAID)
    programs.answer("az", "provider", "list", body=registered(*PROVIDERS))
    programs.answer("az", "ad", "signed-in-user", "show", body={"id": "me"})
    programs.answer("az", "role", "assignment", "list", body=[{"roleDefinitionName": "Owner"}])
    programs.answer("az", "account", "list-locations", body=[REGION])
    programs.answer("az", "functionapp", "list-flexconsumption-locations", body=[{"name": "West Europe"}])
    programs.answer("az", "functionapp", "list-flexconsumption-runtimes", body=[{"version": "3.13"}])
    programs.answer("az", "mysql", "flexible-server", "list-skus", body=SKUS)
    programs.answer("az", "containerapp", "list-usages", body={"value": []})
    programs.answer("az", "keyvault", "list-deleted", body=[])


def registered(*names: str) -> list[dict[str, str]]:
    """Return the output of az for a subscription with these resource providers."""
    return [{"namespace": name, "registrationState": "Registered"} for name in names]


def told(level: Level, image: str = "") -> str:
    """Return the findings of one level as one text."""
    return "\n".join(f"{each.text} {each.remedy}" for each in check(image=image) if each.level is level)


def test_nothing_stops_a_deployment_that_has_what_it_needs() -> None:
    assert told(Level.STOPS) == "" and told(Level.WARNS) == ""


def test_what_is_not_set_up_is_told_and_stops_nothing() -> None:
    assert all(name in told(Level.TELLS) for name in ("PayPal", "Neo4j", "OMDb", "Mail"))


def test_all_that_is_missing_is_told_at_once(programs: Programs) -> None:
    programs.keep({})
    programs.log_out("azd")
    programs.log_out("az")
    stopped = told(Level.STOPS)
    assert all(f"azd env set {name}" in stopped for name in ASKED_FOR)
    assert "az login" in stopped and "azd auth login" in stopped


def test_no_environment_is_said_in_words(programs: Programs) -> None:
    programs.have_no_environment()
    assert "azd env new" in told(Level.STOPS)


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "aka.ms/install-azd" in told(Level.STOPS)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"NEO4J_URI": "neo4j+s://x"}, "NEO4J_PASSWORD is not"),
        ({"PAYPAL_CLIENT_ID": "id"}, "PAYPAL_CLIENT_SECRET is not"),
        ({"NOTFLIX_DOMAIN": "films.example.org"}, "Front Door"),
        ({"NOTFLIX_PROFILE": "tiny"}, "standard or small"),
        ({"AZURE_SUBSCRIPTION_ID": "other"}, "az account set"),
        ({"NOTFLIX_SETTINGS": "PUBLISH_TITLE=reviewed"}, "has PUBLISH_TITLE"),
        ({"NOTFLIX_SETTINGS": "SESSION_DAYS=3,,"}, "has nothing"),
        ({"NOTFLIX_SETTINGS": "SESSION_DAYS=3,SESSION_DAYS=4"}, "SESSION_DAYS twice"),
        ({"NOTFLIX_SETTINGS": "SESSION_DAYS=three"}, "whole number"),
        ({"NOTFLIX_SETTINGS": "ENCODE_PRESET"}, "ENCODE_PRESET=VALUE"),
        ({"NOTFLIX_SETTINGS": "SIGNING_KEY=x"}, "has SIGNING_KEY"),
    ],
)
def test_values_that_contradict_each_other_stop(programs: Programs, values: dict[str, str], words: str) -> None:
    programs.keep({**GIVEN, **values})
    assert words in told(Level.STOPS)


def test_settings_of_the_owner_are_accepted(programs: Programs) -> None:
    programs.keep({**GIVEN, "NOTFLIX_SETTINGS": "PUBLISH_TITLES=reviewed,SESSION_DAYS=3"})
    assert told(Level.STOPS) == ""


def test_a_registry_does_not_build_on_credit(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.answer("az", "rest", "--method", "get", body=TRIAL)
    monkeypatch.setattr(preflight, "is_installed", lambda name: name != "docker")
    assert "--image" in told(Level.STOPS)
    assert told(Level.STOPS, image="ghcr.io/owner/notflix-encoder:1") == ""
    monkeypatch.setattr(preflight, "is_installed", bool)
    assert "azd uses Docker" in told(Level.WARNS)


def test_an_image_without_a_registry_is_refused() -> None:
    """azd treats such a name as a path (azure-dev, service_target_containerapp.go)."""
    assert "names no registry" in told(Level.STOPS, image="notflix-encoder:1")


@pytest.mark.parametrize(
    ("start", "body", "words"),
    [
        (("account", "list-locations"), [{"name": "eastus"}], "no region westeurope"),
        (("account", "list-locations"), [{"name": "westeurope", "metadata": {}}], "NOTFLIX_GEO_BACKUP false"),
        (
            ("provider", "show", "--namespace", "Microsoft.Cache"),
            {"resourceTypes": [{"resourceType": "redisEnterprise", "locations": ["East US"]}]},
            "does not offer Azure Managed Redis",
        ),
        (("functionapp", "list-flexconsumption-locations"), [{"name": "East US"}], "does not offer Flex Consumption"),
        (("functionapp", "list-flexconsumption-runtimes"), [{"version": "3.12"}], "does not offer Python 3.13"),
        (("mysql", "flexible-server", "list-skus"), [{"name": "Standard_D2ds"}], "does not offer MySQL"),
        (
            ("containerapp", "list-usages"),
            {"value": [{"name": {"value": "ManagedEnvironmentCount"}, "currentValue": 1, "limit": 1}]},
            "are in use",
        ),
        (("role", "assignment", "list"), [{"roleDefinitionName": "Contributor"}], "cannot assign roles"),
        (("role", "assignment", "list"), [{"roleDefinitionName": "Reader"}], "cannot create resources"),
        (
            ("keyvault", "list-deleted"),
            [{"properties": {"vaultId": "/x/resourceGroups/rg-films/y", "scheduledPurgeDate": "2026-12-27"}}],
            "until 2026-12-27",
        ),
        (("group", "show", "--name", "rg-films"), {"location": "eastus"}, "rg-films is in eastus"),
        (
            ("mysql", "flexible-server", "list", "--resource-group"),
            [{"network": {"publicNetworkAccess": "Enabled"}}],
            "NOTFLIX_PROFILE small",
        ),
    ],
)
def test_what_the_subscription_does_not_allow_stops(
    programs: Programs, start: tuple[str, ...], body: Any, words: str
) -> None:
    programs.answer("az", *start, body=body)
    assert words in told(Level.STOPS)


def test_the_subscription_is_named_before_anything_is_made_in_it(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "belongs to the subscription Films" in told(Level.TELLS)
    programs.answer("azd", "provision", body={})
    programs.answer("azd", "deploy", body={})
    monkeypatch.chdir("/")
    deployment.deploy("ghcr.io/owner/notflix-encoder:1")
    assert programs.values["AZURE_SUBSCRIPTION_ID"] == "sub", "azd asks nobody for it"
    assert "belongs to" not in told(Level.TELLS)


def test_front_door_has_a_provider_of_its_own(programs: Programs) -> None:
    assert "registers the resource providers" not in told(Level.TELLS)
    programs.keep({**GIVEN, "NOTFLIX_FRONT_DOOR": "true"})
    assert "registers the resource providers that it needs: Cdn." in told(Level.TELLS)


def test_a_new_subscription_gets_its_resource_providers(programs: Programs) -> None:
    few = PROVIDERS[2:]
    registering = [*registered(*few), {"namespace": PROVIDERS[0], "registrationState": "Registering"}]
    programs.answer_in_turn(
        "az", "provider", "list", bodies=[registered(*few), registering, "(Timeout)", registered(*PROVIDERS)]
    )
    programs.answer("az", "provider", "register", body={})
    paused: list[float] = []
    providers.register(Environment(), pause=paused.append)
    assert [call[4] for call in programs.asked_for("az", "provider", "register")] == list(PROVIDERS[:2])
    assert len(paused) == 3
    providers.register(Environment(), pause=paused.append)
    assert len(paused) == 3 and len(programs.asked_for("az", "provider", "register")) == 2


def test_a_provider_that_is_never_registered_is_named(programs: Programs) -> None:
    programs.answer("az", "provider", "list", body=registered(*PROVIDERS[1:]))
    programs.answer("az", "provider", "register", body={})
    with pytest.raises(CannotRun, match=f"still not registered: {PROVIDERS[0]}"):
        providers.register(Environment(), patience_s=-1)


def test_the_profile_small_needs_an_image_or_a_registry(programs: Programs) -> None:
    small = {**GIVEN, "NOTFLIX_PROFILE": "small"}
    programs.keep(small)
    stopped = told(Level.STOPS)
    assert "no registry that could build one" in stopped and "azd env set NOTFLIX_REGISTRY true" in stopped
    assert told(Level.STOPS, image="ghcr.io/owner/notflix-encoder:1") == ""
    programs.keep({**small, "NOTFLIX_REGISTRY": "true"})
    assert told(Level.STOPS) == ""
    programs.keep({**GIVEN, "NOTFLIX_REGISTRY": "false"})
    assert "no registry that could build one" in told(Level.STOPS), "the standard one can be left out too"


def test_too_many_encoders_are_a_warning(programs: Programs) -> None:
    programs.keep({**GIVEN, "NOTFLIX_MAX_ENCODERS": "50"})
    assert "200 cores" in told(Level.WARNS)


def test_a_deployment_that_would_fail_is_not_begun(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    programs.keep({"AZURE_ENV_NAME": "films"})
    with pytest.raises(CannotRun, match="Nothing was created"):
        deployment.deploy()
    assert not programs.asked_for("azd", "up") and not programs.asked_for("azd", "provision")
    assert "✗ AZURE_LOCATION is not set" in capsys.readouterr().out


def test_a_check_only_asks(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.check_only()
    assert "Nothing was found that would stop" in capsys.readouterr().out
    programs.keep({"AZURE_ENV_NAME": "films"})
    with pytest.raises(SystemExit):
        deployment.check_only()
    changes = ("create", "set", "start", "update", "delete", "register")
    assert not [call for call in programs.asked if call[0] == "az" and set(call) & set(changes)]


def test_a_deployment_is_one_command_of_azd_and_ends_with_what_its_hooks_said(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    programs.answer("azd", "up", body={})
    code = "from infra.azure.steps import tell; tell('Notflix is at https://site')"
    programs.run_hook(f"PYTHONPATH={REPOSITORY} {sys.executable} -c {shlex.quote(code)}")
    monkeypatch.chdir("/")
    for _ in range(2):
        deployment.deploy()
        assert [call[1] for call in programs.asked_for("azd")][-1] == "up"
        assert capfd.readouterr().out.count("Notflix is at https://site") == 1
    programs.refuse("azd", "up", words="deployment failed")
    with pytest.raises(SystemExit):
        deployment.deploy()


def test_a_prebuilt_image_is_deployed_without_a_registry(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    image = "ghcr.io/owner/notflix-encoder:1"
    for command in ("provision", "deploy"):
        programs.answer("azd", command, body={})
    monkeypatch.chdir("/")
    deployment.deploy(image)
    assert programs.values["NOTFLIX_REGISTRY"] == "false"
    done = [call[1:] for call in programs.asked if call[:2] in (["azd", "provision"], ["azd", "deploy"])]
    assert [[word for word in call if word != "--no-prompt"] for call in done] == [
        ["provision"],
        ["deploy", "encoder", "--from-package", image],
        ["deploy", "functions"],
    ]
