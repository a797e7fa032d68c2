"""`askfirst site recount`: whether tallies, signatures and log say the same, and what to do where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.conf import settings

from askfirst.errors import AskFirstError, ConfigError, FormatError
from askfirst_site.statement import tallies, tally_repair
from askfirst_site.transparency.sequencer import Sequencer

__all__ = ["recount"]

_AGREE = "Tallies, signatures and log agree."
_DIFFER = "They do not agree. Stop the site, run `askfirst site recount --repair`, and start it again."
_BEYOND = "This cannot be repaired from the signatures: restore the newest back-up (`askfirst site restore FILE`)."


def recount(*, repair: bool) -> tuple[bool, list[str]]:
    """Count again, and repair if asked to.

    Returns:
        Whether everything agrees now, and what to tell whoever asked, in lines.

    Raises:
        ConfigError: The site was never started; or it runs, and shall be repaired.
    """
    site = settings.ASKFIRST
    if not site.log_key_file.is_file():
        raise ConfigError(
            f"in {site.data} the site was never started",
            key="ASKFIRST_DATA",
            value=str(site.data),
            advice="name the folder of the site in ASKFIRST_DATA",
        )
    differences = tallies.compare()
    lines = list(differences)
    if differences and repair:
        with _only_one() as sequencer:
            differences = tally_repair.repair(sequencer, datetime.now(UTC))
        lines += ["The tallies were written anew.", *differences]
    if not differences:
        return True, [*lines, *tally_repair.numbers(), _AGREE]
    return False, [*lines, _BEYOND if repair else _DIFFER]


@contextmanager
def _only_one() -> Iterator[Sequencer]:
    site = settings.ASKFIRST
    sequencer = Sequencer.of(site.log_folder, site.signer_state_file, site.log_key_file)
    try:
        sequencer.__enter__()
    except FormatError:
        raise
    except AskFirstError as error:
        raise ConfigError(
            f"a sequencer runs in {site.data}: tallies are repaired only while nothing counts",
            key="ASKFIRST_DATA",
            value=str(site.data),
            advice="stop the site, repair, and start it again",
        ) from error
    try:
        yield sequencer
    finally:
        sequencer.__exit__(None, None, None)
