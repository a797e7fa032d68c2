"""The forms of the public pages: what is asked. What may stand in them is decided by the statement's actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from askfirst_site.public.pages import Page
from askfirst_site.statement import actions
from askfirst_site.statement.countries import choices as countries
from askfirst_site.statement.errors import FormError
from askfirst_site.statement.models import Discipline, Display, Kind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

__all__ = ["AskForm", "CodeForm", "DomainForm", "LineForm", "SignatureForm", "VouchForm"]


class PlainForm(forms.Form):
    """A form whose fields are called by their plain names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"auto_id": "%s", "label_suffix": ""})

    def offer(self, name: str, choices: list[tuple[str, StrOrPromise]]) -> None:
        """Set what a field lets people choose from."""
        cast("forms.ChoiceField", self.fields[name]).choices = choices

    def refuse(self, error: FormError) -> None:
        """Show what an action refused, beside the field it is about."""
        for name, text in error.fields.items():
            self.add_error(name if name in self.fields else None, str(text))


def _text(label: StrOrPromise, longest: int = 200, /, *, required: bool = False, **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=longest,
        widget=forms.TextInput(attrs=attrs),
        error_messages={"required": _("Please fill this in."), "max_length": _("This is too long. Please shorten it.")},
    )


def _email(label: StrOrPromise) -> forms.EmailField:
    return forms.EmailField(
        label=label,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "off"}),
        error_messages={
            "required": _("Please give your e-mail address: the code goes there."),
            "invalid": _(
                "This does not look like an e-mail address. It needs an @ and a domain, such as you@example.org."
            ),
        },
    )


def _code() -> forms.CharField:
    attrs = {
        "class": "code",
        "autocomplete": "one-time-code",
        "autocapitalize": "characters",
        "spellcheck": "false",
        "maxlength": "20",
    }
    return forms.CharField(
        label=_("The six characters from the mail"),
        max_length=20,
        widget=forms.TextInput(attrs=attrs),
        error_messages={"required": _("Please type the six characters.")},
    )


class SignatureForm(PlainForm):
    """The form that stands beside the sentence."""

    kind = forms.ChoiceField(choices=Kind.choices, initial=Kind.PERSON, widget=forms.RadioSelect)
    name = _text(_("Your name"), required=True, autocomplete="name", **{"class": "name"})
    affiliation = _text(_("Who signs for it"), autocomplete="name")
    role = _text(_("What you do"), autocomplete="organization-title")
    website = _text(
        _("Its web domain"), autocomplete="url", inputmode="url", placeholder="example.org", spellcheck="false"
    )
    discipline = forms.ChoiceField(
        label=_("Discipline"),
        choices=[("", ""), *Discipline.choices],
        error_messages={"required": _("Please choose one.")},
    )
    # The template draws the countries and the action knows them: 250 are not copied for each form.
    country = forms.CharField(label=_("Country"), required=False)
    email = _email(_("E-mail"))
    display = forms.ChoiceField(choices=Display.choices, initial=Display.FULL, required=False, widget=forms.RadioSelect)
    consent = forms.BooleanField(
        error_messages={"required": _("Please tick that you agree: without it we may not print it.")}
    )
    updates = forms.BooleanField(required=False)
    fax = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"})
    )
    challenge = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    solution = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.page = page

    def clean(self) -> dict[str, Any]:
        """Ask the action whether it could take this."""
        values = super().clean() or {}
        if not self.errors:
            try:
                actions.check_form(self.signature())
            except FormError as error:
                self.refuse(error)
        return values

    def signature(self) -> actions.SignForm:
        """Return what was typed, for the action."""
        values = self.cleaned_data
        is_person = values["kind"] == Kind.PERSON
        return actions.SignForm(
            statement=self.page.statement,
            language=self.page.text.language,
            mail_language=self.page.ui,
            kind=values["kind"],
            name=values["name"],
            email=values["email"],
            role=values["role"],
            affiliation="" if is_person else values["affiliation"],
            website="" if is_person else values["website"],
            discipline=values["discipline"],
            country=values["country"],
            display=(values["display"] or Display.FULL) if is_person else Display.FULL,
            updates=values["updates"],
        )


class CodeForm(PlainForm):
    """The code from a mail; with the address where the browser is not the one that signed."""

    code = _code()
    email = _email(_("Your e-mail address"))

    def __init__(self, *args: Any, known: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known:
            self.fields["email"].required = False
        self.known = known


ACTIONS: list[tuple[str, StrOrPromise]] = [
    ("show", _("change how I am shown, or correct a mistake")),
    ("withdraw", _("withdraw my signature")),
    ("export", _("get everything you hold about me, with my receipt")),
    ("erase", _("delete everything about me")),
    ("prove", _("prove my domain")),
    ("vouch", _("vouch for somebody, as a verified organisation")),
]


class AskForm(PlainForm):
    """Whose signature, and what they want to do with it."""

    action = forms.ChoiceField(
        label=_("I want to"),
        choices=ACTIONS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose one.")},
    )
    email = _email(_("The address you signed with"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.ASKFIRST.orcid is not None:
            words = dict(ACTIONS) | {"prove": _("prove my domain or my ORCID iD")}
            self.offer("action", list(words.items()))


class LineForm(PlainForm):
    """How a signer is shown."""

    name = _text(_("Your name"), required=True, autocomplete="name", **{"class": "name"})
    role = _text(_("What you do"), autocomplete="organization-title")
    affiliation = _text(_("Who signs for it"))
    discipline = forms.ChoiceField(label=_("Discipline"), choices=Discipline.choices)
    country = forms.ChoiceField(label=_("Country"), required=False)
    display = forms.ChoiceField(choices=Display.choices, widget=forms.RadioSelect)

    def __init__(self, page: Page, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("country", [("", ""), *countries(page.ui)])
        if kind == Kind.PERSON:
            del self.fields["affiliation"]
        else:
            del self.fields["display"]


class DomainForm(PlainForm):
    """The domain that somebody wants to prove."""

    domain = _text(
        _("Your web domain"), 253, required=True, inputmode="url", placeholder="example.org", spellcheck="false"
    )


class VouchForm(PlainForm):
    """Whose signature an organisation vouches for."""

    number = forms.IntegerField(
        label=_("Number of their entry, from their receipt"),
        min_value=0,
        max_value=10**12,
        error_messages={"required": _("Please fill this in."), "invalid": _("Please give a whole number.")},
    )
