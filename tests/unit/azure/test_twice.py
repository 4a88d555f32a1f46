"""Repeated deployments, and deployments after a failure in each step, create nothing twice and change no secret."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from infra.azure import generated, steps, uploads
from infra.azure.generated import GENERATED, IN_VAULT, WRITTEN
from infra.local.home import CannotRun
from tests.support.azure import NOT_VALIDATED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.azure import Programs

GIVEN = {
    "AZURE_ENV_NAME": "films",
    "NOTFLIX_ALERT_EMAIL": "owner@example.org",
    "PAYPAL_CLIENT_ID": "A-client",
    "PAYPAL_CLIENT_SECRET": "E-secret",
}
OUTPUTS = {
    "AZURE_RESOURCE_GROUP": "rg-films",
    "NOTFLIX_API_NAME": "func-x",
    "NOTFLIX_API_URL": "https://func-x.azurewebsites.net",
    "NOTFLIX_EVENT_TOPIC": "evgt-x",
    "NOTFLIX_STORAGE_NAME": "stx",
    "NOTFLIX_SITE_URL": "https://site",
    "NOTFLIX_MIGRATIONS_JOB": "migrations-x",
}
STEPS = (
    "template",
    "half of the vault",
    "image",
    "migrate",
    "code",
    "warm",
    "events",
    "site",
    "webhook",
    "webhook setting",
    "forget",
)
"""Where a deployment may fail, besides at a call of az or azd: at steps with several calls, or at its last calls."""

CALLS = (
    "azd env get-values",
    "az group exists",
    "azd env set --file",
    "azd env set NOTFLIX_GENERATED_NOW",
    "azd env get-values",
    "az containerapp job start",
    "az containerapp job execution show",
    "azd env get-values",
    "az functionapp show",
    "az rest --method post",
    "az functionapp keys list",
    "az eventgrid system-topic event-subscription show",
    "az deployment group create --name events",
    "az consumption budget show",
    "az deployment group create --name budget",
    "az functionapp config appsettings set",
    "azd env set PAYPAL_WEBHOOK_ID",
    "azd env set --file",
    "azd env set NOTFLIX_GENERATED_NOW",
)
"""The calls of a first deployment, in their order."""

CALLS_OF_LATER = ("azd env get-values", "az group exists", "az keyvault list", "az rest --method get")
"""The first calls of a later deployment, which reads the names of the secrets in the vault."""

SETTING = ("az", "functionapp", "config", "appsettings", "set")
EVENTS = ("az", "deployment", "group", "create", "--name", "events")
BUDGET = ("az", "deployment", "group", "create", "--name", "budget")


class Stopped(Exception):
    """Raised by the step that a test makes fail."""


class Cloud:
    """A fake subscription, with everything that the template and the steps have created in it so far."""

    def __init__(self, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs = programs
        self.vault: dict[str, str] = {}
        self.webhooks: dict[str, str] = {}
        self.app_webhook = ""
        self.events_refused = False
        self.fails = ""
        monkeypatch.setattr(uploads, "warm", self._warm)
        monkeypatch.setattr(steps, "_publish_site", self._publish)
        monkeypatch.setattr(generated, "forget", self._forget)
        self._really_forget = _forget
        monkeypatch.setattr("functions.billing.paypal.PayPalClient", self._paypal)
        programs.answer("az", "rest", "--method", "post", body={})
        programs.answer("az", "functionapp", "keys", "list", body={"systemKeys": {"blobs_extension": "key"}})
        programs.answer(*BUDGET, body={})
        programs.answer("az", "containerapp", "job", "start", body={"name": "run"})

    def another_machine(self) -> None:
        """Reset the azd environment to the values on a fresh runner."""
        self.programs.keep(GIVEN)

    def deploy(self, *, fails: str = "") -> None:
        """Run the hooks, the template and the code as `azd up` does; raise the exception of the failing step."""
        self.fails = fails
        self._show_vault()
        steps.prepare()
        self._stop("template")
        self._template()
        self._stop("image")
        status = "Failed" if fails == "migrate" else "Succeeded"
        self.programs.answer("az", "containerapp", "job", "execution", "show", body={"properties": {"status": status}})
        steps.migrate(_no_pause)
        self._stop("code")
        self.finish(fails=fails)

    def finish(self, *, fails: str = "") -> None:
        """Run the last step, as `./notflix azure deployed` does."""
        self.fails = fails
        self._show_subscription()
        self._show_budget()
        self._show_app()
        before = len(self.programs.asked_for(*SETTING))
        steps.deployed(_no_pause, patience_s=0)
        if written := self.programs.asked_for(*SETTING)[before:]:
            setting = next(word for word in written[-1] if word.startswith("PAYPAL_WEBHOOK_ID="))
            self.app_webhook = setting.partition("=")[2]

    def _template(self) -> None:
        values = self.programs.values
        written = [name for name in values[WRITTEN].split(",") if name]
        of_value = {secret: name for name, secret in GENERATED.items()}
        made = [(name, values[of_value[source]]) for source in written for name in IN_VAULT[source]]
        for number, (name, value) in enumerate(made):
            if self.fails == "half of the vault" and number == len(made) // 2:
                raise Stopped
            assert value, f"{name} would be written empty"
            self.vault[name] = f"{name}={value}"
        self.app_webhook = values.get("PAYPAL_WEBHOOK_ID", "")
        self.programs.keep({**values, **OUTPUTS})

    def _show_vault(self) -> None:
        if self.vault:
            self.programs.keep_secrets(*self.vault)
        else:
            self.programs.answer("az", "group", "exists", "--name", "rg-films", body=False)

    def _show_subscription(self) -> None:
        if self.fails == "events":
            self.events_refused = True
            self.programs.refuse(*EVENTS, words=NOT_VALIDATED)
            return
        self.programs.answer(*EVENTS, body={})
        if len(self.programs.asked_for(*EVENTS)) > self.events_refused:
            shown = {
                "provisioningState": "Succeeded",
                "destination": {"endpointUrl": "https://func-x/runtime/webhooks/blobs?code=key"},
                "deadLetterWithResourceIdentity": {"deadLetterDestination": {"blobContainerName": "dead-events"}},
            }
            self.programs.answer("az", "eventgrid", "system-topic", "event-subscription", "show", body=shown)

    def _show_budget(self) -> None:
        """Answer with the budget and the start date with which it was created, which cannot be changed."""
        if made := self.programs.asked_for(*BUDGET):
            start = next(word for word in made[0] if word.startswith("startDate=")).partition("=")[2]
            shown = {"timePeriod": {"startDate": f"{start}T00:00:00+00:00"}}
            self.programs.answer("az", "consumption", "budget", "show", body=shown)

    def _show_app(self) -> None:
        self.programs.answer("az", "functionapp", "show", body={"id": "/func-x"})
        if self.fails == "webhook setting":
            self.programs.refuse(*SETTING, words="(GatewayTimeout)")
        else:
            self.programs.answer(*SETTING, body=[])

    def _paypal(self, url: str, client_id: str, secret: str) -> Cloud:
        assert url and (client_id, secret) == ("A-client", "E-secret")
        return self

    def webhook_at(self, address: str) -> str:
        """Return the id of PayPal's webhook for an address, made if necessary, as `PayPalClient` does."""
        self._stop("webhook")
        return self.webhooks.setdefault(address, f"WH-{len(self.webhooks) + 1}")

    def _stop(self, step: str) -> None:
        if self.fails == step:
            raise Stopped

    def _warm(self, api_url: str, **_: Any) -> list[str]:
        assert api_url
        self._stop("warm")
        return []

    def _publish(self, environment: Any) -> None:
        assert environment["NOTFLIX_SITE_URL"]
        self._stop("site")

    def _forget(self, environment: Any) -> None:
        self._stop("forget")
        self._really_forget(environment)


_forget = generated.forget


def _no_pause(seconds: float) -> None:
    assert seconds > 0


@pytest.fixture
def cloud(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    for name in (*GENERATED, *GIVEN, *OUTPUTS, "PAYPAL_WEBHOOK_ID"):
        monkeypatch.delenv(name, raising=False)
    programs.keep(GIVEN)
    return Cloud(programs, monkeypatch)


def whole(vault: dict[str, str]) -> dict[str, str]:
    """Return the secrets of each complete group: a generated secret with all secrets derived from it."""
    done: Iterable[str] = (name for names in IN_VAULT.values() if set(names) <= set(vault) for name in names)
    return {name: vault[name] for name in done}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same machine", "another machine"])
def test_a_second_deployment_changes_no_secret_and_makes_nothing_twice(cloud: Cloud, elsewhere: bool) -> None:
    cloud.deploy()
    first = dict(cloud.vault)
    assert set(first) == {name for names in IN_VAULT.values() for name in names}
    if elsewhere:
        cloud.another_machine()
    cloud.deploy()
    assert cloud.vault == first
    assert_nothing_is_there_twice(cloud)


@pytest.mark.parametrize(
    ("step", "elsewhere"),
    [
        *((step, False) for step in STEPS),
        *((step, True) for step in ("half of the vault", "migrate", "webhook setting")),
    ],
)
def test_a_deployment_goes_on_after_a_failure_in_any_step(cloud: Cloud, step: str, elsewhere: bool) -> None:
    with pytest.raises((Stopped, CannotRun)):
        cloud.deploy(fails=step)
    kept = whole(cloud.vault)
    if elsewhere:
        cloud.another_machine()
    cloud.deploy()
    assert {name: cloud.vault[name] for name in kept} == kept, "a secret that was whole has changed"
    assert set(cloud.vault) == {name for names in IN_VAULT.values() for name in names}
    assert_nothing_is_there_twice(cloud)


@pytest.mark.parametrize("number", range(len(CALLS)), ids=CALLS.__getitem__)
def test_a_deployment_goes_on_after_any_call_that_failed(cloud: Cloud, number: int) -> None:
    cloud.programs.refuse_number(number)
    deploy_after_a_failure(cloud)
    assert " ".join(cloud.programs.asked[number]).startswith(CALLS[number])


@pytest.mark.parametrize("number", range(2, len(CALLS_OF_LATER)), ids=CALLS_OF_LATER.__getitem__)
def test_a_later_deployment_goes_on_after_a_call_that_failed(cloud: Cloud, number: int) -> None:
    cloud.deploy()
    made = len(cloud.programs.asked)
    cloud.another_machine()
    cloud.programs.refuse_number(number)
    deploy_after_a_failure(cloud)
    assert " ".join(cloud.programs.asked[made + number]).startswith(CALLS_OF_LATER[number])


def deploy_after_a_failure(cloud: Cloud) -> None:
    """Deploy twice, of which the first may fail; assert that no secret has changed and nothing is there twice."""
    with suppress(CannotRun):
        cloud.deploy()
    kept = whole(cloud.vault)
    cloud.deploy()
    assert {name: cloud.vault[name] for name in kept} == kept, "a secret that was whole has changed"
    assert set(cloud.vault) == {name for names in IN_VAULT.values() for name in names}
    assert_each_is_there_once(cloud)


def test_every_call_of_a_deployment_is_tried_with_a_failure(cloud: Cloud) -> None:
    cloud.deploy()
    first = [" ".join(call) for call in cloud.programs.asked]
    assert len(first) == len(CALLS)
    assert all(call.startswith(name) for call, name in zip(first, CALLS, strict=True)), first
    cloud.deploy()
    later = [" ".join(call) for call in cloud.programs.asked[len(first) :]]
    unknown = [call for call in later if not call.startswith((*CALLS, *CALLS_OF_LATER))]
    assert not unknown


@pytest.mark.parametrize("step", ["events", "webhook setting"])
def test_the_last_step_alone_finishes_a_deployment_that_failed_in_it(cloud: Cloud, step: str) -> None:
    with pytest.raises((Stopped, CannotRun)):
        cloud.deploy(fails=step)
    cloud.finish()
    assert_nothing_is_there_twice(cloud)


def assert_nothing_is_there_twice(cloud: Cloud) -> None:
    """Assert that nothing was created a second time, not even with the same result."""
    refused = 1 if cloud.events_refused else 0
    assert len(cloud.programs.asked_for(*EVENTS)) == 1 + refused
    assert_each_is_there_once(cloud)


def assert_each_is_there_once(cloud: Cloud) -> None:
    """Assert that there is one event subscription, one budget, and one webhook whose id the API knows.

    Azure's deployments of one name with the same parameters have one result.
    """
    assert len({tuple(call) for call in cloud.programs.asked_for(*EVENTS)}) == 1
    starts = {word for call in cloud.programs.asked_for(*BUDGET) for word in call if word.startswith("startDate=")}
    assert len(starts) == 1
    assert cloud.webhooks == {"https://func-x.azurewebsites.net/api/paypal/webhooks": "WH-1"}
    assert cloud.app_webhook == "WH-1"
