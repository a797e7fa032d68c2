r"""What the statement's actions refuse, each with a text for the person in front of the page.

StatementError         .user_text: translated, kind, says what to do
|- FormError           .fields: one text a field
|- WrongCodeError      one text for every reason
|- NotOpenError        not open yet, closed, or without a frozen text
|- NotYetError         the log catches up; try again in some seconds
|- FrozenError         a text that has been signed does not change
\- RefusedError        not in this state, or not for this signer
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from askfirst.errors import AskFirstError

__all__ = [
    "FormError",
    "FrozenError",
    "NotOpenError",
    "NotYetError",
    "RefusedError",
    "StatementError",
    "WrongCodeError",
]


class StatementError(AskFirstError):
    """Something that a person asked for and that is not done; `user_text` is for them.

    Args:
        user_text: What is wrong and what to do, translated or to be translated when it is shown.
    """

    def __init__(self, user_text: object) -> None:
        super().__init__(str(user_text))
        self.user_text = user_text


class FormError(StatementError):
    """Fields that cannot be taken as they are: a text for each."""

    def __init__(self, fields: dict[str, object]) -> None:
        super().__init__(_("Something in the form is missing or cannot be used."))
        self.fields = fields


class WrongCodeError(StatementError):
    """The code opens nothing. Whether it was mistyped, used up or never existed is not said."""

    def __init__(self) -> None:
        super().__init__(_("This code does not match. Check it against the newest mail from us, or ask for a new one."))


class NotOpenError(StatementError):
    """The statement cannot be signed now."""

    def __init__(self) -> None:
        super().__init__(_("This statement cannot be signed at the moment."))


class NotYetError(StatementError):
    """The log has not caught up with what happened last."""

    def __init__(self) -> None:
        super().__init__(_("The log is just taking in the last change. Please try again in a few seconds."))


class FrozenError(StatementError):
    """A text that can be signed does not change any more."""

    def __init__(self) -> None:
        super().__init__(_("This version is frozen: people have signed it, or may. Make a new version instead."))


class RefusedError(StatementError):
    """What was asked for is not possible for this signature, in its state."""
