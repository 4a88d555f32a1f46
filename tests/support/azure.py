"""Fake `az` and `azd` programs, which record their calls, and answer or fail like the real ones.

The behaviour of the real programs, with its sources:
- `azd env get-values` prints the environment's file but not the process environment (azure-dev,
  cli/azd/cmd/env.go, envGetValuesAction: `env.Dotenv()`), as JSON only if asked to; without an environment it fails.
- `azd env set` accepts only one key and value, KEY=VALUE pairs, or `--file` (envSetAction in the same file); in a file,
  godotenv replaces `$NAME` and backslashes within double quotes, which this program refuses.
- `azd auth login --check-status` exits with 0 in any case; only its output says whether somebody is logged in
  (cmd/auth_login.go: "We always return a zero exit code").
- `azd deploy` refuses a service that azure.yaml does not have, and refuses `--from-package` without a service
  (internal/cmd/deploy.go).
- hooks have the values of the file and of the process in their environment (docs/environment-variables.md).
- what a hook prints is removed from the terminal when it ends, unless it is interactive (pkg/ext/hooks_runner.go,
  `StopPreviewer(ctx, false)`), so this program does not print what its hooks print.
- `az` prints JSON only if asked to, because its user may have another default (`az config set core.output=table`), and
  fails without a login.
- `az containerapp list-usages` prints the body of Azure's answer, `{"value": […]}`; other commands that list something
  print only the list (azure-cli 2.91, command_modules/containerapp/_clients.py).
- `az … show` of a missing resource fails with exit code 3, ResourceNotFound; `az group exists` prints true or false.
- `az deployment group create` refuses a parameter that the template does not declare, and asks for one that it lacks,
  which fails without a terminal (azure-cli, command_modules/resource/custom.py, _process_parameters and
  _prompt_for_parameters).
- a deployment of infra/events.bicep fails until the host has created a key (ARM: the expression's property does not
exist), and until the app answers Event Grid's validation (Azure/azure-functions-eventgrid-extension #73).
- a budget is refused for a new subscription (tutorial-acm-create-budgets).
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

NO_KEY = (
    "(InvalidTemplate) Deployment template validation failed: 'The language expression property 'blobs_extension' "
    "doesn't exist, available properties are ''.'"
)
NOT_VALIDATED = (
    "(Url validation) Webhook validation handshake failed for https://func-x.azurewebsites.net/runtime/webhooks/blobs. "
    "Http POST request failed with response code Unknown."
)
NO_BUDGET = "(400) Cost Management supports only Enterprise Agreement, Web direct and Microsoft Customer Agreement"

PROGRAM = """#!{python} -IS
import json, os, re, sys
folder = {folder!r}
name = os.path.basename(sys.argv[0])
asked = [name, *sys.argv[1:]]

def read(path):
    with open(path) as file:
        return file.read()

def write(path, text, mode="w"):
    with open(path, mode) as file:
        file.write(text)

write(folder + "/asked.jsonl", json.dumps(asked) + "\\n", "a")
write(folder + "/environments.jsonl", json.dumps(dict(os.environ)) + "\\n", "a")

def refuse(words, code=1):
    sys.stderr.write("ERROR: " + words + "\\n")
    sys.exit(code)

number = folder + "/refused-number"
if os.path.exists(number) and len(read(folder + "/asked.jsonl").splitlines()) == int(read(number)):
    refuse("(InternalServerError) The server encountered an error.")
file = folder + "/values.json"
if asked[:3] == ["azd", "env", "get-values"]:
    if not os.path.exists(file):
        refuse("environment does not exist")
    values = json.loads(read(file))
    print(json.dumps(values) if "json" in asked else "\\n".join(f'{{k}}="{{v}}"' for k, v in values.items()))
    sys.exit()
if asked[:3] == ["azd", "env", "set"]:
    if not os.path.exists(file):
        refuse("no default environment")
    given = asked[3:]
    if given[:1] == ["--file"]:
        if len(given) != 2:
            refuse("cannot combine --file flag with key-value arguments")
        pairs = [line.split("=", 1) for line in read(given[1]).splitlines()]
        pairs = [(key, value[1:-1]) for key, value in pairs]
        if any(set(value) & set('$\\\\"') for _, value in pairs):
            refuse("this program does not know how godotenv reads such a value")
    elif len(given) == 2 and "=" not in given[0]:
        pairs = [tuple(given)]
    elif given and all("=" in each for each in given):
        pairs = [each.split("=", 1) for each in given]
    else:
        refuse("invalid key=value format")
    write(file, json.dumps(dict(json.loads(read(file)), **dict(pairs))))
    sys.exit()
if name == "az" and os.path.exists(folder + "/logged-out") and asked[1] != "login":
    refuse("Please run 'az login' to setup account.")
if name == "az" and asked[-2:] != ["--output", "json"]:
    print("Result\\n--------")
    sys.exit()
if asked[:4] == ["azd", "auth", "login", "--check-status"]:
    status = "unauthenticated" if os.path.exists(folder + "/azd-logged-out") else "success"
    print(json.dumps({{"status": status}}) if "json" in asked else "Logged in to Azure")
    sys.exit()
hooks = folder + "/hooks.sh"
if asked[:2] in (["azd", "up"], ["azd", "deploy"]) and os.path.exists(hooks):
    os.system(f"sh {{hooks}} >/dev/null")
if asked[:2] == ["azd", "deploy"]:
    service = asked[2] if len(asked) > 2 and not asked[2].startswith("-") else ""
    if service and service not in ("encoder", "functions"):
        refuse(f"service name '{{service}}' doesn't exist")
    if "--from-package" in asked and not service:
        refuse("'--from-package' cannot be specified when '<service>' is not set")
if asked[:4] == ["az", "deployment", "group", "create"]:
    template = read(asked[asked.index("--template-file") + 1])
    declared = dict(re.findall(r"^param (\\w+) (.*)$", template, re.MULTILINE))
    values = asked[asked.index("--parameters") + 1 : asked.index("--only-show-errors")]
    given = [word.partition("=")[0] for word in values]
    if unknown := set(given) - set(declared):
        refuse(f"unrecognized template parameter '{{unknown.pop()}}'. Allowed parameters: {{', '.join(declared)}}")
    if missing := [key for key, kind in declared.items() if "=" not in kind and key not in given]:
        refuse(f"Missing input parameters: {{', '.join(missing)}}")
table = folder + "/answers.json"
answers = json.loads(read(table))
for entry in answers:
    start, bodies = entry
    if asked[: len(start)] == start and all(word in asked for word in start):
        body = bodies.pop(0) if len(bodies) > 1 else bodies[0]
        write(table, json.dumps(answers))
        if isinstance(body, str):
            refuse(body)
        print(json.dumps(body))
        sys.exit()
if name == "azd":
    refuse(f"unknown command {{sys.argv[1]!r}} for \\"azd\\"")
if asked[1:3] == ["group", "exists"]:
    print("false")
    sys.exit()
refuse("(ResourceNotFound) The Resource was not found.", 3)
"""


@dataclass
class Programs:
    """The fake programs: their answers, selected by the first words of a call, and the recorded calls."""

    folder: Path
    answers: list[tuple[list[str], list[Any]]] = field(default_factory=list)

    def answer(self, *start: str, body: object) -> None:
        """Answer all calls that start with these words with `body`."""
        self.answer_in_turn(*start, bodies=[body])

    def answer_in_turn(self, *start: str, bodies: list[Any]) -> None:
        """Answer calls that start with these words with each of `bodies` in turn, then always with the last."""
        self.answers.insert(0, (list(start), bodies))
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    def refuse(self, *start: str, words: str) -> None:
        """Make calls that start with `start` fail with the error message `words`."""
        self.answer(*start, body=words)

    def refuse_number(self, number: int) -> None:
        """Make one call fail, counted from the next one, which is number 0."""
        (self.folder / "refused-number").write_text(str(len(self.asked) + number + 1))

    def keep(self, values: Mapping[str, str]) -> None:
        """Set the values of the azd environment."""
        (self.folder / "values.json").write_text(json.dumps(dict(values)))

    def have_no_environment(self) -> None:
        """Remove the azd environment."""
        (self.folder / "values.json").unlink()

    def run_hook(self, script: str) -> None:
        """Let `azd up` and `azd deploy` run a hook."""
        (self.folder / "hooks.sh").write_text(script)

    def log_out(self, program: str) -> None:
        """Let `az` or `azd` have no login."""
        (self.folder / {"az": "logged-out", "azd": "azd-logged-out"}[program]).touch()

    def keep_secrets(self, *names: str, group: str = "rg-films") -> None:
        """Create a vault in the group, with secrets of these names."""
        vault = f"/subscriptions/s/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/kv-x"
        self.answer("az", "group", "exists", "--name", group, body=True)
        self.answer("az", "keyvault", "list", "--resource-group", group, body=[{"id": vault, "name": "kv-x"}])
        url = f"https://management.azure.com{vault}/secrets?api-version=2023-07-01"
        half = len(names) // 2
        more = f"{url}&page=2"
        self.answer("az", "rest", "--method", "get", "--url", more, body={"value": _secrets(names[half:])})
        self.answer(
            "az", "rest", "--method", "get", "--url", url, body={"value": _secrets(names[:half]), "nextLink": more}
        )

    @property
    def values(self) -> dict[str, str]:
        """Return the values of the azd environment."""
        kept: dict[str, str] = json.loads((self.folder / "values.json").read_text())
        return kept

    @property
    def asked(self) -> list[list[str]]:
        """Return every call, in order."""
        path = self.folder / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def asked_for(self, *start: str) -> list[list[str]]:
        """Return the calls that start with these words."""
        return [call for call in self.asked if call[: len(start)] == list(start)]

    def environment_of(self, *start: str) -> dict[str, str]:
        """Return the environment variables of the last call that starts with these words."""
        lines = (self.folder / "environments.jsonl").read_text().splitlines()
        calls = zip(self.asked, lines, strict=True)
        found: dict[str, str] = json.loads([line for call, line in calls if call[: len(start)] == list(start)][-1])
        return found


def _secrets(names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": name, "id": f"…/vaults/kv-x/secrets/{name}"} for name in names]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Put the fake `az` and `azd` first on the PATH; their state is in `folder`."""
    folder.mkdir()
    made = Programs(folder)
    made.keep({})
    made.answer("az", "account", "show", body={"id": "sub", "name": "Films"})
    for name in ("az", "azd", "npm"):
        program = folder / name
        program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("NOTFLIX_HOME", str(folder / "home"))
    for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)
    return made
