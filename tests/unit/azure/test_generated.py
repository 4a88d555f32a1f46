"""Generated secrets are created once, not replaced in an existing deployment, and never read by a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.azure import generated
from infra.azure.generated import GENERATED, IN_VAULT, WRITTEN
from infra.azure.tools import Environment
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from tests.support.azure import Programs

ALL_IN_VAULT = tuple(name for names in IN_VAULT.values() for name in names)


@pytest.fixture(autouse=True)
def films(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GENERATED:
        monkeypatch.delenv(name, raising=False)
    programs.keep({"AZURE_ENV_NAME": "films"})


def test_a_first_deployment_makes_each_secret_once(programs: Programs) -> None:
    generated.choose(Environment())
    chosen = programs.values
    assert all(len(chosen[name]) > 32 for name in GENERATED)
    assert len({chosen[name] for name in GENERATED}) == len(GENERATED)
    assert chosen[WRITTEN].split(",") == list(GENERATED.values())
    generated.choose(Environment())
    assert programs.values == chosen, "a first deployment that failed goes on with the same values"


def test_a_deployment_on_another_machine_makes_and_writes_nothing(programs: Programs) -> None:
    programs.keep_secrets(*ALL_IN_VAULT)
    generated.choose(Environment())
    assert not set(programs.values) & set(GENERATED)
    assert programs.values[WRITTEN] == ""


def test_no_secret_is_read(programs: Programs) -> None:
    programs.keep_secrets(*ALL_IN_VAULT)
    generated.choose(Environment())
    assert not programs.asked_for("az", "keyvault", "secret")


def test_only_what_the_vault_lacks_is_made(programs: Programs) -> None:
    programs.keep_secrets(*(name for name in ALL_IN_VAULT if name != "payments-db-url"))
    generated.choose(Environment())
    assert set(programs.values) & set(GENERATED) == {"NOTFLIX_PAYMENTS_DB_PASSWORD"}
    assert programs.values[WRITTEN] == "payments-db-password"


def test_nothing_is_made_while_the_vault_cannot_be_asked(programs: Programs) -> None:
    programs.answer("az", "group", "exists", "--name", "rg-films", body=True)
    programs.refuse("az", "keyvault", "list", words="(AuthorizationFailed) The client does not have authorization.")
    with pytest.raises(CannotRun, match="AuthorizationFailed"):
        generated.choose(Environment())
    assert not set(programs.values) & set(GENERATED)


def test_a_value_that_a_person_sets_changes_the_secret(programs: Programs) -> None:
    programs.keep_secrets(*ALL_IN_VAULT)
    programs.keep({"AZURE_ENV_NAME": "films", "NOTFLIX_SIGNING_KEY": "chosen"})
    generated.choose(Environment())
    assert programs.values[WRITTEN] == "signing-key"
    assert programs.values["NOTFLIX_SIGNING_KEY"] == "chosen"


def test_values_leave_the_file_once_the_vault_has_them(programs: Programs) -> None:
    generated.choose(Environment())
    generated.forget(Environment())
    assert not any(programs.values[name] for name in GENERATED)
    programs.keep_secrets(*ALL_IN_VAULT)
    generated.choose(Environment())
    assert programs.values[WRITTEN] == "", "the second deployment changes no secret"


def test_no_secret_is_an_argument_of_a_program(programs: Programs) -> None:
    generated.choose(Environment())
    values = {programs.values[name] for name in GENERATED}
    assert not any(value in word for call in programs.asked for word in call for value in values)
