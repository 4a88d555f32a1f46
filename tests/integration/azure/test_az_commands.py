"""The Azure CLI accepts every `az` command line that we run, print or document."""

from __future__ import annotations

import pytest

from infra.checks.azure_cli.__main__ import environment, errors_of, main, refused
from infra.checks.azure_cli.lines import all_lines

needs_cli = pytest.mark.skipif(
    not (environment() / "bin" / "python").exists(), reason="the Azure CLI is not installed (./notflix check az)"
)


def test_command_lines_are_found() -> None:
    found = all_lines()
    assert ["group", "exists", "--name", "x"] in found
    assert any(words[:3] == ["provider", "register", "--namespace"] for words in found)
    assert any(words[:4] == ["ad", "app", "federated-credential", "create"] for words in found)
    assert len(found) > 30


def test_without_the_cli_the_check_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTFLIX_PACKAGES", str(tmp_path_factory.mktemp("packages")))
    monkeypatch.setattr("sys.argv", ["azure_cli"])
    assert main() == 0
    assert "--install" in capsys.readouterr().out


@needs_cli
def test_the_cli_accepts_every_command_line() -> None:
    assert refused(all_lines()) == {}


@needs_cli
def test_the_cli_refuses_what_it_does_not_know() -> None:
    wrong = [
        ["group", "exists", "--subject", "x"],
        ["mysql", "flexible-server", "list-sku"],
        ["keyvault", "list", "--nam"],
    ]
    assert all(errors_of(wrong))
