"""Repeated deployments, and deployments after a failure in each step, create nothing twice and change no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.azure import generated, steps, uploads
from infra.azure.generated import GENERATED, IN_VAULT, WRITTEN
from infra.local.home import CannotRun
from tests.support.azure import NOT_VALIDATED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.azure import Programs

GIVEN = {"AZURE_ENV_NAME": "films", "NOTFLIX_ALERT_EMAIL": "owner@example.org"}
OUTPUTS = {
    "AZURE_RESOURCE_GROUP": "rg-films",
    "NOTFLIX_API_NAME": "func-x",
    "NOTFLIX_API_URL": "https://func-x.azurewebsites.net",
    "NOTFLIX_EVENT_TOPIC": "evgt-x",
    "NOTFLIX_STORAGE_NAME": "stx",
    "NOTFLIX_SITE_URL": "https://site",
    "NOTFLIX_MIGRATIONS_JOB": "migrations-x",
}
STEPS = ("prepare", "template", "half of the vault", "migrate", "warm", "events", "site", "forget")


class Stopped(Exception):
    """Raised by the step that a test makes fail."""


class Cloud:
    """A fake subscription, with everything that the template and the steps have created in it so far."""

    def __init__(self, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs = programs
        self.vault: dict[str, str] = {}
        self.fails = ""
        monkeypatch.setattr(uploads, "warm", self._warm)
        monkeypatch.setattr(steps, "_publish_site", self._publish)
        monkeypatch.setattr(generated, "forget", self._forget)
        self._really_forget = _forget
        programs.answer("az", "functionapp", "show", body={"id": "/func-x"})
        programs.answer("az", "rest", "--method", "post", body={})
        programs.answer("az", "functionapp", "keys", "list", body={"systemKeys": {"blobs_extension": "key"}})
        programs.answer("az", "deployment", "group", "create", "--name", "budget", body={})
        programs.answer("az", "containerapp", "job", "start", body={"name": "run"})

    def another_machine(self) -> None:
        """Reset the azd environment to the values on a fresh runner."""
        self.programs.keep(GIVEN)

    def deploy(self, *, fails: str = "") -> None:
        """Run the hooks, the template and the code as `azd up` does; raise the exception of the failing step."""
        self.fails = fails
        if fails == "prepare":
            self.programs.refuse("az", "group", "exists", words="(AuthorizationFailed)")
        else:
            self._show_vault()
        steps.prepare()
        self._stop("template")
        self._template()
        status = "Failed" if fails == "migrate" else "Succeeded"
        self.programs.answer("az", "containerapp", "job", "execution", "show", body={"properties": {"status": status}})
        steps.migrate(_no_pause)
        self._show_subscription()
        steps.deployed(_no_pause, patience_s=0)

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
        self.programs.keep({**values, **OUTPUTS})

    def _show_vault(self) -> None:
        if self.vault:
            self.programs.keep_secrets(*self.vault)
        else:
            self.programs.answer("az", "group", "exists", "--name", "rg-films", body=False)

    def _show_subscription(self) -> None:
        create = ("az", "deployment", "group", "create", "--name", "events")
        if self.fails == "events":
            self.programs.refuse(*create, words=NOT_VALIDATED)
            return
        self.programs.answer(*create, body={})
        done = self.programs.asked_for(*create)
        if done and not getattr(self, "events_failed", False):
            shown = {
                "provisioningState": "Succeeded",
                "destination": {"endpointUrl": "https://func-x/runtime/webhooks/blobs?code=key"},
                "deadLetterWithResourceIdentity": {"deadLetterDestination": {"blobContainerName": "dead-events"}},
            }
            self.programs.answer("az", "eventgrid", "system-topic", "event-subscription", "show", body=shown)

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
    for name in (*GENERATED, *GIVEN, *OUTPUTS, "PAYPAL_CLIENT_ID"):
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
    assert len(cloud.programs.asked_for("az", "deployment", "group", "create", "--name", "events")) == 1


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same machine", "another machine"])
@pytest.mark.parametrize("step", STEPS)
def test_a_deployment_goes_on_after_a_failure_in_any_step(cloud: Cloud, step: str, elsewhere: bool) -> None:
    with pytest.raises((Stopped, CannotRun)):
        cloud.deploy(fails=step)
    kept = whole(cloud.vault)
    if elsewhere:
        cloud.another_machine()
    cloud.deploy()
    assert {name: cloud.vault[name] for name in kept} == kept, "a secret that was whole has changed"
    done = dict(cloud.vault)
    assert set(done) == {name for names in IN_VAULT.values() for name in names}
    cloud.deploy()
    assert cloud.vault == done
