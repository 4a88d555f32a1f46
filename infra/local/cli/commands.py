"""The commands. The modules that do the work are imported when a command runs, so help and status are fast."""

from pathlib import Path
from typing import Annotated

import typer

from infra.local.cli.admin_commands import admin
from infra.local.cli.azure_commands import azure, deploy

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
app.command()(deploy)
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
    lease: Annotated[
        int,
        typer.Option(
            min=1,
            max=604_800,
            help="Seconds for which the message of a killed functions host stays hidden; 600 on Azure.",
        ),
    ] = 30,
) -> None:
    """Start everything in the foreground and print the address; Ctrl-C stops it."""
    from infra.local.cli.product import Options
    from infra.local.cli.start import start

    if host not in ("notflix", "func"):
        raise typer.BadParameter("--host must be notflix or func.")
    start(Options(empty=empty, encoders=encoders, host=host, lease_s=lease), detach=detach)


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
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a film with this name that has another extension.")
    ] = False,
    for_title: Annotated[
        str, typer.Option("--for", metavar="TITLE", help="The id of the announced title whose film it is.")
    ] = "",
    new_title: Annotated[
        bool, typer.Option("--new-title", help="Create a new title even if one with this name is announced.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Upload a film, follow its encode, and print the address of its watch page."""
    from infra.local.cli.ingest import Described, Placed, ingest_film

    placed = Placed(replace, "" if new_title else for_title or None)
    ingest_film(file, Described(title, year, imdb), placed, as_json=as_json)


@app.command()
def publish(title: Annotated[str, typer.Argument(help="The id of a title, as shown by `titles`.")]) -> None:
    """Publish a draft. New titles are drafts if PUBLISH_TITLES is `reviewed`."""
    from infra.local.cli.titles import publish_title

    publish_title(title)


@app.command()
def titles(
    drafts: Annotated[bool, typer.Option("--drafts", help="Only titles that are not published yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the titles, newest first."""
    from infra.local.cli.titles import show_titles

    show_titles(drafts=drafts, as_json=as_json)


@app.command()
def jobs(as_json: AsJson = False) -> None:
    """List the encode jobs, newest first."""
    from infra.local.cli.jobs import show_jobs

    show_jobs(as_json=as_json)


@app.command()
def retry(job: Annotated[str, typer.Argument(help="The id of a job, as shown by `jobs`.")]) -> None:
    """Continue a failed or stuck job, or repair a damaged film; only missing parts are encoded."""
    from infra.local.cli.jobs import retry_job

    retry_job(job)


@app.command()
def verify(
    title: Annotated[str, typer.Argument(help="The id of a title, at the end of the address of its page.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Verify all published titles, one after another.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Encode damaged parts again, and wait until that is done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prove that published titles can be played: all files are stored and match their manifests, and samples decode.

    The exit code is 1 if a title is damaged and was not repaired.
    """
    from infra.local.cli.verify import verify_titles

    verify_titles(title, every=every, repair=repair, as_json=as_json)


@app.command()
def backup(
    place: Annotated[str, typer.Argument(help="A new folder, or the https:// address of an empty blob container.")],
) -> None:
    """Write a backup of everything to a folder or another storage account; the product may run meanwhile."""
    from infra.local.cli.backup import make_backup

    make_backup(place)


@app.command()
def restore(
    place: Annotated[str, typer.Argument(help="The folder of a backup, or the https:// address of its container.")],
) -> None:
    """Restore a backup into an empty NOTFLIX_HOME; `up` then starts the product."""
    from infra.local.cli.backup import restore_backup

    restore_backup(place)


@app.command()
def mail(as_json: AsJson = False) -> None:
    """Show the emails that the local mail server received, newest first."""
    from infra.local.cli.mail import show_mail

    show_mail(as_json=as_json)


@app.command()
def traces(
    subject: Annotated[
        str, typer.Argument(help="The id of a job or a playback; if omitted, the newest are listed.")
    ] = "",
) -> None:
    """Show how long encodes and starts of playback took, or each step of one of them."""
    from infra.local.cli.traces import show_traces

    show_traces(subject)


@app.command(context_settings=_PASSED_ON)
def test(context: typer.Context) -> None:
    """Run the tests; further arguments are passed to pytest.

    With --all, also run the extended tests, which take hours. With --coverage, report which lines the tests ran.
    """
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
