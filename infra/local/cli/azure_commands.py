"""`./notflix azure …`: the steps that azd's hooks take; each may be run again by hand."""

import typer

azure = typer.Typer(name="azure", help="Steps of a deployment, run by azd.", no_args_is_help=True, hidden=True)


@azure.command()
def prepare() -> None:
    """Choose what a person has not, before anything is made."""
    from infra.azure.steps import prepare

    prepare()


@azure.command()
def migrate() -> None:
    """Apply the SQL migrations, by the image of this deployment."""
    from infra.azure.steps import migrate

    migrate()


@azure.command()
def deployed() -> None:
    """Lead blob events to the app, publish the site, tell PayPal, and print the address."""
    from infra.azure.steps import deployed

    typer.echo(f"Notflix is at {deployed()}")
