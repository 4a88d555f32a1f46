"""Secrets that are generated once and then stored only in the vault.

A deployment reads none of them. It requests the names of the secrets in the vault from Azure Resource Manager, and
passes values only for the missing secrets to the template. So a later deployment changes no secret, even on another
machine.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from infra.azure.tools import az

if TYPE_CHECKING:
    from infra.azure.tools import Environment

GENERATED = {
    "NOTFLIX_MYSQL_ADMIN_PASSWORD": "mysql-admin-password",
    "NOTFLIX_LOGINS_DB_PASSWORD": "logins-db-password",
    "NOTFLIX_LOGIN_HISTORY_DB_PASSWORD": "login-history-db-password",
    "NOTFLIX_AUDIT_DB_PASSWORD": "audit-db-password",
    "NOTFLIX_SUBSCRIPTIONS_DB_PASSWORD": "subscriptions-db-password",
    "NOTFLIX_PAYMENTS_DB_PASSWORD": "payments-db-password",
    "NOTFLIX_SIGNING_KEY": "signing-key",
    "NOTFLIX_SECOND_FACTOR_KEYS": "second-factor-keys",
    "NOTFLIX_FILM_KEYS": "film-keys",
    "NOTFLIX_OPERATOR_KEY": "operator-key",
}
"""Maps the name of each generated secret in the azd environment to its name in vault.bicep."""

IN_VAULT = {
    "mysql-admin-password": ("mysql-admin-url",),
    "logins-db-password": ("logins-db-password", "logins-db-url"),
    "login-history-db-password": ("login-history-db-password", "login-history-db-url"),
    "audit-db-password": ("audit-db-password", "audit-db-url"),
    "subscriptions-db-password": ("subscriptions-db-password", "subscriptions-db-url"),
    "payments-db-password": ("payments-db-password", "payments-db-url"),
    "signing-key": ("signing-key",),
    "second-factor-keys": ("second-factor-keys",),
    "film-keys": ("film-keys",),
    "operator-key": ("operator-key",),
}
"""The secrets in the vault that are derived from each generated secret."""

WRITTEN = "NOTFLIX_GENERATED_NOW"
VAULT_API = "2023-07-01"


def choose(environment: Environment) -> None:
    """Generate the secrets that the vault does not have yet, and list the secrets that this deployment writes.

    A value in the environment is written too, because a person sets one to change the secret. Raises CannotRun if the
    names in the vault cannot be read: without them, existing secrets might be replaced, which would end every session
    and lock out the apps.
    """
    kept = names_in_vault(environment["AZURE_ENV_NAME"])
    missing = {name: secret for name, secret in GENERATED.items() if not kept.issuperset(IN_VAULT[secret])}
    given = {name: secret for name, secret in GENERATED.items() if environment.get(name)}
    environment.set_secrets({name: made() for name in missing if name not in given})
    written = {**missing, **given}
    environment.set(WRITTEN, ",".join(secret for name, secret in GENERATED.items() if name in written))


def forget(environment: Environment) -> None:
    """Remove the values from the azd environment, whose file is plain text; they are in the vault now."""
    environment.set_secrets({name: "" for name in GENERATED if environment.get(name)})
    environment.set(WRITTEN, "")


def names_in_vault(environment_name: str) -> set[str]:
    """Return the names of the secrets in the vault of an environment; empty if there is no vault yet.

    The names come from Azure Resource Manager, which requires the right to deploy but no right to read secrets.
    """
    group = f"rg-{environment_name}"
    if not az("group", "exists", "--name", group):
        return set()
    vaults = az("keyvault", "list", "--resource-group", group) or []
    names: set[str] = set()
    for vault in vaults:
        url = f"https://management.azure.com{vault['id']}/secrets?api-version={VAULT_API}"
        while url:
            page = az("rest", "--method", "get", "--url", url)
            names |= {str(each["name"]).rpartition("/")[2] for each in page["value"]}
            url = page.get("nextLink") or ""
    return names


def made() -> str:
    """Return a new secret of 256 random bits with three kinds of characters, as MySQL requires."""
    return f"Nf-{secrets.token_hex(32)}"
