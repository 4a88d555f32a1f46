"""`./notflix deploy`: looks whether all is there that a deployment needs, and hands over to `azd up`."""

from __future__ import annotations

import os
import sys

from infra.azure.tools import Environment, found, require, run
from infra.local.home import REPOSITORY, CannotRun

ASKED_FOR = {
    "AZURE_LOCATION": "the region, such as westeurope",
    "NOTFLIX_ALERT_EMAIL": "who hears of alerts and of the budget",
    "NEO4J_URI": "Neo4j, such as neo4j+s://….databases.neo4j.io (AuraDB has a free one)",
    "NEO4J_PASSWORD": "its password",
    "OMDB_API_KEY": "the key of https://www.omdbapi.com/apikey.aspx",
    "PAYPAL_CLIENT_ID": "the app's client id at https://developer.paypal.com",
    "PAYPAL_CLIENT_SECRET": "its secret",
}
"""What only a person can know, by its name in the azd environment."""


def deploy() -> None:
    """Check what is needed and become `azd up`; raise CannotRun with all that is missing."""
    require("az", "azd", "npm")
    if found("account", "show") is None:
        raise CannotRun("You are not logged in to Azure: run `az login`, then `azd auth login`.")
    try:
        run("azd", "auth", "login", "--check-status")
    except CannotRun:
        raise CannotRun("azd is not logged in to Azure: run `azd auth login`.") from None
    check_values(Environment())
    sys.stdout.flush()
    os.chdir(REPOSITORY)
    os.execvp("azd", ["azd", "up"])


def check_values(environment: Environment) -> None:
    """Raise CannotRun naming every value that is still to be given, each with the command that gives it."""
    missing = {name: what for name, what in ASKED_FOR.items() if not environment.get(name)}
    if missing:
        lines = "\n".join(f"  azd env set {name} …   # {what}" for name, what in missing.items())
        raise CannotRun(f"The deployment needs to know:\n{lines}")
