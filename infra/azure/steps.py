"""The steps around the template, called by azd's hooks (azure.yaml). Each may be run again at any time.

`prepare` before it: what a person need not think of. `migrate` once the image is there and before the API's code is:
the SQL migrations. `deployed` after all code is there: blob events, the site, PayPal's webhook, and the public address.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.azure.tools import Environment, az, found
from infra.local.home import REPOSITORY, CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GENERATED = {
    "NOTFLIX_MYSQL_ADMIN_PASSWORD": "mysql-admin-password",
    "NOTFLIX_LOGINS_DB_PASSWORD": "logins-db-password",
    "NOTFLIX_LOGIN_HISTORY_DB_PASSWORD": "login-history-db-password",
    "NOTFLIX_SUBSCRIPTIONS_DB_PASSWORD": "subscriptions-db-password",
    "NOTFLIX_PAYMENTS_DB_PASSWORD": "payments-db-password",
    "NOTFLIX_SIGNING_KEY": "signing-key",
    "NOTFLIX_OPERATOR_KEY": "operator-key",
}
"""Secrets that no person chooses, by the value's name in the azd environment and the secret's name in the vault."""

IMAGE = "SERVICE_ENCODER_IMAGE_NAME"
"""Where azd keeps the name of the encoder's image once it has built one."""
JOB_PATIENCE_S = 1200.0
PAYPAL_URL = "https://api-m.paypal.com"


def prepare() -> None:
    """Choose what a person has not: the generated secrets, kept in the vault from the first deployment on."""
    environment = Environment()
    if not environment.get("NOTFLIX_BUDGET_START"):
        environment.set("NOTFLIX_BUDGET_START", f"{datetime.now(UTC):%Y-%m-01}")
    if not environment.get("NOTFLIX_ALERT_EMAIL"):
        raise CannotRun("Nobody would hear of alerts: `azd env set NOTFLIX_ALERT_EMAIL you@example.org` names who.")
    vault = environment.get("AZURE_KEY_VAULT_NAME")
    for name, secret in GENERATED.items():
        if not environment.get(name):
            environment.set(name, _kept(vault, secret) or made())
    if not environment.get(IMAGE) and (image := _running_image(environment.get("AZURE_ENV_NAME"))):
        environment.set(IMAGE, image)  # on another machine the template would put its placeholder in the place of it


def _running_image(name: str) -> str:
    """Return the image that the encoder of the environment runs, empty if there is none yet."""
    apps = found("containerapp", "list", "--resource-group", f"rg-{name}") if name else None
    for app in apps or []:
        image = str(app["properties"]["template"]["containers"][0]["image"])
        if (app.get("tags") or {}).get("azd-service-name") == "encoder" and not image.startswith("mcr.microsoft.com/"):
            return image
    return ""


def made() -> str:
    """Return a new secret of 256 random bits that meets MySQL's rule of three kinds of character."""
    return f"Nf-{secrets.token_hex(32)}"


def _kept(vault: str, secret: str) -> str:
    """Return a secret of the vault, empty if there is none; raise CannotRun if the vault cannot be asked.

    To choose a new one then would end every session and lock the apps out of their databases.
    """
    if not vault:
        return ""
    try:
        return str(az("keyvault", "secret", "show", "--vault-name", vault, "--name", secret)["value"])
    except CannotRun as error:
        if "SecretNotFound" in str(error):
            return ""
        raise


def migrate(pause: Callable[[float], None] = time.sleep) -> None:
    """Apply the SQL migrations by the job that runs beside MySQL, with the image of this deployment."""
    environment = Environment()
    job, group = environment["NOTFLIX_MIGRATIONS_JOB"], environment["AZURE_RESOURCE_GROUP"]
    image = environment[IMAGE]
    az("containerapp", "job", "update", "--name", job, "--resource-group", group, "--image", image)
    started = az("containerapp", "job", "start", "--name", job, "--resource-group", group)
    execution = str(started["name"])
    deadline = time.monotonic() + JOB_PATIENCE_S
    while True:
        shown = az(
            "containerapp", "job", "execution", "show", "--name", job, "--resource-group", group,
            "--job-execution-name", execution,
        )  # fmt: skip
        status = shown["properties"]["status"]
        if status == "Succeeded":
            return
        if status not in ("Running", "Processing", "Unknown") or time.monotonic() > deadline:
            raise CannotRun(
                f"The migrations ended as {status}. What they met: `az containerapp job logs show --name {job} "
                f"--resource-group {group} --execution {execution} --container migrations`; they may be run again."
            )
        pause(5.0)


def deployed() -> str:
    """Finish a deployment whose code is in place; return the public address."""
    environment = Environment()
    _lead_events(environment)
    _publish_site(environment)
    _register_webhook(environment)
    return environment["NOTFLIX_SITE_URL"]


def _lead_events(environment: Environment) -> None:
    """Make the Event Grid subscription, which needs a key that exists only once the code is there."""
    az(
        "deployment", "group", "create", "--name", "events", "--resource-group", environment["AZURE_RESOURCE_GROUP"],
        "--template-file", str(REPOSITORY / "infra" / "events.bicep"),
        "--parameters", f"apiName={environment['NOTFLIX_API_NAME']}",
        f"topicName={environment['NOTFLIX_EVENT_TOPIC']}",
    )  # fmt: skip


def _publish_site(environment: Environment) -> None:
    """Build the site for the addresses that were found out, and put it into `$web` as the person logged in."""
    from azure.identity import AzureCliCredential
    from azure.storage.blob import ContainerClient

    from web.publish import publish

    pages = _build_site(environment)
    account = f"https://{environment['NOTFLIX_STORAGE_NAME']}.blob.core.windows.net"
    with ContainerClient(account, "$web", credential=AzureCliCredential()) as container:
        publish(pages, container)


def _build_site(environment: Environment) -> Path:
    from infra.local.stores import packages
    from web.build import build

    home = Home.of()
    pages = home.path / "azure-site"
    packages.install(REPOSITORY / "web", packages.web_folder(home), _npm)
    build(
        pages,
        api_origin=environment["NOTFLIX_API_URL"],
        blob_origin=environment["NOTFLIX_BLOB_URL"],
        packages=packages.web_folder(home) / "node_modules",
    )
    return pages


def _npm(*argv: str, environment: object = None) -> None:
    from infra.azure.tools import run

    del environment
    run(*argv)


def _register_webhook(environment: Environment) -> None:
    """See that PayPal knows where to send its events, and the API app which webhook they are signed for."""
    from functions.billing.paypal import PayPalClient
    from functions.platform.errors import NotflixError

    # the environment may hold no more than a reference to the secret (`azd env set-secret`)
    secret = _kept(environment["AZURE_KEY_VAULT_NAME"], "paypal-client-secret")
    paypal = PayPalClient(environment.get("PAYPAL_URL") or PAYPAL_URL, environment["PAYPAL_CLIENT_ID"], secret)
    try:
        webhook_id = paypal.webhook_at(f"{environment['NOTFLIX_API_URL']}/api/paypal/webhooks")
    except NotflixError as error:
        raise CannotRun(f"The webhook could not be registered at PayPal: {error.detail}") from None
    if webhook_id != environment.get("PAYPAL_WEBHOOK_ID"):
        environment.set("PAYPAL_WEBHOOK_ID", webhook_id)
        az(
            "functionapp", "config", "appsettings", "set", "--name", environment["NOTFLIX_API_NAME"],
            "--resource-group", environment["AZURE_RESOURCE_GROUP"], "--settings", f"PAYPAL_WEBHOOK_ID={webhook_id}",
        )  # fmt: skip
