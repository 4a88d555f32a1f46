"""`./notflix admin …`: commands of the owner. The modules that do the work are imported when a command runs."""

from typing import Annotated

import typer

admin = typer.Typer(name="admin", help="Commands for the owner.", no_args_is_help=True)
plan = typer.Typer(name="plan", help="Create and retire plans, also on PayPal.", no_args_is_help=True)
admin.add_typer(plan)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@admin.command()
def create(
    email: Annotated[str, typer.Argument(help="The email address of the administrator.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")] = False,
) -> None:
    """Create an administrator and print the link to set a password."""
    from infra.local.cli.admin import create_administrator

    create_administrator(email, as_json=as_json)


@admin.command("reset-second-factor")
def reset_second_factor(
    email: Annotated[str, typer.Argument(help="The email address of the account.")],
    as_json: AsJson = False,
) -> None:
    """Remove the passkeys and authenticator apps of an account whose owner has lost them."""
    from infra.local.cli.admin import reset_second_factor

    reset_second_factor(email, as_json=as_json)


@admin.command("list")
def list_administrators(as_json: AsJson = False) -> None:
    """List the administrators."""
    from infra.local.cli.admin import show_administrators

    show_administrators(as_json=as_json)


@admin.command()
def revoke(email: Annotated[str, typer.Argument(help="The email address of the administrator.")]) -> None:
    """Revoke the rights of an administrator and log them out everywhere."""
    from infra.local.cli.admin import revoke_administrator

    revoke_administrator(email)


@admin.command()
def grant(
    email: Annotated[str, typer.Argument(help="The email address of the account.")],
    days: Annotated[int | None, typer.Option(min=1, help="The number of days from now.")] = None,
    until: Annotated[str, typer.Option(help="The end instead of a number of days, such as 2027-01-31.")] = "",
    as_json: AsJson = False,
) -> None:
    """Give an account free access."""
    from infra.local.cli.billing import grant_access

    grant_access(email, days, until, as_json=as_json)


@admin.command()
def grants(as_json: AsJson = False) -> None:
    """List the newest grants of free access."""
    from infra.local.cli.billing import show_grants

    show_grants(as_json=as_json)


@admin.command("revoke-grant")
def revoke_grant(
    grant_id: Annotated[str, typer.Argument(metavar="ID", help="The id, as shown by `admin grants`.")],
    at: Annotated[str, typer.Option(help="When the access ends, such as 2027-01-31; now if omitted.")] = "",
    as_json: AsJson = False,
) -> None:
    """End free access."""
    from infra.local.cli.billing import revoke_grant

    revoke_grant(grant_id, at, as_json=as_json)


@plan.command("create")
def create_plan(
    name: Annotated[str, typer.Argument(help="The name on the plans page.")],
    price: Annotated[str, typer.Option(help="Such as 7.99.")],
    currency: Annotated[str, typer.Option(help="Such as EUR.")] = "EUR",
    every: Annotated[str, typer.Option(help="day, week, month or year.")] = "month",
    count: Annotated[int, typer.Option(help="The number of intervals between charges.")] = 1,
    description: Annotated[str, typer.Option(help="The description on the plans page.")] = "",
    as_json: AsJson = False,
) -> None:
    """Create a plan."""
    from infra.local.cli.billing import create_plan

    offer = {"name": name, "description": description, "price": price, "currency": currency, "interval": every}
    create_plan({**offer, "interval_count": count}, as_json=as_json)


@plan.command("retire")
def retire_plan(
    plan_id: Annotated[str, typer.Argument(metavar="ID", help="The id, as shown by `admin plans`.")],
) -> None:
    """Close a plan to new subscribers; existing ones keep it."""
    from infra.local.cli.billing import retire_plan

    retire_plan(plan_id)


@plan.command("list")
@admin.command()
def plans(as_json: AsJson = False) -> None:
    """List all plans, including retired ones."""
    from infra.local.cli.billing import show_plans

    show_plans(as_json=as_json)


@admin.command()
def subscriptions(as_json: AsJson = False) -> None:
    """List the newest subscriptions."""
    from infra.local.cli.billing import show_subscriptions

    show_subscriptions(as_json=as_json)


@admin.command()
def events(as_json: AsJson = False) -> None:
    """List the newest PayPal webhooks and whether they have been processed."""
    from infra.local.cli.billing import show_events

    show_events(as_json=as_json)


@admin.command("encode-limit")
def encode_limit(
    usd: Annotated[
        int | None, typer.Argument(min=0, max=1_000_000, help="US dollars a month; 0 for no limit; omit to show it.")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Return to the limit in the settings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show or change the most that encoding may cost in a calendar month."""
    from infra.local.cli.jobs import change_limit, show_limit

    if usd is not None and default:
        raise typer.BadParameter("give an amount or --default, not both")
    if usd is None and not default:
        show_limit(as_json=as_json)
    else:
        change_limit(usd, as_json=as_json)


@admin.command()
def republish(as_json: AsJson = False) -> None:
    """Write every file of the static catalogue again, and wait until it is done."""
    from infra.local.cli.republish import republish_catalogue

    republish_catalogue(as_json=as_json)


@admin.command("rebuild-graph")
def rebuild_graph(as_json: AsJson = False) -> None:
    """Rebuild the recommendation graph from the catalogue and the watch history, and show the progress."""
    from infra.local.cli.graph import rebuild_graph

    rebuild_graph(as_json=as_json)
