"""The workflow deploys from GitHub with every configured value, logs in as azd does, previews, tests and rolls back."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from infra.azure.generated import GENERATED, WRITTEN
from infra.local.home import REPOSITORY

WORKFLOW = (REPOSITORY / ".github" / "workflows" / "azure-dev.yml").read_text(encoding="utf-8")
AZD = (REPOSITORY / "azure.yaml").read_text(encoding="utf-8")
OF_AZD = {
    "AZURE_ENV_NAME",
    "AZURE_LOCATION",
    "AZURE_PRINCIPAL_ID",
    "AZURE_PRINCIPAL_TYPE",
    "SERVICE_ENCODER_IMAGE_NAME",
}


def job(name: str) -> str:
    """Return the text of a job of the workflow."""
    return re.split(r"\n  (?=\w+:\n)", WORKFLOW.split(f"\n  {name}:\n")[1])[0]


def values() -> set[str]:
    """Return the values that a person may set for the template and for the steps."""
    asked: set[str] = set()
    for name in ("main", "encoder"):
        text = (REPOSITORY / "infra" / f"{name}.parameters.json").read_text(encoding="utf-8")
        json.loads(text)
        asked |= set(re.findall(r"\$\{(\w+)=", text)) | set(re.findall(r"\$\{(NOTFLIX_ALERT_EMAIL)\}", text))
    for path in (REPOSITORY / "infra" / "azure").glob("*.py"):
        read = re.findall(r'(?:get|is_on|secret)\(\s*"((?:NOTFLIX|PAYPAL|NEO4J|OMDB|SMTP|MAIL)_\w+)"', path.read_text())
        asked |= set(read)
    outputs = (REPOSITORY / "infra" / "main.bicep").read_text(encoding="utf-8")
    return (
        asked
        - OF_AZD
        - set(GENERATED)
        - {WRITTEN, "NOTFLIX_HOME"}
        - set(re.findall(r"^output (\w+)", outputs, re.MULTILINE))
    )


def test_the_workflow_passes_on_whatever_a_person_chose() -> None:
    """An omitted value would fall back to its default, and undo a manual deployment."""
    passed = set(re.findall(r"^  (\w+): \$", WORKFLOW, re.MULTILINE))
    assert values() <= passed


def test_azd_gives_the_repository_what_the_workflow_reads() -> None:
    lists = AZD.split("\npipeline:")[1]
    variables, secrets = lists.split("  secrets:")
    named = set(re.findall(r"- (\w+)", variables))
    hidden = set(re.findall(r"- (\w+)", secrets))
    of_azd = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_ENV_NAME", "AZURE_LOCATION"}
    assert set(re.findall(r"vars\.(\w+)", WORKFLOW)) == named | of_azd
    assert set(re.findall(r"secrets\.(\w+)", WORKFLOW)) == hidden


def test_no_generated_secret_is_a_value_of_the_workflow() -> None:
    assert not set(GENERATED) & set(re.findall(r"\w+", WORKFLOW + AZD))


def test_the_runner_has_an_environment_before_its_values_are_read() -> None:
    for name in ("preview", "deploy"):
        text = job(name)
        assert text.index("azd auth login") < text.index("azd env new")
        assert "azd provision" not in text.split("azd env new")[0]
        assert "./notflix deploy" not in text.split("azd env new")[0]


def test_a_pull_request_shows_what_would_change_and_changes_nothing() -> None:
    text = job("preview")
    assert "azd provision --preview --no-prompt" in text
    assert "head.repo.full_name == github.repository" in text, "a fork gets no identity"
    assert "environment:" not in text, "azd makes the credential of pull requests for a job without an environment"
    assert "./notflix deploy" not in text


def test_a_version_that_does_not_answer_is_taken_back() -> None:
    text = job("deploy")
    assert "environment: production" in text
    assert "fetch-depth: 0" in text
    smoke, back = text.index("./notflix azure smoke"), text.index("./notflix azure rollback")
    assert text.index("./notflix deploy") < smoke < back < text.rindex("./notflix azure smoke")
    assert "steps.smoke.outcome == 'failure'" in text


def test_without_a_registry_each_version_is_deployed_and_taken_back_with_its_image() -> None:
    made = job("image")
    assert "vars.NOTFLIX_PROFILE == 'small' && vars.NOTFLIX_REGISTRY != 'true'" in made, "as the template decides"
    assert "uses: $/.github/workflows/image.yml" in made and "packages: write" in made
    text = job("deploy")
    assert "needs: [image]" in text and "needs.image.result == 'skipped'" in text
    assert './notflix deploy ${IMAGE:+--image "$IMAGE"}' in text
    assert './notflix azure rollback "$previous" ${IMAGE:+--image "${IMAGE%:*}:$previous"}' in text
    publish = (REPOSITORY / ".github" / "workflows" / "image.yml").read_text(encoding="utf-8")
    (name,) = re.findall(r'^ +image="(.*)"$', publish, re.MULTILINE)
    given = {"GITHUB_REPOSITORY_OWNER": "Some-Owner", "GITHUB_REF_NAME": "v1.4.0"}
    shown = subprocess.run(["bash", "-c", f'echo "{name}"'], env=given, capture_output=True, text=True, check=True)
    assert shown.stdout == "ghcr.io/some-owner/notflix-encoder:v1.4.0\n", "names of images are lowercase"


def test_hooks_run_on_windows_too() -> None:
    hooks = re.findall(
        r"posix:\n\s+shell: sh\n\s+run: \./notflix azure (\w+)\n\s+windows:\n\s+shell: pwsh\n\s+run: (.*)", AZD
    )
    assert {step for step, _ in hooks} == {"prepare", "migrate", "deployed"}
    assert all(run == f"python infra/azure/hook.py {step}" for step, run in hooks)
    assert AZD.count("./notflix") == len(hooks)


def test_the_hook_needs_nothing_but_python() -> None:
    text = (REPOSITORY / "infra" / "azure" / "hook.py").read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported <= {"__future__", "hashlib", "os", "pathlib", "subprocess", "sys", "venv"}
    pinned = (REPOSITORY / "infra" / "azure" / "requirements.in").read_text(encoding="utf-8")
    local = (REPOSITORY / "infra" / "local" / "requirements.in").read_text(encoding="utf-8")
    assert all(line in local for line in pinned.splitlines() if "==" in line)


def test_the_steps_start_without_what_only_posix_has() -> None:
    missing = "; ".join(f"sys.modules[{name!r}] = None" for name in ("fcntl", "pwd", "grp", "resource", "termios"))
    code = f"import sys; {missing}; import infra.azure.steps, infra.azure.preflight, infra.local.cli.azure_commands"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
