"""`./notflix admin …`: what only the owner may do. Each command only reads its arguments and hands over."""

import typer

admin = typer.Typer(name="admin", help="What only the owner may do.", no_args_is_help=True)
