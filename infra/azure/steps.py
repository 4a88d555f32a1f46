"""The deployment steps before and after the template, called by azd's hooks (azure.yaml); each may be run again.

`prepare` runs before the template and generates missing secrets. `migrate` applies the SQL migrations, after the image
is deployed and before the API code is deployed. `deployed` runs after all code is deployed: it sets up blob events,
the site, the budget and PayPal's webhook, and returns the public address.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.azure import generated, login, uploads
from infra.azure.tools import Environment, az, found, run
from infra.local.home import REPOSITORY, CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JOB_PATIENCE_S = 1200.0
EDGE_PATIENCE_S = 3600.0
PAYPAL_URL = "https://api-m.paypal.com"
REFRESH_API = "2022-03-01"
ROLLBACK = "NOTFLIX_ROLLBACK"
"""The environment variable that is `true` while an earlier version is deployed again."""


def tell(line: str) -> None:
    """Print a line for the person running the deployment, and add it to the report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    file = report()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(f"{line}\n")


def report() -> Path:
    """Return the file with the lines for the end of a deployment, because azd removes what its hooks have printed."""
    return Home.of().log("deployment")


def prepare() -> None:
    """Generate the missing secrets; raise CannotRun if no email address for alerts is set."""
    environment = Environment()
    if not environment.get("NOTFLIX_ALERT_EMAIL"):
        raise CannotRun("Nobody would receive the alerts: run `azd env set NOTFLIX_ALERT_EMAIL you@example.org`.")
    login.ensure(environment)
    generated.choose(environment)


def migrate(pause: Callable[[float], None] = time.sleep) -> None:
    """Apply the SQL migrations by starting the job that infra/encoder.bicep created from this deployment's image.

    A rollback applies none: the databases may have migrations that the earlier version does not know.
    """
    environment = Environment()
    if environment.is_on(ROLLBACK, default=False):
        tell("The databases stay as they are.")
        return
    login.ensure(environment)
    job, group = environment["NOTFLIX_MIGRATIONS_JOB"], environment["AZURE_RESOURCE_GROUP"]
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
                f"The migrations ended with status {status}. Their log: `az containerapp job logs show --name {job} "
                f"--resource-group {group} --execution {execution} --container migrations`; they may be run again."
            )
        pause(5.0)


def deployed(pause: Callable[[float], None] = time.sleep, *, patience_s: float | None = None) -> str:
    """Finish a deployment whose code is in place; return the public address.

    `patience_s` is how long to wait for the API; by default a quarter of an hour, or an hour with Front Door, which
    takes long to distribute a new configuration.
    """
    environment = Environment()
    if patience_s is None:
        behind_edge = environment.is_on("NOTFLIX_FRONT_DOOR", default=False)
        patience_s = EDGE_PATIENCE_S if behind_edge else uploads.PATIENCE_S
    login.ensure(environment)
    _refresh_secrets(environment)
    if down := uploads.warm(environment["NOTFLIX_API_URL"], pause=pause, patience_s=patience_s):
        tell(f"The API runs, but these stores do not answer yet: {', '.join(down)}.")
    if uploads.subscribe(environment, pause=pause, patience_s=patience_s):
        tell("Uploads now start encodes automatically.")
    login.ensure(environment)  # storage is another service, and waiting may have taken longer than a token is valid
    _publish_site(environment)
    _make_budget(environment)
    if environment.get("PAYPAL_CLIENT_ID"):
        _register_webhook(environment)
    generated.forget(environment)
    tell("Pages of an older format are rewritten within 15 minutes; `./notflix admin republish` does it now.")
    return environment["NOTFLIX_SITE_URL"]


def not_set_up(environment: Environment) -> list[str]:
    """Return one line for each service that is not set up: what is missing without it, and how to set it up."""
    lines = []
    if not environment.get("PAYPAL_CLIENT_ID"):
        lines.append(
            "PayPal: nobody can subscribe; you can give free access. `azd env set PAYPAL_CLIENT_ID …` and "
            "`azd env set PAYPAL_CLIENT_SECRET …`"
        )
    if not environment.get("NEO4J_URI"):
        lines.append(
            "Neo4j: shelves show what is popular. `azd env set NEO4J_URI …` and `azd env set NEO4J_PASSWORD …`"
        )
    if not environment.get("OMDB_API_KEY"):
        lines.append("OMDb: plots and posters are not fetched. `azd env set OMDB_API_KEY …`")
    if not environment.get("SMTP_URL"):
        lines.append(
            "Mail: nobody can confirm an address, which is required to subscribe, or reset a password. "
            "`azd env set SMTP_URL …` and `azd env set MAIL_FROM …`"
        )
    return lines


def _refresh_secrets(environment: Environment) -> None:
    """Make the API app read its vault references again, because its role may have been assigned later."""
    shown = az(
        "functionapp", "show", "--name", environment["NOTFLIX_API_NAME"],
        "--resource-group", environment["AZURE_RESOURCE_GROUP"],
    )  # fmt: skip
    path = f"{shown['id']}/config/configreferences/appsettings/refresh"
    found("rest", "--method", "post", "--url", f"https://management.azure.com{path}?api-version={REFRESH_API}")


def _make_budget(environment: Environment) -> None:
    """Create the budget. If Azure rejects it, as on a new subscription, print why and continue."""
    if not environment.is_on("NOTFLIX_BUDGET", default=True):
        return
    group = environment["AZURE_RESOURCE_GROUP"]
    there = found("consumption", "budget", "show", "--budget-name", "monthly", "--resource-group", group)
    # the start date of an existing budget cannot be changed
    start = str(there["timePeriod"]["startDate"])[:10] if there else f"{datetime.now(UTC):%Y-%m-01}"
    try:
        az(
            "deployment", "group", "create", "--name", "budget", "--resource-group", group,
            "--template-file", str(REPOSITORY / "infra" / "budget.bicep"),
            "--parameters", f"amount={environment.get('NOTFLIX_MONTHLY_BUDGET') or '100'}", f"startDate={start}",
            f"email={environment['NOTFLIX_ALERT_EMAIL']}",
        )  # fmt: skip
    except CannotRun as error:
        tell(
            "Nobody is warned about spending: Azure refused the budget, as it does for two days on a new "
            f"subscription. `./notflix azure deployed` tries again. Azure's error: {error}"
        )


def _publish_site(environment: Environment) -> None:
    """Build the site with the URLs of this deployment, and upload it to `$web` as the logged-in user."""
    from azure.identity import AzureCliCredential
    from azure.storage.blob import ContainerClient

    from web.publish import publish

    pages = _build_site(environment)
    account = f"https://{environment['NOTFLIX_STORAGE_NAME']}.blob.core.windows.net"
    who = AzureCliCredential(process_timeout=60)  # az can be slow to start
    with ContainerClient(account, "$web", credential=who) as container:
        compressed = not environment.is_on("NOTFLIX_FRONT_DOOR", default=False)
        publish(pages, container, now=datetime.now(UTC), compressed=compressed)


def _build_site(environment: Environment) -> Path:
    from web.build import build

    home = Home.of()
    pages, packages = home.path / "azure-site", home.packages / "npm" / "deployment"
    packages.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        (packages / name).write_bytes((REPOSITORY / "web" / name).read_bytes())
    run("npm", "ci", "--prefix", str(packages), "--no-audit", "--no-fund", "--no-update-notifier")
    build(
        pages,
        api_origin=environment["NOTFLIX_API_URL"],
        blob_origin=environment["NOTFLIX_BLOB_URL"],
        upload_origin=environment.get("NOTFLIX_UPLOADS_URL"),
        packages=packages / "node_modules",
    )
    return pages


def _register_webhook(environment: Environment) -> None:
    """Register the webhook at PayPal if necessary, and store its id, which signatures cover, in the API settings."""
    from functions.billing.paypal import PayPalClient
    from functions.platform.errors import NotflixError

    paypal = PayPalClient(
        environment.get("PAYPAL_URL") or PAYPAL_URL,
        environment["PAYPAL_CLIENT_ID"],
        environment.secret("PAYPAL_CLIENT_SECRET"),
    )
    try:
        webhook_id = paypal.webhook_at(f"{environment['NOTFLIX_API_URL']}/api/paypal/webhooks")
    except NotflixError as error:
        raise CannotRun(f"The webhook could not be registered with PayPal: {error.detail}") from None
    if webhook_id != environment.get("PAYPAL_WEBHOOK_ID"):
        az(
            "functionapp", "config", "appsettings", "set", "--name", environment["NOTFLIX_API_NAME"],
            "--resource-group", environment["AZURE_RESOURCE_GROUP"], "--settings", f"PAYPAL_WEBHOOK_ID={webhook_id}",
        )  # fmt: skip
        # stored last: an id in the environment means that the app has it too
        environment.set("PAYPAL_WEBHOOK_ID", webhook_id)
