"""The login of the Azure CLI during a deployment: in the subscription of azd, and renewed in jobs of GitHub Actions.

A job of GitHub Actions logs in with a token that is valid for five minutes. azd fetches a new token whenever it needs
one (azure-dev, pkg/auth/federated_token_client.go). The Azure CLI keeps the first token, so it can neither log in to
another service nor renew its access after an hour (Azure/login #372).
"""

from __future__ import annotations

import json
import os
import urllib.request
from typing import TYPE_CHECKING

from infra.azure.tools import az
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from infra.azure.tools import Environment

AUDIENCE = "api%3A%2F%2FAzureADTokenExchange"
TIMEOUT_S = 60.0


def ensure(environment: Environment) -> None:
    """Renew the login in a job of GitHub Actions. Raise CannotRun if `az` uses another subscription than azd."""
    if os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL") and environment.get("AZURE_CLIENT_ID"):
        _renew(environment)
    wanted = environment.get("AZURE_SUBSCRIPTION_ID")
    if not wanted:  # before the first deployment, azd may ask for it later
        return
    account = az("account", "show")
    if account["id"] != wanted:
        raise CannotRun(
            f"The Azure CLI uses the subscription {account['name']}, and azd another one: run "
            f"`az account set --subscription {wanted}`."
        )


def _renew(environment: Environment) -> None:
    az(
        "login", "--service-principal", "--username", environment["AZURE_CLIENT_ID"],
        "--tenant", environment["AZURE_TENANT_ID"], "--federated-token", _token_of_github(),
        secret=True,
    )  # fmt: skip
    if subscription := environment.get("AZURE_SUBSCRIPTION_ID"):
        az("account", "set", "--subscription", subscription)


def _token_of_github() -> str:
    """Return a new token that says which job this is; raise CannotRun if GitHub gives none."""
    request = urllib.request.Request(
        f"{os.environ['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={AUDIENCE}",
        headers={"Authorization": f"Bearer {os.environ.get('ACTIONS_ID_TOKEN_REQUEST_TOKEN', '')}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return str(json.load(response)["value"])
    except (OSError, ValueError, KeyError) as error:
        raise CannotRun(
            f"GitHub gave no token to log in to Azure ({error}); the job needs the permission `id-token: write`."
        ) from None
