"""`./notflix deploy`, and `./notflix azure …`: the steps that azd's hooks run; each can also be run manually."""

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
    """Connect uploads to the app, publish the site, register the webhook with PayPal, and print the address."""
    from infra.azure.steps import deployed, not_set_up, tell
    from infra.azure.tools import Environment

    address = deployed()
    for line in not_set_up(Environment()):
        tell(f"Not set up: {line}")
    tell(f"Notflix is at {address}")


@azure.command()
def smoke() -> None:
    """Fail unless the deployed site and API answer."""
    from infra.azure.smoke import smoke

    smoke()


@azure.command()
def verify(
    origin: Annotated[
        str, typer.Argument(help="The address of the site, such as https://films.example.org; by default yours.")
    ] = "",
) -> None:
    """Check headers, TLS, caching, CORS and access to films of a deployed site; fail if something is wrong."""
    from infra.azure.tools import Environment
    from infra.azure.verify import Verdict, verify

    results = verify(origin or Environment()["NOTFLIX_SITE_URL"])
    for result in results:
        typer.echo(f"{result.verdict.value} {result.text}")
    if any(result.verdict is Verdict.BAD for result in results):
        raise typer.Exit(1)


@azure.command()
def rollback(
    tag: Annotated[str, typer.Argument(help="The version to go back to, such as v1.4.0.")],
    image: Annotated[str, typer.Option(help="The encoder image of that version, if images are built elsewhere.")] = "",
) -> None:
    """Deploy the code of an earlier version again."""
    from infra.azure.deploy import roll_back

    roll_back(tag, image)


def deploy(
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be created, and its idle cost.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only show what would stop a deployment.")] = False,
    image: Annotated[str, typer.Option(help="Use this prebuilt encoder image; no registry is created.")] = "",
    profile: Annotated[str, typer.Option(help="With --plan: standard or small.")] = "standard",
) -> None:
    """Deploy to Azure and print the public address."""
    if plan:
        from infra.azure.plan import show_plan
        from infra.azure.template import Choices

        show_plan(Choices(profile, registry=False if image else None))
    elif check:
        from infra.azure.deploy import check_only

        check_only(image)
    else:
        from infra.azure.deploy import deploy

        deploy(image)
