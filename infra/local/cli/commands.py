"""The commands by name. Each only reads its arguments and hands over, so that help and status come at once."""

from pathlib import Path
from typing import Annotated

import typer

from infra.local.cli.admin_commands import admin
from infra.local.cli.azure_commands import azure

app = typer.Typer(
    name="notflix",
    help="A film service that you own: drop a film in, watch it in the browser seconds later.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(admin)
app.add_typer(azure)
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")]


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return once all is ready, and leave it running.")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Bring in no demonstration films.")] = False,
    encoders: Annotated[int, typer.Option(help="How many processes share the encodes.")] = 1,
    host: Annotated[
        str,
        typer.Option(
            help="What runs the functions: notflix (ours), or func (Azure Functions Core Tools; it hears of new blobs "
            "only through Event Grid)."
        ),
    ] = "notflix",
) -> None:
    """Start everything and print where to look; Ctrl-C stops it."""
    from infra.local.cli.product import Options
    from infra.local.cli.start import start

    if host not in ("notflix", "func"):
        raise typer.BadParameter("--host is notflix or func.")
    start(Options(empty=empty, encoders=encoders, host=host), detach=detach)


@app.command()
def down() -> None:
    """Stop everything; nothing is lost."""
    from infra.local.cli.start import stop

    stop()


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show which parts run, where, and what is wrong with those that do not."""
    from infra.local.cli.status import show_status

    show_status(as_json=as_json)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A part, as `status` names it; all of them if left out.")] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as lines are added.")] = False,
) -> None:
    """Show the last lines of the logs."""
    from infra.local.cli.status import show_logs

    show_logs(name, follow=follow)


@app.command()
def ingest(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The film; what lies beside it under its name goes with it.")
    ],
    title: Annotated[str, typer.Option(help="Its name.")] = "",
    year: Annotated[int, typer.Option(help="The year it came out.")] = 0,
    imdb: Annotated[str, typer.Option(help="Its IMDb id, such as tt1254207.")] = "",
    as_json: AsJson = False,
) -> None:
    """Upload a film, follow its encode, and print where it plays."""
    from infra.local.cli.ingest import Described, ingest_film

    ingest_film(file, Described(title, year, imdb), as_json=as_json)


@app.command()
def jobs(as_json: AsJson = False) -> None:
    """List the encode jobs, newest first."""
    from infra.local.cli.jobs import show_jobs

    show_jobs(as_json=as_json)


@app.command()
def retry(job: Annotated[str, typer.Argument(help="The id of a failed job, as `jobs` shows it.")]) -> None:
    """Try a failed job again; only what is missing is encoded."""
    from infra.local.cli.jobs import retry_job

    retry_job(job)


@app.command()
def mail(as_json: AsJson = False) -> None:
    """Show what arrived at the mail server of this machine, newest first."""
    from infra.local.cli.mail import show_mail

    show_mail(as_json=as_json)


@app.command()
def traces(
    thing: Annotated[str, typer.Argument(help="A job's or a playback's id; the newest of all if left out.")] = "",
) -> None:
    """Show what took how long: from upload to ready, from click to picture."""
    from infra.local.cli.traces import show_traces

    show_traces(thing)


@app.command(context_settings=_PASSED_ON)
def test(context: typer.Context) -> None:
    """Run the tests; what follows is handed to pytest."""
    from infra.local.cli.checks import run_tests

    run_tests(context.args)


@app.command()
def check() -> None:
    """Run the linter, the formatter's check and the type checker."""
    from infra.local.cli.checks import run_checks

    run_checks()


@app.command(context_settings=_PASSED_ON)
def bench(context: typer.Context, name: Annotated[str, typer.Argument(help="Which benchmark.")] = "") -> None:
    """Measure on this machine; the last line is one JSON object."""
    from infra.local.cli.checks import run_bench

    run_bench(name, context.args)


@app.command()
def deploy(
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be made, and its price at idle.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only show what would stop a deployment.")] = False,
    image: Annotated[str, typer.Option(help="Use this encoder image, built elsewhere; no registry is made.")] = "",
    profile: Annotated[str, typer.Option(help="With --plan: standard or small.")] = "standard",
) -> None:
    """Put it on Azure: one command to a public address."""
    if plan:
        from infra.azure.plan import show_plan
        from infra.azure.template import Choices

        show_plan(Choices(profile, registry=not image))
    elif check:
        from infra.azure.deploy import check_only

        check_only(image)
    else:
        from infra.azure.deploy import deploy

        deploy(image)
