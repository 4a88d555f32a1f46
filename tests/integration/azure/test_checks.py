"""The template, Dockerfile, workflows and compose file pass the checkers; the Git history contains no secret."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

INFRA = REPOSITORY / "infra"


def run(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, argv)), cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_the_template_keeps_every_rule_but_those_listed_with_a_reason(checkers: Path) -> None:
    told = run(
        checkers / "checkov", "--framework", "bicep", "--skip-download", "--directory", INFRA, "--output", "json",
        "--config-file", INFRA / "checks" / "checkov.yaml",
    )  # fmt: skip
    report = json.loads(told.stdout)
    failed = [f"{each['check_id']} {each['resource']}" for each in report["results"]["failed_checks"]]
    assert not failed
    assert report["summary"]["parsing_errors"] == 0, "what cannot be parsed is not checked"
    assert report["summary"]["resource_count"] > 50


def test_each_rule_that_is_not_kept_has_a_reason() -> None:
    lines = (INFRA / "checks" / "checkov.yaml").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line.strip().startswith("- ")]
    assert rules
    assert all(re.search(r"- CKV\w+ # \w+.{10,}", line) for line in rules)


def test_the_recipe_of_the_image_is_clean(checkers: Path) -> None:
    told = run(checkers / "hadolint", INFRA / "encoder.Dockerfile")
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("github-workflows", ".github/workflows/*.yml"),
        ("github-actions", ".github/actions/*/action.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("dependabot", ".github/dependabot.yml"),
        ("compose-spec", "infra/compose.yaml"),
    ],
)
def test_configuration_files_have_the_published_form(checkers: Path, schema: str, pattern: str) -> None:
    files = sorted(REPOSITORY.glob(pattern))
    assert files
    told = run(checkers / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)
    assert told.returncode == 0, told.stdout


def test_no_secret_stands_in_any_version_of_any_file(checkers: Path) -> None:
    """Search every line in the Git history for text in the format of a secret that this product uses."""
    added = run("git", "log", "--all", "--patch", "--unified=0", "--no-color", "--format=", "--", ".", ":!*lock.json")
    assert added.returncode == 0, added.stderr
    lines = {line[1:] for line in added.stdout.splitlines() if line.startswith("+") and not line.startswith("+++")}
    forms = {
        "a storage key": r"AccountKey=[A-Za-z0-9+/]{60,}",
        "a signature": r"[?&]sig=[A-Za-z0-9%+/]{40,}",
        "a private key": r"-----BEGIN (?:RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{20,}",
        "a token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|xox[baprs]-[A-Za-z0-9-]{20,}|AKIA[A-Z0-9]{16})\b",
        "a PayPal secret": r"PAYPAL_CLIENT_SECRET[\"']?\s*[=:]\s*[\"']?E[A-Za-z0-9_-]{60,}",
        "a password in an address": r"\b(?:mysql|rediss?|mongodb(?:\+srv)?|amqps?)://[^:@/\s{}]*:[A-Za-z0-9]{20,}@(?!127\.0\.0\.1)",
    }
    found = [f"{what}: {line.strip()[:60]}" for what, form in forms.items() for line in lines if re.search(form, line)]
    assert not found


def test_no_file_holds_what_looks_like_a_secret(checkers: Path) -> None:
    told = run(
        checkers / "detect-secrets", "scan", "--disable-plugin", "HexHighEntropyString", "--disable-plugin",
        "Base64HighEntropyString", "--disable-plugin", "KeywordDetector", "--disable-plugin", "BasicAuthDetector",
        "--exclude-files", r"tests/.*",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["results"]
    assert not found, f"look at {sorted(found)}"
