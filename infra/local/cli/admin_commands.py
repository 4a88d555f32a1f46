"""`./notflix admin …`: what only the owner may do. Each command only reads its arguments and hands over."""

from typing import Annotated

import typer

admin = typer.Typer(name="admin", help="What only the owner may do.", no_args_is_help=True)


@admin.command()
def create(
    email: Annotated[str, typer.Argument(help="The address of the administrator to be.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")] = False,
) -> None:
    """Make an administrator, and print the link to choose a password with."""
    from infra.local.cli.admin import create_administrator

    create_administrator(email, as_json=as_json)
