"""Words that scripts write: the pages hand them over, in the reader's language."""

from __future__ import annotations

import json

from django.utils.translation import gettext as _

__all__ = ["verify_words"]


def verify_words() -> str:
    """Return what the page that checks receipts says, as JSON."""
    return json.dumps(
        {
            "good": _("This receipt is good."),
            "bad": _("This receipt is not good."),
            "why": _("Why"),
            "none": _("This is no receipt, or it is damaged."),
            "key": _("This is no key of a log."),
            "signed": _("The log with this key did not sign it."),
            "entry": _("What the receipt says does not stand in the log: something in it was changed."),
            "other": _("Other words were signed than those that stand here."),
            "old": _("This browser cannot check signatures. Please use a newer one, or the command below."),
            "log": _("The log, and its size"),
            "position": _("Entry"),
            "hour": _("Signed in the hour"),
            "statement": _("Statement, version, language"),
            "sentence": _("The sentence"),
            "corrected": _("Corrects the entry, in the hour"),
            "closed": _("Not shown in this receipt"),
            "f_affiliation": _("Who signs for it"),
            "f_country": _("Country"),
            "f_discipline": _("Discipline"),
            "f_email": _("E-mail"),
            "f_name": _("Name"),
            "f_role": _("What they do"),
        },
        ensure_ascii=False,
    )
