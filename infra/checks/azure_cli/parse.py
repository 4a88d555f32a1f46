"""Check command lines with the parser of the Azure CLI, without running them.

    echo '[["group", "exists", "--name", "x"]]' | ENVIRONMENT/bin/python infra/checks/azure_cli/parse.py

Runs in the environment of the CLI, so it imports nothing of the project. Reads a JSON list of command lines, each
without `az`. Writes a JSON list with one entry per command line: null if the parser accepts it, otherwise the error.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
import tempfile

os.environ["AZURE_CONFIG_DIR"] = tempfile.mkdtemp()
os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "false"
os.environ["AZURE_EXTENSION_USE_DYNAMIC_INSTALL"] = "no"


def error_of(arguments: list[str]) -> str | None:
    """Return the parser's error for a command line; None if it accepts the command line."""
    cli = importlib.import_module("azure.cli.core").get_default_cli()
    invoker = cli.invocation_cls(
        cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls
    )
    cli.invocation = invoker
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
            invoker.commands_loader.load_command_table(arguments)
            command = invoker._rudimentary_get_command(arguments)
            invoker.data["command_string"] = command
            invoker.commands_loader.command_name = command
            invoker.commands_loader.load_arguments(command)
            invoker.parser.cli_ctx = cli
            invoker.parser.load_command_table(invoker.commands_loader)
            invoker.parser.parse_args(arguments)
    except SystemExit as end:
        return told.getvalue().strip() or f"exit code {end.code}"
    except Exception as error:  # noqa: BLE001 - any exception means that the CLI rejects the command
        return f"{type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    json.dump([error_of(arguments) for arguments in json.load(sys.stdin)], sys.stdout)
