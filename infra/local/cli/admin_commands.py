"""`./notflix admin …`: what only the owner may do. Each command only reads its arguments and hands over."""

from typing import Annotated

import typer

admin = typer.Typer(name="admin", help="What only the owner may do.", no_args_is_help=True)
plan = typer.Typer(name="plan", help="Make and retire plans, at PayPal too.", no_args_is_help=True)
admin.add_typer(plan)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@admin.command()
def create(
    email: Annotated[str, typer.Argument(help="The address of the administrator to be.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")] = False,
) -> None:
    """Make an administrator, and print the link to choose a password with."""
    from infra.local.cli.admin import create_administrator

    create_administrator(email, as_json=as_json)


@admin.command()
def grant(
    email: Annotated[str, typer.Argument(help="The address of the account.")],
    days: Annotated[int, typer.Option(min=1, help="For how many days from now.")],
    as_json: AsJson = False,
) -> None:
    """Let an account watch for free."""
    from infra.local.cli.billing import grant_access

    grant_access(email, days, as_json=as_json)


@plan.command("create")
def create_plan(
    name: Annotated[str, typer.Argument(help="Its name, as the plans page shows it.")],
    price: Annotated[str, typer.Option(help="Such as 7.99.")],
    currency: Annotated[str, typer.Option(help="Such as EUR.")] = "EUR",
    every: Annotated[str, typer.Option(help="day, week, month or year.")] = "month",
    count: Annotated[int, typer.Option(help="Charged every so many of them.")] = 1,
    description: Annotated[str, typer.Option(help="One sentence about it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a plan that can be subscribed to."""
    from infra.local.cli.billing import create_plan

    offer = {"name": name, "description": description, "price": price, "currency": currency, "interval": every}
    create_plan({**offer, "interval_count": count}, as_json=as_json)


@plan.command("retire")
def retire_plan(plan_id: Annotated[str, typer.Argument(metavar="ID", help="As `admin plans` shows it.")]) -> None:
    """Let nobody subscribe to a plan any more; those who have go on."""
    from infra.local.cli.billing import retire_plan

    retire_plan(plan_id)


@plan.command("list")
@admin.command()
def plans(as_json: AsJson = False) -> None:
    """List all plans, the retired too."""
    from infra.local.cli.billing import show_plans

    show_plans(as_json=as_json)


@admin.command()
def subscriptions(as_json: AsJson = False) -> None:
    """List the newest subscriptions."""
    from infra.local.cli.billing import show_subscriptions

    show_subscriptions(as_json=as_json)


@admin.command()
def events(as_json: AsJson = False) -> None:
    """List the newest webhooks of PayPal, and whether what they hint at has been settled."""
    from infra.local.cli.billing import show_events

    show_events(as_json=as_json)


@admin.command()
def republish(as_json: AsJson = False) -> None:
    """Write every file of the static catalogue again, and wait until it is done."""
    from infra.local.cli.republish import republish_catalogue

    republish_catalogue(as_json=as_json)


@admin.command("rebuild-graph")
def rebuild_graph(as_json: AsJson = False) -> None:
    """Make the graph of recommendations anew from the catalogue and from what was watched, and watch it."""
    from infra.local.cli.graph import rebuild_graph

    rebuild_graph(as_json=as_json)
