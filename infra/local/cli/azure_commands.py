"""`./notflix azure …`: the steps that azd's hooks run; each can be repeated by hand."""

import typer

azure = typer.Typer(name="azure", help="Steps of a deployment, run by azd.", no_args_is_help=True, hidden=True)


@azure.command()
def prepare() -> None:
    """Choose the settings that are still missing, before anything is created."""
    from infra.azure.steps import prepare

    prepare()


@azure.command()
def migrate() -> None:
    """Apply the SQL migrations, using the image of this deployment."""
    from infra.azure.steps import migrate

    migrate()


@azure.command()
def deployed() -> None:
    """Subscribe the app to blob events, publish the site, register the webhook at PayPal, and print the address."""
    from infra.azure.steps import deployed

    typer.echo(f"Notflix is at {deployed()}")
