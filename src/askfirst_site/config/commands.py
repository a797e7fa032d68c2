"""`askfirst site ...`: start the site, look what is missing, back it up. Found by the command line as an entry point.

Nothing of Django is imported before a command runs: the command line stays quick, and says one clear line where the
extra is missing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from askfirst.errors import ConfigError

__all__ = ["site"]

DONE, MISSING = 0, 1


@click.group("site")
def site() -> None:
    """Run the campaign site."""
    try:
        import allauth  # noqa: F401  # only whether they are there
        import django  # noqa: F401
        import granian  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"the site needs packages that are not installed ({error.name})",
            key="site",
            advice='install them with: pip install "askfirst[site]"',
        ) from error
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "askfirst_site.config.settings")


@site.command("up")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Where it listens.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Which of the machine's addresses it listens on.")
@click.option("--example", is_flag=True, help="Load the example campaign, if there is no statement yet.")
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@click.option("--admin", "admin_email", help="E-mail of the first account, made when there is none.")
@click.option("--workers", type=click.IntRange(1, 64), help="Web server processes; by default as many as cores.")
def up(port: int, host: str, admin_email: str | None, workers: int | None, *, example: bool, no_input: bool) -> int:
    """Start the site: web server, sequencer and mailer. Ctrl-C ends them."""
    os.environ.setdefault("ASKFIRST_URL", f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}")  # noqa: S104  # only compared
    _prepare()
    from askfirst_site.config import starting, supervisor

    with supervisor.one_at_a_time():
        starting.migrate()
        if not starting.has_admin():
            if not no_input and not admin_email and sys.stdin.isatty():
                admin_email = click.prompt("E-mail of the first account", default=starting.default_admin())
            email, password = starting.make_first_admin(admin_email or starting.default_admin())
            click.echo(f"Account of the organiser: {email}\nIts password, shown this once: {password}")
        if example and starting.load_example():
            click.echo("The example campaign is loaded.")
        return supervisor.run(host, port, workers or len(os.sched_getaffinity(0)), click.echo)


@site.command("check")
def check_command() -> int:
    """Say in plain words what is missing before strangers may come."""
    _set_up()
    from askfirst_site.config.checks import findings

    missing = 0
    for is_good, text in findings():
        missing += not is_good
        click.echo(f"{'ok       ' if is_good else 'missing  '}{text}")
    click.echo("The site is ready." if not missing else f"{missing} to do before going live.")
    return MISSING if missing else DONE


@site.command("backup")
@click.argument("out", type=click.Path(path_type=Path))
def backup_command(out: Path) -> int:
    """Write database, log and keys into one file. Keep it secret: with its keys every address in it can be read."""
    _set_up()
    from askfirst_site.config.backup import backup

    size_bytes = backup(out)
    click.echo(f"{out}: {size_bytes:,} bytes")
    return DONE


@site.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
def restore_command(file: Path) -> int:
    """Restore a back-up into an empty data folder and an empty database."""
    _set_up()
    from askfirst_site.config.backup import restore

    for line in restore(file):
        click.echo(line)
    return DONE


@site.command("recount")
@click.option("--repair", is_flag=True, help="Write the tallies anew from the signatures. Stop the site before.")
def recount_command(*, repair: bool) -> int:
    """Count everything again: tallies, signatures, the log. Ends with 1 where they differ."""
    _set_up()
    from askfirst_site.config.recounting import recount

    is_equal, lines = recount(repair=repair)
    for line in lines:
        click.echo(line)
    return DONE if is_equal else MISSING


@site.command("sequencer")
def sequencer_command() -> int:
    """Run the sequencer alone: one for each site."""
    _prepare()
    from askfirst_site.config.processes import run_sequencer

    run_sequencer()
    return DONE


@site.command("mailer")
def mailer_command() -> int:
    """Run a mailer alone."""
    _prepare()
    from askfirst_site.config.processes import run_mailer

    run_mailer()
    return DONE


@site.command("manage", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage_command(arguments: tuple[str, ...]) -> int:
    """Pass a command on to Django, such as `createsuperuser` or `shell`."""
    _prepare()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["askfirst site manage", *arguments])
    return DONE


def _prepare() -> None:
    """Make folders and keys that are missing, then start Django."""
    from askfirst_site.config.environment import prepare, read_site

    prepare(read_site())
    _set_up()


def _set_up() -> None:
    import django

    django.setup()
