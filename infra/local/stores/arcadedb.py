"""ArcadeDB in place of Neo4j: the official Neo4j driver connects to it over Bolt. The Python package contains a JRE.

The readiness check uses HTTP first, because a Bolt login attempt during the start is throttled for many seconds.
"""

from __future__ import annotations

import importlib.util
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.local.home import write_private
from infra.local.ports import LOOPBACK
from infra.local.processes.liveness import Patience
from infra.local.processes.service import Service
from infra.local.stores.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.local.home import Home
    from infra.local.processes.service import Run
    from infra.local.stores.credentials import Credentials

NAME = "arcadedb"
URI, USER, PASSWORD = "NEO4J_URI", "NEO4J_USER", "NEO4J_PASSWORD"

ARGUMENTS = """\
-Xms64m
-Xmx384m
-XX:+UseSerialGC
--add-modules=jdk.incubator.vector
--enable-native-access=ALL-UNNAMED
--add-exports=java.management/sun.management=ALL-UNNAMED
--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED
--add-opens=java.base/java.nio.channels.spi=ALL-UNNAMED
-Dpolyglot.engine.WarnInterpreterOnly=false
-Djava.awt.headless=true
"-Djava.io.tmpdir={folder}/tmp"
"-Darcadedb.server.rootPath={folder}"
-Darcadedb.server.rootPassword={root_password}
-Darcadedb.server.mode=production
-Darcadedb.server.httpIncomingHost={host}
-Darcadedb.server.httpIncomingPort={http_port}
-Darcadedb.server.plugins=Bolt:com.arcadedb.bolt.BoltProtocolPlugin
-Darcadedb.bolt.host={host}
-Darcadedb.bolt.port={bolt_port}
-Darcadedb.server.defaultDatabases=neo4j[neo4j:{password}:admin]
-cp "{jars}/*"
com.arcadedb.server.ArcadeDBServer
"""


def arcadedb(home: Home, credentials: Credentials, environment: Mapping[str, str]) -> Store:
    """Return the local ArcadeDB, or the Neo4j server at NEO4J_URI."""
    if uri := environment.get(URI):
        user, password = environment.get(USER, "neo4j"), environment.get(PASSWORD, "")
        service = Service(
            name=NAME,
            label="Neo4j",
            address=f"{urlsplit(uri).hostname}",
            check=partial(_bolt_refusal, uri, user, password),
            start_s=10,
        )
        return Store(service, {URI: uri, USER: user, PASSWORD: password})

    ports, folder = home.ports, home.data(NAME)
    uri = f"bolt://{LOOPBACK}:{ports.bolt}"
    package = _package_folder()

    def prepare(run: Run) -> None:
        for name in ("databases", "config", "log", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        # in a file, because command-line arguments are visible in the process list
        write_private(
            folder / "java.arguments",
            ARGUMENTS.format(
                folder=folder,
                jars=package / "jars",
                host=LOOPBACK,
                http_port=ports.arcade_http,
                bolt_port=ports.bolt,
                root_password=credentials.arcade_root,
                password=credentials.neo4j,
            ),
        )

    service = Service(
        name=NAME,
        label="ArcadeDB",
        address=uri,
        ports=(ports.bolt, ports.arcade_http),
        folder=folder,
        argv=(str(package / "jre" / "bin" / "java"), f"@{folder / 'java.arguments'}"),
        prepare=prepare,
        check=lambda: (
            _http_refusal(f"http://{LOOPBACK}:{ports.arcade_http}/api/v1/ready")
            or _bolt_refusal(uri, "neo4j", credentials.neo4j)
        ),
        restart=True,
        patience=Patience(every_s=60, silent_s=90),  # the product works without it, and querying it is expensive
    )
    return Store(service, {URI: uri, USER: "neo4j", PASSWORD: credentials.neo4j})


def _package_folder() -> Path:
    """Return the folder of the Python package without importing it, which would load the JVM bridge."""
    found = importlib.util.find_spec("arcadedb_embedded")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _http_refusal(url: str) -> str | None:
    """Return why the server is not ready, or None if it is."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return None
    except (urllib.error.URLError, OSError) as error:
        return str(error)


def _bolt_refusal(uri: str, user: str, password: str) -> str | None:
    """Return why the server does not answer a query, or None if it does."""
    from neo4j import GraphDatabase
    from neo4j.exceptions import DriverError, Neo4jError

    try:
        with (
            GraphDatabase.driver(uri, auth=(user, password), connection_timeout=2) as driver,
            driver.session() as session,
        ):
            session.run("MATCH (any) RETURN 1 LIMIT 1").consume()
    except (DriverError, Neo4jError, OSError) as error:
        return str(error)
    return None
