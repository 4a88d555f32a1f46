"""A deployment registers the webhook's address at PayPal and stores the webhook's id in the settings of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.azure import steps
from infra.azure.tools import Environment
from infra.local.home import CannotRun
from tests.support.azure import Programs, install

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.paypal import PayPal


@pytest.fixture
def programs(paypal: PayPal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Put fake `az` and `azd` programs first on the PATH; they describe a deployment whose PayPal is the simulator."""
    made = install(tmp_path / "programs", monkeypatch)
    made.keep(
        {
            "AZURE_KEY_VAULT_NAME": "kv-x",
            "AZURE_RESOURCE_GROUP": "rg-films",
            "NOTFLIX_API_NAME": "func-x",
            "NOTFLIX_API_URL": "https://func-x.azurewebsites.net",
            "PAYPAL_URL": paypal.url,
            "PAYPAL_CLIENT_ID": paypal.client_id,
            "PAYPAL_CLIENT_SECRET": "akvs://a/reference/only",
        }
    )
    made.answer("az", "keyvault", "secret", "show", body={"value": paypal.client_secret})
    made.answer("az", "functionapp", "config", "appsettings", "set", body={})
    return made


def test_the_webhook_is_made_once_and_the_api_told_its_id(programs: Programs) -> None:
    steps._register_webhook(Environment())
    webhook_id = programs.values["PAYPAL_WEBHOOK_ID"]
    (told,) = programs.asked_for("az", "functionapp", "config", "appsettings", "set")
    assert f"PAYPAL_WEBHOOK_ID={webhook_id}" in told
    steps._register_webhook(Environment())
    assert programs.values["PAYPAL_WEBHOOK_ID"] == webhook_id
    assert len(programs.asked_for("az", "functionapp")) == 1


def test_a_secret_that_paypal_does_not_know_is_told_in_a_sentence(programs: Programs) -> None:
    programs.answer("az", "keyvault", "secret", "show", body={"value": "another"})
    with pytest.raises(CannotRun, match="webhook could not be registered with PayPal"):
        steps._register_webhook(Environment())
    assert not programs.asked_for("az", "functionapp")
