"""Everything that runs on one machine, as services: stores, simulators, mail server, function hosts and the site."""

from __future__ import annotations

import http.client
import shutil
import smtplib
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from infra.local.home import REPOSITORY, CannotRun
from infra.local.host.storage_events import SETTING as EVENTS_SETTING
from infra.local.ports import LOOPBACK, MOST_ENCODERS
from infra.local.processes.service import Service, with_system_programs
from infra.local.stores import azurite, packages, secantus
from infra.local.stores.services import endpoints_of, settings_of, stores_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infra.local.home import Home
    from infra.local.processes.service import Run
    from infra.local.stores.credentials import Credentials

MAIL_FROM = "Notflix <no-reply@notflix.localhost>"
"""The sender of emails to the local mail server."""

NEEDS_OF_HOSTS = (azurite.NAME, secantus.NAME)
LEASE_S = 30
"""Shorter than the 600 s of the real host, so that the work of a killed host is not hidden for ten minutes."""

_QUEUES = "AzureFunctionsJobHost__extensions__queues__"
ENCODER_QUEUES = {
    # one message of each queue: a chunk uses the whole machine, and more urgent steps run beside it
    f"{_QUEUES}batchSize": "1",
    f"{_QUEUES}newBatchThreshold": "0",
    # one thread for each of the eleven functions with a queue, and one for their dead letters
    "PYTHON_THREADPOOL_THREAD_COUNT": "12",
}
POLLING = f"{_QUEUES}maxPollingInterval"
TOLD, UNTOLD = "00:00:30", "00:00:00.400"
"""How often an idle host polls a queue: rarely if the emulator tells it about messages; otherwise a film may wait this
long for an idle encoder."""

API_THREADS = {
    # password hashing blocks a thread; the default of five threads on one core would all be blocked
    "PYTHON_THREADPOOL_THREAD_COUNT": "16",
}
API_BODIES = {
    # as in infra/main.bicep
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1048576",
}


@dataclass(frozen=True, slots=True)
class Product:
    """The services, each listed after the services it needs, and all addresses by name."""

    services: tuple[Service, ...]
    endpoints: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of `up`: the number of encoder processes; `host` is "notflix", or "func" for Core Tools.

    `lease_s` is how long the message of a killed host stays hidden, in seconds.
    """

    empty: bool = False
    encoders: int = 1
    host: str = "notflix"
    lease_s: int = LEASE_S


def product_of(home: Home, credentials: Credentials, environment: Mapping[str, str], options: Options) -> Product:
    """Return all services and addresses; raise CannotRun if an option is not possible."""
    if not 1 <= options.encoders <= MOST_ENCODERS:
        raise CannotRun(f"--encoders must be a number from 1 to {MOST_ENCODERS}, not {options.encoders}.")
    if options.host == "func" and shutil.which("func") is None:
        raise CannotRun("--host func needs Azure Functions Core Tools, and there is no `func` on your PATH.")

    stores = stores_of(home, credentials, environment)
    settings = settings_of(home, credentials, stores)
    endpoints = endpoints_of(home, credentials, stores)
    services = [store.service for store in stores]
    if "OMDB_API_KEY" not in environment:
        from infra.local.simulators.omdb.app import KEY

        endpoints["omdb"] = f"http://{LOOPBACK}:{home.ports.omdb}"
        settings |= {"OMDB_URL": f"{endpoints['omdb']}/", "OMDB_API_KEY": KEY}
        services.append(_omdb(home))
    if "SMTP_URL" not in environment:
        endpoints["smtp"] = f"smtp://{LOOPBACK}:{home.ports.mail}"
        settings |= {"SMTP_URL": endpoints["smtp"], "MAIL_FROM": environment.get("MAIL_FROM") or MAIL_FROM}
        services.append(_mail(home))
    if "PAYPAL_CLIENT_ID" not in environment:
        from infra.local.simulators.paypal import CLIENT_ID, WEBHOOK_ID

        endpoints["paypal"] = f"http://{LOOPBACK}:{home.ports.paypal}"
        identity = {
            "PAYPAL_CLIENT_ID": CLIENT_ID,
            "PAYPAL_CLIENT_SECRET": credentials.paypal,
            "PAYPAL_WEBHOOK_ID": WEBHOOK_ID,
        }
        authorities = str(home.data("paypal") / "root.pem")
        settings |= {"PAYPAL_URL": endpoints["paypal"], "PAYPAL_CA": authorities, **identity}
        services.append(_paypal(home, identity, f"{endpoints['api']}/api/paypal/webhooks"))
    settings |= {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "NOTFLIX_MASTER_KEY": credentials.master_key,
        "NOTFLIX_BLOBS_KEY": credentials.blobs_key,
        "NOTFLIX_CORS": endpoints["site"],
        POLLING: TOLD if EVENTS_SETTING in settings and options.host == "notflix" else UNTOLD,
    }
    master_key = credentials.master_key
    of_api = settings | API_THREADS | API_BODIES
    services.append(_host(home, "api", "API host", "function_app", home.ports.api, of_api, master_key, options))
    for index in range(options.encoders):
        name = f"encoder-{index + 1}" if options.encoders > 1 else "encoder"
        label = f"Encoder host {index + 1}" if options.encoders > 1 else "Encoder host"
        own = settings | ENCODER_QUEUES
        if "CAPTIONS_PYTHON" not in environment:
            own |= {"CAPTIONS_PYTHON": str(packages.captions_folder(home) / "bin" / "python")}
        services.append(_host(home, name, label, "encoder_app", home.ports.encoder(index), own, master_key, options))
    services.append(_site(home, settings, endpoints))
    return Product(tuple(services), endpoints)


def _omdb(home: Home) -> Service:
    port = home.ports.omdb
    return Service(
        name="omdb",
        label="OMDb simulator",
        address=f"http://{LOOPBACK}:{port}",
        ports=(port,),
        folder=REPOSITORY,
        argv=(sys.executable, "-m", "infra.local.simulators.omdb", "--port", str(port)),
        environment={"PYTHONPATH": str(REPOSITORY)},
        check=partial(_refusal, port, "/"),
        restart=True,
    )


def _mail(home: Home) -> Service:
    port = home.ports.mail
    command = (sys.executable, "-m", "infra.local.simulators.mail", "--port", str(port))
    return Service(
        name="mail",
        label="Mail server",
        address=f"smtp://{LOOPBACK}:{port}",
        ports=(port,),
        folder=REPOSITORY,
        argv=(*command, "--box", str(home.data("mail"))),
        environment={"PYTHONPATH": str(REPOSITORY)},
        check=partial(_refusal_of_mail, port),
        restart=True,
    )


def _paypal(home: Home, identity: Mapping[str, str], webhook_url: str) -> Service:
    port = home.ports.paypal
    data = str(home.data("paypal"))
    command = (sys.executable, "-m", "infra.local.simulators.paypal", "--port", str(port), "--data", data)
    return Service(
        name="paypal",
        label="PayPal simulator",
        address=f"http://{LOOPBACK}:{port}",
        ports=(port,),
        folder=REPOSITORY,
        argv=(*command, "--webhook-url", webhook_url),
        environment={**identity, "PYTHONPATH": str(REPOSITORY)},
        check=partial(_refusal, port, "/_simulator/clock"),
        restart=True,
    )


def _host(
    home: Home,
    name: str,
    label: str,
    app: str,
    port: int,
    settings: Mapping[str, str],
    master_key: str,
    options: Options,
) -> Service:
    work = home.path / "work" / name

    def prepare(run: Run) -> None:
        if work.exists():  # left by an encoder that was killed
            shutil.rmtree(work)
        work.mkdir(parents=True)

    if options.host == "func":
        program = shutil.which("func", path=with_system_programs(None)) or "func"
        argv: tuple[str, ...] = (program, "start", "--port", str(port), "--cors", settings["NOTFLIX_CORS"])
        environment = {**settings, "PYTHON_SCRIPT_FILE_NAME": f"{app}.py"}
    else:
        lease = ("--lease", str(options.lease_s))
        argv = (sys.executable, "-m", "infra.local.host", "--app", app, "--port", str(port), *lease)
        environment = {**settings, "PYTHONPATH": str(REPOSITORY)}
    return Service(
        name=name,
        label=label,
        address=f"http://{LOOPBACK}:{port}",
        needs=NEEDS_OF_HOSTS,
        ports=(port,),
        folder=REPOSITORY,
        argv=argv,
        environment={
            **environment,
            "WORK_DIR": str(work),
            "TRACES_FILE": str(home.traces_file),
            "OTEL_SERVICE_NAME": name,
        },
        prepare=prepare,
        check=partial(_refusal, port, "/admin/host/status", status=200, key=master_key),
        restart=True,
    )


def _site(home: Home, settings: Mapping[str, str], endpoints: Mapping[str, str]) -> Service:
    port, pages = home.ports.site, home.path / "site"
    connection = settings["AzureWebJobsStorage"]

    def prepare(run: Run) -> None:
        packages.install(REPOSITORY / "web", packages.web_folder(home), run)
        _build(pages, endpoints, packages.web_folder(home) / "node_modules")

    return Service(
        name="site",
        label="Site",
        address=endpoints["site"],
        needs=(azurite.NAME,),
        ports=(port,),
        folder=REPOSITORY,
        argv=(sys.executable, "-m", "infra.local.site", "--port", str(port)),
        environment={**settings, "PYTHONPATH": str(REPOSITORY)},
        prepare=prepare,
        check=partial(_refusal, port, "/"),
        provision=partial(_publish, pages, connection),
        restart=True,
    )


def _build(pages: Path, endpoints: Mapping[str, str], node_modules: Path) -> None:
    from web.build import build

    build(pages, api_origin=endpoints["api"], blob_origin=endpoints["blob"], packages=node_modules)


def _publish(pages: Path, connection: str) -> None:
    """Upload the site; if it has changed, have the pages of the catalogue written from the new templates."""
    from azure.storage.blob import ContainerClient
    from azure.storage.queue import QueueServiceClient

    from functions.platform.messages import PublishCatalogue
    from functions.platform.queues import Queues
    from web.publish import publish

    with ContainerClient.from_connection_string(connection, "$web") as container:
        changed = publish(pages, container, now=datetime.now(UTC))
    if changed:
        with QueueServiceClient.from_connection_string(connection) as service:
            Queues(service).send(PublishCatalogue())


def _refusal(port: int, path: str, *, status: int | None = None, key: str = "") -> str | None:
    """Return why the loopback HTTP server does not answer with `status`, or None if it does."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path, headers={"x-functions-key": key} if key else {})
        answered = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return None if status in (None, answered) else f"it answers {answered}"


def _refusal_of_mail(port: int) -> str | None:
    """Return why the loopback mail server does not answer, or None if it does."""
    try:
        with smtplib.SMTP(LOOPBACK, port, LOOPBACK, timeout=2):
            return None
    except (OSError, smtplib.SMTPException) as error:
        return str(error)
