"""The template and the code say the same: settings, queues, containers, roles, origins, versions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from functions.platform.mysql_connections import Address
from functions.platform.settings import ENVIRONMENT_NAMES
from infra.azure.steps import GENERATED
from infra.migrations.files import read_folders

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "infra"
MAIN = (INFRA / "main.bicep").read_text(encoding="utf-8")
MODULES = {path.stem: path.read_text(encoding="utf-8") for path in (INFRA / "modules").glob("*.bicep")}
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for path in (*sorted((ROOT / "functions").rglob("*.py")), ROOT / "function_app.py", ROOT / "encoder_app.py")
}

LEFT_AT_DEFAULT = {
    "MONGO_DATABASE": "the database has the default name",
    "OMDB_URL": "OMDb's own address",
    "SESSION_IDLE_HOURS": "a choice of the owner",
    "SESSION_DAYS": "a choice of the owner",
    "COSMOS_KEY": "the account is reached by identity and takes no key",
    "PAYPAL_CA": "PayPal's certificates lead to a public authority",
    "PLAYBACK_SAS_MINUTES": "a choice of the owner",
    "MAX_UPLOAD_GB": "a choice of the owner",
    "MAX_DURATION_HOURS": "a choice of the owner",
    "ENCODE_PRESET": "a choice of the owner",
    "FFMPEG": "on the image's PATH",
    "FFPROBE": "on the image's PATH",
    "FFMPEG_MEMORY_MB": "half of the encoder's 8 GiB",
    "TRACES_FILE": "Application Insights has the traces",
    "WORK_DIR": "set in the image; the API app has no work",
}
NEEDED_BY_ENCODER = {"AzureWebJobsStorage", "MONGO_URL", "APPLICATIONINSIGHTS_CONNECTION_STRING", "OTEL_SERVICE_NAME"}


def block(text: str, head: str) -> str:
    """Return the braces that follow `head`, with all between them."""
    start = text.index("{", text.index(head))
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start : position + 1]
    raise AssertionError(f"the braces after {head} do not close")


def settings_of(app: str) -> set[str]:
    """Return the names of all settings that the template gives an app."""
    module = block(MAIN, f"module {app} ")
    given = set(re.findall(r"^\s+([A-Z][A-Z0-9_]+):", module, re.MULTILINE))
    given |= set(re.findall(r"\b([A-Z][A-Z0-9_]+): '", module))
    own = MODULES[app].split("var host = [")[1].split("\n]")[0]
    given |= set(re.findall(r"name: '(\w+)'", own))
    return {"AzureWebJobsStorage" if name == "AzureWebJobsStorage__accountName" else name for name in given}


@pytest.mark.parametrize("setting", sorted(set(ENVIRONMENT_NAMES.values()) - set(LEFT_AT_DEFAULT)))
def test_the_api_app_is_given_each_setting(setting: str) -> None:
    assert setting in settings_of("api")


@pytest.mark.parametrize("setting", sorted(NEEDED_BY_ENCODER))
def test_the_encoder_app_is_given_what_it_needs(setting: str) -> None:
    assert setting in settings_of("encoder")


def test_no_setting_is_given_that_nothing_reads() -> None:
    of_the_host = re.compile(
        r"AzureWebJobsStorage__|AzureFunctionsJobHost__|AZURE_CLIENT_ID|FUNCTIONS_|PYTHON_|APPLICATIONINSIGHTS_"
    )
    known = set(ENVIRONMENT_NAMES.values())
    for app in ("api", "encoder"):
        unread = {name for name in settings_of(app) - known if not of_the_host.match(name)}
        assert not unread, f"{app} is given what nothing reads"


def test_each_secret_that_an_app_refers_to_is_in_the_vault() -> None:
    readable = names_in("var apiSecrets = ")
    for app in ("api", "encoder"):
        module = block(MAIN, f"module {app} ")
        referred = set(re.findall(r"[A-Z_]+: '([\w-]+)'", module[module.index("secrets:") :]))
        assert referred and referred <= readable


def names_in(head: str) -> set[str]:
    """Return the secrets that a list of the vault's module names."""
    return set(re.findall(r"'([a-z0-9-]+)'", re.split(r"\n(?=var |resource |$)", MODULES["vault"].split(head)[1])[0]))


def test_each_secret_has_a_value_and_none_is_empty() -> None:
    values = set(re.findall(r"^  '([a-z0-9-]+)':", block(MODULES["vault"], "var values = "), re.MULTILINE))
    assert names_in("var apiSecrets = ") | names_in("var migrationSecrets = ") == values
    optional = set(re.findall(r"^param (\w+) string = ''", MAIN, re.MULTILINE))
    secure = set(re.findall(r"@secure\(\)\nparam (\w+) string = ''", MAIN))
    assert secure == {"smtpUrl"}, "a vault takes no empty secret: one that need not be given must not be made then"
    assert "empty(smtpUrl) ? []" in MODULES["vault"] and "empty(smtpUrl) ? {}" in MAIN
    assert secure <= optional


def test_loops_go_over_what_is_known_when_the_deployment_begins() -> None:
    """The compiler refuses a loop over a variable with list…() or a resource's properties in it (BCP178)."""
    for name, text in MODULES.items():
        for variable in re.findall(r"^resource .* = \[for (?:\w+|\(\w+, \w+\)) in (\w+):", text, re.MULTILINE):
            for body in re.findall(rf"^var {variable} = (.*?)(?=^\S)", text, re.MULTILINE | re.DOTALL):
                assert not re.search(r"\blist\w+\(|\.properties\.", body), f"{name}: {variable}"


def test_the_migrations_job_has_what_the_migrations_read() -> None:
    given = set(
        re.findall(r"name: '([A-Z_]+)', (?:value|secretRef)", MODULES["encoder"].split("resource migrations")[1])
    )
    folders = read_folders(ROOT / "sql")
    assert given == {"MYSQL_CA", "MYSQL_ADMIN_URL", *(f"{folder.name.upper()}_DB_PASSWORD" for folder in folders)}
    values = block(MODULES["vault"], "var values = ")
    for folder in folders:
        address = f"mysql://{folder.user}:${{uriComponent({{}})}}${{mysql}}/{folder.database}"
        assert re.search(re.escape(address).replace(r"\{\}", r"\w+DbPassword"), values), folder.name
        assert folder.setting in settings_of("api")
    admin = re.findall(r"'mysql-admin-url': '(.*)'", values)[0]
    admin = admin.replace("${mysqlAdmin}", "admin").replace("${uriComponent(mysqlAdminPassword)}", "a%2Fb")
    read = Address.of(admin.replace("${mysql}", "@mysql-x.mysql.database.azure.com:3306"))
    assert (read.user, read.password, read.host, read.port) == (
        "admin",
        "a/b",
        "mysql-x.mysql.database.azure.com",
        3306,
    )


def test_no_secret_is_a_plain_setting() -> None:
    plain = block(block(MAIN, "module api "), "settings:")
    for word in ("PASSWORD", "SECRET", "_KEY", "_DB_URL", "REDIS_URL", "MONGO_URL", "SMTP_URL"):
        assert f"{word}:" not in plain


def queues_of_the_code() -> set[str]:
    """Return every queue that a function listens on or anything sends to."""
    found: set[str] = set()
    for text in SOURCES.values():
        found |= set(re.findall(r'queue_trigger\(\s*"\w+",\s*"([\w-]+)"', text))
        found |= set(re.findall(r'queue_output\(\s*"\w+",\s*"([\w-]+)"', text))
        found |= set(re.findall(r'\.queue\(\s*"([\w-]+)"', text))
        found |= set(re.findall(r'\.send\(\s*"([\w-]+)"', text))
    return found


def test_each_queue_exists_and_none_is_forgotten() -> None:
    made = set(re.findall(r"'([\w-]+)'", MODULES["storage"].split("var queues = [")[1].split("]")[0]))
    used = {name.removesuffix("-poison") for name in queues_of_the_code()}
    assert made == used, "the host makes poison queues itself; all others stand in modules/storage.bicep"


def test_each_container_exists() -> None:
    made = set(re.findall(r"name: '([\w$-]+)'\n  properties: \{ publicAccess: 'None' \}", MODULES["storage"]))
    used: set[str] = set()
    for text in SOURCES.values():
        used |= set(re.findall(r'blob_service\(\)\.get_container_client\(\s*"([\w$-]+)"', text))
        used |= set(re.findall(r'blob_trigger\(\s*"\w+",\s*path="([\w-]+)/', text))
    assert {"uploads", "$web"} <= used <= made


def test_each_trigger_is_connected_by_what_has_a_role() -> None:
    for path, text in SOURCES.items():
        for constant in re.findall(r'_(?:trigger|output)\(\s*"\w+",\s*"[\w-]+",\s*(\w+|"\w+")', text):
            value = constant.strip('"')
            if not constant.startswith('"'):
                value = re.findall(rf'^{constant} = "(\w+)"', text, re.MULTILINE)[0]
            assert value == "AzureWebJobsStorage", f"{path.name} is connected by {value}"
    for role in ("blobOwner", "queueContributor", "blobDelegator"):
        assert re.search(rf"roleDefinitions', {role}\)", MODULES["storage"])


def test_the_function_that_events_lead_to_exists() -> None:
    named = re.findall(r"functionName=Host\.Functions\.(\w+)", (INFRA / "events.bicep").read_text(encoding="utf-8"))
    assert named
    for name in named:
        assert any(f'function_name("{name}")' in text for text in SOURCES.values())


def test_only_the_site_may_ask_across_origins() -> None:
    assert "cors: { allowedOrigins: [ siteOrigin ] }" in MODULES["api"]
    assert "allowedOrigins: [ origin ]" in MODULES["storage"]
    assert "'*'" not in block(MODULES["storage"], "cors:")


def test_hops_are_counted_for_the_way_that_callers_can_come() -> None:
    """Behind Front Door two hops are believed: whoever came around it would choose the address that limits go by."""
    assert "FRONT_HOPS: frontDoor ? '2' : '1'" in MAIN
    assert "frontDoorId: frontDoor ? edge!.outputs.id : ''" in MAIN
    assert "ipSecurityRestrictionsDefaultAction: empty(frontDoorId) ? 'Allow' : 'Deny'" in MODULES["api"]


def test_patterns_of_front_door_have_their_star_behind_a_slash() -> None:
    patterns = re.findall(r"patterns: \[ '([^']+)' \]", MODULES["edge"])
    assert len(patterns) == 3
    assert all(re.fullmatch(r"(/[\w-]+)*/\*", pattern) for pattern in patterns)


def test_versions_agree() -> None:
    host: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["extensionBundle"]["version"] == "[4.*, 5.0.0)"
    python = re.findall(r'^requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert f"version: '{python[0]}'" in MODULES["api"]
    assert f"python:4-python{python[0]}" in (INFRA / "encoder.Dockerfile").read_text(encoding="utf-8")


def test_each_parameter_without_default_is_given() -> None:
    given = set(json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"])
    declared = dict(re.findall(r"^param (\w+) \w+( =.*)?$", MAIN, re.MULTILINE))
    assert {name for name, default in declared.items() if not default} <= given <= set(declared)


def test_the_workflow_passes_on_whatever_a_person_chose() -> None:
    """What it left out would fall back to its default, and take away what was deployed by hand."""
    asked = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text(encoding="utf-8")))
    of_azd = {"AZURE_PRINCIPAL_ID", "SERVICE_ENCODER_IMAGE_NAME"}
    passed = set(re.findall(r"^      (\w+): \$", (ROOT / ".github/workflows/deploy.yml").read_text(), re.MULTILINE))
    assert asked - of_azd - set(GENERATED) <= passed


def test_an_encoder_takes_one_message_and_is_else_configured_alike() -> None:
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    encoder = json.loads((INFRA / "encoder" / "host.json").read_text(encoding="utf-8"))
    assert (encoder["extensions"]["queues"]["batchSize"], encoder["extensions"]["queues"]["newBatchThreshold"]) == (
        1,
        0,
    )
    for name in ("batchSize", "newBatchThreshold"):
        encoder["extensions"]["queues"][name] = host["extensions"]["queues"][name]
    assert encoder == host


def test_each_alert_is_explained() -> None:
    operations = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    alerts = re.findall(r"name: '([a-z-]+)'\n    text:", MODULES["observability"])
    assert alerts
    for alert in alerts:
        assert f"`{alert}`" in operations


def test_each_figure_that_is_watched_is_recorded() -> None:
    watched = set(re.findall(r"notflix\.[\w.]+", MODULES["observability"] + (INFRA / "workbook.json").read_text()))
    recorded = "\n".join(SOURCES.values())
    for figure in sorted(watched):
        assert figure in recorded or figure.rpartition(".")[2] in recorded, figure


def test_diagnostics_flow_from_every_store_and_app() -> None:
    for module in ("storage", "mysql", "cosmos", "redis", "vault", "api", "edge"):
        assert "Microsoft.Insights/diagnosticSettings" in MODULES[module]
