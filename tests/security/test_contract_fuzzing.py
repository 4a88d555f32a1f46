"""Requests generated from the contract, valid and invalid: no server error, and only documented answers."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY
from tests.security.rules import ANYONE, OWNER, SIGNED, VIEWER
from tests.support.cases import extended
from tests.support.viewers import make_viewer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.support.product import Product

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
ENDS_THE_CALLER = ("log_out", "delete_account")
"""Left out, because every later call of the same caller would be refused."""

SEED = 20261127


def fuzz(
    tools: Path,
    product: Product,
    operations: Sequence[str],
    headers: Mapping[str, str],
    folder: Path,
    *,
    examples: int,
) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis over some operations as one caller; its exit code is 0 if no check has failed."""
    command = [
        str(tools / "st"), "run", str(REPOSITORY / "docs" / "api" / "openapi.json"),
        "--url", f"{product.endpoints['api']}/api",
        "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(examples), "--seed", str(SEED), "--generation-database", "none",
        "--request-timeout", "60", "--continue-on-failure", "--warnings", "off", "--no-color",
        *(flag for name in operations for flag in ("--include-operation-id", name)),
        *(flag for name, value in headers.items() for flag in ("--header", f"{name}: {value}")),
    ]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3600, check=False)


@pytest.mark.parametrize("caller", ["anybody", "a viewer", extended("the owner")])
def test_no_generated_request_causes_a_server_error_or_an_undocumented_answer(
    caller: str, tools: Path, product: Product, tmp_path: Path, in_full: bool
) -> None:
    headers: dict[str, str] = {}
    operations = [*ANYONE, *SIGNED]
    if caller == "a viewer":
        headers = {"Authorization": f"Bearer {make_viewer(product.endpoints).token}"}
        operations = [name for name in VIEWER if name not in ENDS_THE_CALLER]
    if caller == "the owner":
        headers = {"x-operator-key": product.endpoints["api_key"]}
        operations = OWNER
    done = fuzz(tools, product, operations, headers, tmp_path, examples=200 if in_full else 2)
    assert done.returncode == 0, done.stdout + done.stderr
    tested = re.search(r"(\d+) generated", done.stdout)
    assert tested is not None, done.stdout
    assert int(tested[1]) > 10 * len(operations), done.stdout
