"""The commands. The modules that do the work are imported when a command runs, so help and status are fast."""

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
    detach: Annotated[
        bool, typer.Option("--detach", help="Run in the background; return when everything is ready.")
    ] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Do not add the demonstration films.")] = False,
    encoders: Annotated[int, typer.Option(help="The number of encoder processes.")] = 1,
    host: Annotated[
        str,
        typer.Option(
            help="The functions host: notflix, or func (Azure Functions Core Tools, which sees new blobs only "
            "through Event Grid)."
        ),
    ] = "notflix",
) -> None:
    """Start everything in the foreground and print the address; Ctrl-C stops it."""
    from infra.local.cli.product import Options
    from infra.local.cli.start import start

    if host not in ("notflix", "func"):
        raise typer.BadParameter("--host must be notflix or func.")
    start(Options(empty=empty, encoders=encoders, host=host), detach=detach)


@app.command()
def down() -> None:
    """Stop everything. No data is lost."""
    from infra.local.cli.start import stop

    stop()


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show which services run, where, and why others do not."""
    from infra.local.cli.status import show_status

    show_status(as_json=as_json)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A service, named as in `status`. Default: all of them.")] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing new lines.")] = False,
) -> None:
    """Show the last lines of the logs."""
    from infra.local.cli.status import show_logs

    show_logs(name, follow=follow)


@app.command()
def ingest(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The film. Posters, subtitles and metadata with the same name are uploaded too."
        ),
    ],
    title: Annotated[str, typer.Option(help="Its name.")] = "",
    year: Annotated[int, typer.Option(help="The release year.")] = 0,
    imdb: Annotated[str, typer.Option(help="The IMDb id, such as tt1254207.")] = "",
    as_json: AsJson = False,
) -> None:
    """Upload a film, follow its encode, and print the address of its watch page."""
    from infra.local.cli.ingest import Described, ingest_film

    ingest_film(file, Described(title, year, imdb), as_json=as_json)


@app.command()
def jobs(as_json: AsJson = False) -> None:
    """List the encode jobs, newest first."""
    from infra.local.cli.jobs import show_jobs

    show_jobs(as_json=as_json)


@app.command()
def retry(job: Annotated[str, typer.Argument(help="The id of a failed job, as shown by `jobs`.")]) -> None:
    """Retry a failed job; only missing parts are encoded."""
    from infra.local.cli.jobs import retry_job

    retry_job(job)


@app.command()
def mail(as_json: AsJson = False) -> None:
    """Show the emails that the local mail server received, newest first."""
    from infra.local.cli.mail import show_mail

    show_mail(as_json=as_json)


@app.command()
def traces(
    subject: Annotated[
        str, typer.Argument(help="The id of a job or a playback. Default: list the newest of all.")
    ] = "",
) -> None:
    """Show how long encodes and playback starts took, or each step of one of them."""
    from infra.local.cli.traces import show_traces

    show_traces(subject)


@app.command(context_settings=_PASSED_ON)
def test(context: typer.Context) -> None:
    """Run the tests; further arguments are passed to pytest. With --coverage, report which lines the tests ran."""
    from infra.local.cli.checks import run_tests

    run_tests(context.args)


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Which checks; all of them if left out.")] = None,
) -> None:
    """Check Python, shell, workflows and documents: linters, formatter, types, spelling, locks."""
    from infra.local.cli.checks import run_checks

    run_checks(names or [])


@app.command()
def docs() -> None:
    """Build the documentation site and print where it is."""
    from infra.local.cli.checks import build_documentation

    build_documentation()


@app.command()
def lock(
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest versions of packages that no source names.")
    ] = False,
) -> None:
    """Write the lock files of the Python requirements from their sources."""
    from infra.checks.locks import compile_locks

    compile_locks(*(["--upgrade"] if upgrade else []))


@app.command(context_settings=_PASSED_ON)
def bench(context: typer.Context, name: Annotated[str, typer.Argument(help="The name of the benchmark.")] = "") -> None:
    """Run a benchmark on this machine; the last line is one JSON object."""
    from infra.local.cli.checks import run_bench

    run_bench(name, context.args)


@app.command()
def deploy(
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be made, and its price at idle.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only show what would stop a deployment.")] = False,
    image: Annotated[str, typer.Option(help="Use this encoder image, built elsewhere; no registry is made.")] = "",
    profile: Annotated[str, typer.Option(help="With --plan: standard or small.")] = "standard",
) -> None:
    """Deploy to Azure and print the public address."""
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
