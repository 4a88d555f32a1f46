"""`./notflix azure …`: the steps that azd's hooks run; each can also be run manually."""

from typing import Annotated

import typer

azure = typer.Typer(name="azure", help="Steps of a deployment, run by azd.", no_args_is_help=True, hidden=True)


@azure.command()
def prepare() -> None:
    """Choose the secrets that nobody has set, before any resource is created."""
    from infra.azure.steps import prepare

    prepare()


@azure.command()
def migrate() -> None:
    """Apply the SQL migrations, with the image of this deployment."""
    from infra.azure.steps import migrate

    migrate()


@azure.command()
def deployed() -> None:
    """Connect uploads to the app, publish the site, register the webhook at PayPal, and print the address."""
    from infra.azure.steps import deployed, not_set_up
    from infra.azure.tools import Environment

    address = deployed()
    for line in not_set_up(Environment()):
        typer.echo(f"Not set up: {line}")
    typer.echo(f"Notflix is at {address}")


@azure.command()
def smoke() -> None:
    """Fail unless the deployed site and API answer."""
    from infra.azure.smoke import smoke

    smoke()


@azure.command()
def rollback(tag: Annotated[str, typer.Argument(help="The version to go back to, such as v1.4.0.")]) -> None:
    """Deploy the code of an earlier version again."""
    from infra.azure.deploy import roll_back

    roll_back(tag)
