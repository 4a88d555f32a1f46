"""The template and the code agree: settings, queues, containers, roles, origins, versions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import encoder_app
import function_app
from functions.encoding.storage import KINDS
from functions.platform.identifiers import INTERMEDIATES
from functions.platform.messages import MESSAGES
from functions.platform.mysql_connections import Address
from functions.platform.queues import PARKED
from functions.platform.settings import ENVIRONMENT_NAMES
from infra.azure import choices
from infra.azure.generated import GENERATED, IN_VAULT
from infra.migrations.files import read_folders
from infra.site_headers import SITE_HEADERS
from tests.support.edge import SEGMENTS_S

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "infra"
MAIN = (INFRA / "main.bicep").read_text(encoding="utf-8")
MODULES = {path.stem: path.read_text(encoding="utf-8") for path in (INFRA / "modules").glob("*.bicep")}
ENCODER = (INFRA / "encoder.bicep").read_text(encoding="utf-8")
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for path in (*sorted((ROOT / "functions").rglob("*.py")), ROOT / "function_app.py", ROOT / "encoder_app.py")
}

LEFT_AT_DEFAULT = {
    "MONGO_DATABASE": "the database has the default name",
    "OMDB_URL": "OMDb's own address",
    "SESSION_IDLE_HOURS": "a choice of the owner",
    "SESSION_DAYS": "a choice of the owner",
    "MAILS_PER_HOUR": "a choice of the owner",
    "PUBLISH_TITLES": "a choice of the owner",
    "MAX_DAMAGED_PERCENT": "a choice of the owner",
    "MAX_DAMAGED_RUN_S": "a choice of the owner",
    "COSMOS_KEY": "the account is reached by identity and takes no key",
    "PAYPAL_CA": "PayPal's certificates lead to a public authority",
    "PLAYBACK_SAS_MINUTES": "a choice of the owner",
    "STREAMS_PER_ACCOUNT": "a choice of the owner",
    "MAX_UPLOAD_GB": "a choice of the owner",
    "MAX_DURATION_HOURS": "a choice of the owner",
    "PASSTHROUGH_PERCENT": "a choice of the owner",
    "UPLOAD_PATIENCE_HOURS": "a choice of the owner",
    "PROVISIONAL_PERCENT": "a choice of the owner",
    "ENCODE_AV1": "a choice of the owner",
    "AUTOMATIC_CAPTIONS": "a choice of the owner",
    "CAPTIONS_LANGUAGES": "the image has only a model for English",
    "CAPTIONS_MODEL": "the image has only a model for English",
    "CAPTIONS_PYTHON": "set in the image; the API app makes no captions",
    "LOUDNESS_LUFS": "a choice of the owner",
    "ENCODE_MEASURED_S": "the image has no ffmpeg that measures quality",
    "ENCODE_PRESET": "a choice of the owner",
    "ENCODE_RENDITIONS": "a choice of the owner",
    "SURROUND_SOUND": "a choice of the owner",
    "RENDITIONS_KEPT_DAYS": "a choice of the owner",
    "ENCRYPT_FILMS": "a choice of the owner",
    "FIND_INTROS": "a choice of the owner",
    "ENCODE_TARGET_VMAF": "the image has no ffmpeg that measures quality",
    "VMAF_FFMPEG": "the image has no ffmpeg that measures quality",
    "FFMPEG": "on the image's PATH",
    "FFPROBE": "on the image's PATH",
    "FFMPEG_MEMORY_MB": "half of the encoder's 8 GiB",
    "TRACES_FILE": "Application Insights has the traces",
    "WORK_DIR": "set in the image; the API app has no work",
}
NEEDED_BY_ENCODER = {
    "AzureWebJobsStorage",
    "MONGO_URL",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "OTEL_SERVICE_NAME",
    "ENCODE_MONTHLY_LIMIT_USD",
    "FILM_KEYS",
}


def block(text: str, head: str) -> str:
    """Return the block in braces that follows `head`."""
    start = text.index("{", text.index(head))
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start : position + 1]
    raise AssertionError(f"the braces after {head} do not close")


def settings_of(app: str) -> set[str]:
    """Return the names of all settings that the template sets for an app."""
    if app == "encoder":
        given = set(re.findall(r"name: '(\w+)', (?:value|secretRef)", ENCODER.split("resource migrations")[0]))
    else:
        given = set(re.findall(r"^\s+([A-Z][A-Z0-9_]+):", block(MAIN, "module api "), re.MULTILINE))
        given |= set(re.findall(r"\b([A-Z][A-Z0-9_]+): '[\w-]+'", MAIN))
        given |= set(re.findall(r"name: '(\w+)'", MODULES["api"].split("var host = [")[1].split("\n]")[0]))
    return {"AzureWebJobsStorage" if name == "AzureWebJobsStorage__accountName" else name for name in given}


@pytest.mark.parametrize("setting", sorted(set(ENVIRONMENT_NAMES.values()) - set(LEFT_AT_DEFAULT)))
def test_the_api_app_is_given_each_setting(setting: str) -> None:
    assert setting in settings_of("api")


def test_an_owner_can_choose_each_setting_that_is_a_choice() -> None:
    chosen = {name for name, reason in LEFT_AT_DEFAULT.items() if reason == "a choice of the owner"}
    assert chosen == set(choices.NAMES)
    for text in (MODULES["api"], ENCODER):
        assert "split(chosenSettings, ',')" in text and "split(pair, '=')[1]" in text
    assert "concat(host, plain, references, chosen)" in MODULES["api"] and "], chosen)" in ENCODER


@pytest.mark.parametrize("setting", sorted(NEEDED_BY_ENCODER))
def test_the_encoder_app_is_given_what_it_needs(setting: str) -> None:
    assert setting in settings_of("encoder")


def test_no_setting_is_given_that_nothing_reads() -> None:
    of_the_host = re.compile(
        r"AzureWebJobsStorage__|AzureFunctions|AZURE_CLIENT_ID|FUNCTIONS_|PYTHON_|APPLICATIONINSIGHTS_"
    )
    known = set(ENVIRONMENT_NAMES.values())
    for app in ("api", "encoder"):
        unread = {name for name in settings_of(app) - known if not of_the_host.match(name)}
        assert not unread, f"{app} is given what nothing reads"


def names_in(variable: str) -> set[str]:
    """Return the names of secrets in a list of the vault module."""
    body = re.findall(rf"^var {variable} = \[(.*?)\]$", MODULES["vault"], re.MULTILINE | re.DOTALL)
    return set(re.findall(r"'([a-z0-9-]+)'", body[0]))


OPTIONAL = {"cdn-token-key", "neo4j-password", "omdb-api-key", "paypal-client-secret", "smtp-url"}


def test_each_secret_that_an_app_refers_to_is_in_the_vault() -> None:
    always = set(re.findall(r": '([\w-]+)'", block(MAIN, "var always =")))
    assert always == names_in("storeSecrets") | names_in("apiSecrets")
    optional = set(re.findall(r"\{ [A-Z0-9_]+: '([a-z0-9-]+)' \}", MAIN))
    assert optional == OPTIONAL == set(re.findall(r"name: '([\w-]+)'\n  properties: \{ value: \w+,", MODULES["vault"]))
    of_jobs = set(re.findall(r"secretRef: '([\w-]+)'", ENCODER))
    assert of_jobs == names_in("migrationSecrets") | {"mongo-url", "film-keys"}


def test_each_generated_secret_has_a_value_and_a_source() -> None:
    names = names_in("apiSecrets") | names_in("migrationSecrets")
    source = dict(re.findall(r"^  '([\w-]+)': '([\w-]+)'$", block(MODULES["vault"], "var source ="), re.MULTILINE))
    values = set(re.findall(r"^  '([\w-]+)':", block(MODULES["vault"], "var generated ="), re.MULTILINE))
    assert names == set(source) == values
    assert set(source.values()) == set(GENERATED.values())
    assert {name: set(made) for name, made in IN_VAULT.items()} == {
        name: {secret for secret, origin in source.items() if origin == name} for name in IN_VAULT
    }, "what the steps look for in the vault is what the template makes of each generated secret"


def test_what_need_not_be_given_is_made_only_if_it_is() -> None:
    """A vault rejects empty secrets, and a setting must not refer to a missing secret."""
    secure = set(re.findall(r"@secure\(\)\nparam (\w+) string = ''", MAIN))
    for name in ("cdnTokenKey", "neo4jPassword", "omdbApiKey", "paypalClientSecret", "smtpUrl"):
        assert name in secure
        assert MODULES["vault"].count(f"if (!empty({name})) {{") == 2, "the secret, and the role to read it"
        assert f"empty({name}) ? {{}} : {{ " in MAIN


def test_the_owner_may_read_the_operator_key_and_no_other_secret() -> None:
    """A number would silently grant another secret when the list changes."""
    granted = block(MODULES["vault"], "resource ownerReads ")
    assert "scope: apiSecret[indexOf(apiSecrets, 'operator-key')]" in granted
    assert "guid(vault.id, 'operator-key', deployerPrincipalId)" in granted
    assert "operator-key" in names_in("apiSecrets")


def test_no_store_has_a_public_address_in_the_profile_standard() -> None:
    """Checkov's rules for this are skipped, because checkov cannot evaluate the condition."""
    assert "var private = profile == 'standard'" in MAIN
    for module in ("mysql", "cosmos", "redis"):
        assert re.search(r"subnetId: private \? network!\.outputs\.\w+ : ''", block(MAIN, f"module {module} "))
        public = re.findall(r"publicNetworkAccess: (.*)", MODULES[module])
        assert public
        for value in public:
            assert value in ("empty(subnetId) ? 'Enabled' : 'Disabled'", "'Disabled'", "'Enabled' } : {")
    assert "network: empty(subnetId) ? { publicNetworkAccess: 'Enabled' } : {" in MODULES["mysql"]
    assert MODULES["cosmos"].count("publicNetworkAccess: empty(subnetId) ? 'Enabled' : 'Disabled'") == 2


def test_names_are_the_same_wherever_they_are_made_up() -> None:
    """main.bicep computes the name of the API before the API's module runs; encoder.bicep uses the same token."""
    assert "var apiName = 'func-${token}'" in MAIN
    assert "output NOTFLIX_TOKEN string = token" in MAIN
    parameters = json.loads((INFRA / "encoder.parameters.json").read_text(encoding="utf-8"))["parameters"]
    outputs = set(re.findall(r"^output (\w+) ", MAIN, re.MULTILINE))
    of_azd = {"AZURE_ENV_NAME", "SERVICE_ENCODER_IMAGE_NAME", "NOTFLIX_MAX_ENCODERS", "NOTFLIX_CHUNKS_PER_ENCODER",
              "NOTFLIX_ENCODE_LIMIT_USD", choices.VARIABLE}  # fmt: skip
    asked = {re.findall(r"\$\{(\w+)", given["value"])[0] for given in parameters.values()}
    assert asked - of_azd <= outputs
    declared = dict(re.findall(r"^param (\w+) \w+( =.*)?$", ENCODER, re.MULTILINE))
    assert {name for name, default in declared.items() if not default} <= set(parameters) <= set(declared)


def test_loops_go_over_what_is_known_when_the_deployment_begins() -> None:
    """The compiler rejects a loop over a variable that contains list…() or a resource's properties (BCP178)."""
    for name, text in MODULES.items():
        for variable in re.findall(r"^resource .* = \[for (?:\w+|\(\w+, \w+\)) in (\w+):", text, re.MULTILINE):
            for body in re.findall(rf"^var {variable} = (.*?)(?=^\S)", text, re.MULTILINE | re.DOTALL):
                assert not re.search(r"\blist\w+\(|\.properties\.", body), f"{name}: {variable}"


def test_the_migrations_job_has_what_the_migrations_read() -> None:
    given = set(re.findall(r"name: '([A-Z_]+)', (?:value|secretRef)", ENCODER.split("resource migrations")[1]))
    folders = read_folders(ROOT / "sql")
    assert given == {"MYSQL_CA", "MYSQL_ADMIN_URL", *(f"{folder.name.upper()}_DB_PASSWORD" for folder in folders)}
    values = block(MODULES["vault"], "var generated = ")
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
    plain = block(block(MAIN, "module api "), "    settings:")
    for word in ("PASSWORD", "SECRET", "_KEY", "_DB_URL", "REDIS_URL", "MONGO_URL", "SMTP_URL"):
        assert f"{word}:" not in plain


def functions() -> list[Any]:
    """Return the registered functions of both apps."""
    return [builder._function for module in (function_app, encoder_app) for builder in module.app._function_builders]


def queues_of_the_code() -> set[str]:
    """Return every queue that the code uses."""
    return {kind.QUEUE for kind in MESSAGES} | {PARKED}


def test_each_queue_exists_and_none_is_forgotten() -> None:
    lists = re.findall(r"^var \w+Queues = \[(.*?)\]$", MODULES["storage"], re.MULTILINE | re.DOTALL)
    made = {name.removesuffix("-poison") for each in lists for name in re.findall(r"'([\w-]+)'", each)}
    used = {name.removesuffix("-poison") for name in queues_of_the_code()}
    assert made == used, "the host makes poison queues itself; all others stand in modules/storage.bicep"


def test_each_container_exists() -> None:
    made = set(re.findall(r"name: '([\w$-]+)'\n  properties: \{ publicAccess: 'None' \}", MODULES["storage"]))
    used = {INTERMEDIATES}
    for text in SOURCES.values():
        used |= set(re.findall(r'blob_service\(\)\.get_container_client\(\s*"([\w$-]+)"', text))
        used |= set(re.findall(r'\.blob\(\s*"([\w-]+)/', text))
    assert {"uploads", "$web"} <= used <= made


def test_each_trigger_is_connected_by_what_has_a_role() -> None:
    bindings = [binding.get_dict_repr() for function in functions() for binding in function.get_bindings()]
    connected = [binding["connection"] for binding in bindings if "connection" in binding]
    assert connected and set(connected) == {"AzureWebJobsStorage"}
    for role in ("blobOwner", "queueContributor", "blobDelegator"):
        assert re.search(rf"roleDefinitions', {role}\)", MODULES["storage"])


def test_the_function_that_events_lead_to_exists() -> None:
    named = re.findall(r"functionName=Host\.Functions\.(\w+)", (INFRA / "events.bicep").read_text(encoding="utf-8"))
    assert named
    for name in named:
        assert name in {function.get_function_name() for function in functions()}


def test_only_the_site_may_ask_across_origins() -> None:
    assert "cors: { allowedOrigins: [ siteOrigin ] }" in MODULES["api"]
    assert "allowedOrigins: [ origin ]" in MODULES["storage"]
    assert "'*'" not in block(MODULES["storage"], "cors:")


def test_pages_may_name_the_version_that_an_upload_replaces() -> None:
    found = re.search(r"allowedHeaders: \[([^\]]*)\]", MODULES["storage"])
    assert found
    assert {"'if-match'", "'if-none-match'", "'x-ms-meta-*'"} <= set(found[1].split())


def test_hops_are_counted_for_the_way_that_callers_can_come() -> None:
    """With Front Door, two hops are trusted; a caller that bypassed it could choose the address for rate limits."""
    assert "FRONT_HOPS: frontDoor ? '2' : '1'" in MAIN
    assert "frontDoorId: frontDoor ? edge!.outputs.id : ''" in MAIN
    assert "ipSecurityRestrictionsDefaultAction: empty(frontDoorId) ? 'Allow' : 'Deny'" in MODULES["api"]


def test_patterns_of_front_door_have_their_star_behind_a_slash() -> None:
    patterns = re.findall(r"patterns: \[ '([^']+)' \]", MODULES["edge"])
    assert len(patterns) == 3
    assert all(re.fullmatch(r"(/[\w-]+)*/\*", pattern) for pattern in patterns)


def test_front_door_adds_the_headers_of_the_site_in_rules_of_at_most_five_actions() -> None:
    edge = MODULES["edge"]
    assert "var headers = loadJsonContent('../site_headers.json')" in edge
    assert "var actionsPerRule = 5" in edge
    rules = re.search(r"^var headerRules = \[ (.*) \]$", edge, re.MULTILINE)
    assert rules and len(rules[1].split(", ")) == -(-len(SITE_HEADERS) // 5)
    assert "ruleSets: part.cached ? concat([ { id: ruleSet.id } ], " in edge
    actions = block(edge, "resource rule 'Microsoft.Cdn/profiles/ruleSets/rules")
    for line in ("headerName: header.name", "value: header.value", "headerAction: 'Overwrite'", "conditions: []"):
        assert line in actions
    # Front Door's limits: names of headers are tokens, values have at most 640 characters
    assert all(re.fullmatch(r"[A-Za-z-]+", name) and len(value) <= 640 for name, value in SITE_HEADERS.items())


def test_front_door_keeps_no_segment_much_longer_than_its_key_lasts() -> None:
    """Front Door does not read the SAS, and a segment's own header allows caching for a year (decision 37)."""
    edge = MODULES["edge"]
    rule = block(edge, "resource segmentRule ")
    assert "cacheBehavior: 'OverrideAlways'" in rule and f"cacheDuration: '00:0{SEGMENTS_S // 60}:00'" in rule
    assert "queryStringCachingBehavior: 'UseQueryString'" in rule
    endings = set(re.findall(r"'(\w+)'", re.findall(r"matchValues: \[(.*)\]", rule)[0]))
    kept = {ending.removeprefix(".") for ending in KINDS} - {"mpd", "m3u8", "mkv", "fingerprint"}
    assert endings == kept, "browsers read manifests from storage, and neither copies of uploads nor fingerprints"
    assert "part.name == 'films' ? [ { id: filmRules.id } ] : []" in edge


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


def test_an_encoder_takes_one_message_and_is_else_configured_alike() -> None:
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    encoder = json.loads((INFRA / "encoder" / "host.json").read_text(encoding="utf-8"))
    assert (encoder["extensions"]["queues"]["batchSize"], encoder["extensions"]["queues"]["newBatchThreshold"]) == (
        1,
        0,
    )
    # the encoder runs only while it has work, and a film waits for its polls; the API is awake all month
    assert encoder["extensions"]["queues"]["maxPollingInterval"] == "00:00:01"
    for name in ("batchSize", "newBatchThreshold", "maxPollingInterval"):
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
