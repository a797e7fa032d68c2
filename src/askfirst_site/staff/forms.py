"""Forms of the staff pages. They read what was typed; the rules are in the actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from askfirst_site.staff import words
from askfirst_site.statement.models import (
    Addressee,
    Answer,
    ImportedCount,
    Kind,
    SignatureState,
    Statement,
    Text,
    Update,
)

__all__ = [
    "AddresseeForm",
    "AnswerForm",
    "ColleagueForm",
    "DatesForm",
    "ImportForm",
    "NotableForm",
    "ReasonForm",
    "RemovalForm",
    "SearchForm",
    "StatementForm",
    "TextForm",
    "UpdateForm",
    "WatchedForm",
]


if TYPE_CHECKING:
    ModelForm = forms.ModelForm
else:

    class ModelForm(forms.ModelForm):
        """Django's, told by `ModelForm[Statement]` what it edits; its own cannot be written so when it runs."""

        def __class_getitem__(cls, _model: type) -> type:
            return cls


class When(forms.DateTimeInput):
    """A day and a time, in UTC."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class Day(forms.DateInput):
    """A day."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class Web(forms.URLField):
    """An address on the web; https where nothing is said."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"assume_scheme": "https"})


def language_choices(*more: str) -> list[tuple[str, str]]:
    """Return the site's languages, and those already used, each named in itself."""
    codes = [code for code, _name in settings.LANGUAGES]
    codes += [code for code in more if code not in codes]
    return [(code, f"{words.language_name(code)} ({code})") for code in codes]


class StatementForm(ModelForm[Statement]):
    """What a statement is called and who runs it."""

    class Meta:
        model = Statement
        fields = ["slug", "organiser_name", "organiser_email", "organiser_url", "canonical_language", "accent"]
        field_classes = {"organiser_url": Web}
        widgets = {"accent": forms.TextInput(attrs={"type": "color"})}
        help_texts = {
            "slug": _(
                "Small letters, digits and hyphens. It stands in addresses and in the log, and cannot be changed later."
            ),
            "organiser_name": _("Stands at the foot of every page and mail: those who sign must know who asks."),
            "organiser_email": _("Stands on the pages; people write to it."),
            "accent": _("For the button. It must be readable on the paper colour."),
        }

    is_primary = forms.BooleanField(label=_("Stands on the front page"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["canonical_language"] = forms.ChoiceField(
            label=_("Language it was written in"), choices=language_choices(self.instance.canonical_language)
        )
        if self.instance.pk:
            del self.fields["slug"]
            self.fields["is_primary"].initial = self.instance.is_primary


class DatesForm(forms.Form):
    """When people can sign."""

    opens = forms.DateTimeField(
        label=_("Opens"), required=False, widget=When(), help_text=_("UTC. Empty: as soon as a version is frozen.")
    )
    closes = forms.DateTimeField(
        label=_("Closes"), required=False, widget=When(), help_text=_("UTC. Empty: it stays open.")
    )


class TextForm(ModelForm[Text]):
    """One language of a version."""

    class Meta:
        model = Text
        fields = ["title", "sentence", "consent", "context", "translator", "reviewer"]
        widgets = {
            "sentence": forms.Textarea(attrs={"rows": 4}),
            "consent": forms.Textarea(attrs={"rows": 5}),
            "context": forms.Textarea(attrs={"rows": 10}),
        }
        help_texts = {
            "title": _("For lists, mails and the browser's tab. Not part of what is signed."),
            "sentence": _("What people sign, word for word. The page's heading."),
            "consent": _(
                "What a signer agrees to: that their signature is stored and counted, who is responsible, and that it "
                "can be withdrawn. Signed together with the sentence."
            ),
            "context": _("A few paragraphs under the sentence. Shown, not signed."),
            "translator": _("A person or an agency; stands in the manifest. Empty for the language it was written in."),
            "reviewer": _("Who read the translation against the original."),
        }

    def __init__(self, *args: Any, language: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from askfirst_site.staff.templatetags.staff import direction  # noqa: PLC0415 - it imports the menu

        for name in ("title", "sentence", "consent", "context"):
            self.fields[name].widget.attrs |= {"lang": language, "dir": direction(language)}


class SearchForm(forms.Form):
    """What to look for among the signatures."""

    name = forms.CharField(label=_("Name, role or organisation"), required=False, max_length=200)
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        help_text=_("Finds the signatures of one mailbox; the address is not shown."),
    )
    state = forms.ChoiceField(
        label=_("Where it stands"),
        required=False,
        choices=[
            ("", _("anywhere")),
            (SignatureState.PENDING, _("waits for its code")),
            (SignatureState.HELD, _("held for proof")),
            (SignatureState.CONFIRMED, _("confirmed")),
            (SignatureState.WITHDRAWN, _("withdrawn")),
            (SignatureState.INVALIDATED, _("taken out")),
        ],
    )
    kind = forms.ChoiceField(label=_("Who"), required=False, choices=[("", _("everybody")), *Kind.choices])


class NotableForm(forms.Form):
    """Why a signature stands in front, and where."""

    rank = forms.IntegerField(
        label=_("Place"), min_value=1, max_value=100_000, initial=1000, help_text=_("The smallest number stands first.")
    )
    provenance = forms.CharField(
        label=_("How do you know it is really them?"),
        max_length=400,
        help_text=_(
            "For example: phoned their agency on 3 May. Never shown to the public; kept for the day somebody asks."
        ),
    )


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(label=_("Why"), max_length=300)


class AddresseeForm(ModelForm[Addressee]):
    """Somebody who is asked for something."""

    class Meta:
        model = Addressee
        fields = ["name", "asked_on", "request", "document_url"]
        field_classes = {"document_url": Web}
        widgets = {"asked_on": Day()}
        help_texts = {"request": _("In one sentence: what should they do?")}


class AnswerForm(ModelForm[Answer]):
    """What they said or did."""

    class Meta:
        model = Answer
        fields = ["on", "status", "summary", "document_url"]
        field_classes = {"document_url": Web}
        widgets = {"on": Day()}


class ImportForm(ModelForm[ImportedCount]):
    """A number that others collected."""

    class Meta:
        model = ImportedCount
        fields = ["source", "n", "as_of", "evidence_url"]
        field_classes = {"evidence_url": Web}
        widgets = {"as_of": Day()}
        help_texts = {"evidence_url": _("Where everybody can see that number.")}


class UpdateForm(ModelForm[Update]):
    """News."""

    class Meta:
        model = Update
        fields = ["language", "title", "body", "mail"]
        widgets = {"body": forms.Textarea(attrs={"rows": 14})}
        help_texts = {
            "body": _("Markdown: an empty line between paragraphs, [words](https://address) for links, * for lists."),
            "mail": _("Only those who ticked the box for news get it, in the language of their page."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(label=_("Language"), choices=language_choices())


class WatchedForm(forms.Form):
    """Names to watch, many at once."""

    names = forms.CharField(
        label=_("Names, one on a line"),
        widget=forms.Textarea(attrs={"rows": 8}),
        max_length=200_000,
        help_text=_(
            "A signature under one of these names waits in the queue until you have proof, "
            "whatever its capitals, accents and order."
        ),
    )
    note = forms.CharField(
        label=_("How to reach them, or why they are watched"),
        max_length=400,
        required=False,
        help_text=_("For all of these names."),
    )


class ColleagueForm(forms.Form):
    """Somebody who gets access."""

    email = forms.EmailField(label=_("E-mail address"), help_text=_("They sign in with it."))
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    role = forms.ChoiceField(
        label=_("May do"),
        choices=[
            ("moderator", _("Moderator: sees the overview and works through the queue")),
            ("organiser", _("Organiser: everything")),
        ],
    )


class RemovalForm(forms.Form):
    """Which signatures to take out. Every line that is filled in must fit."""

    signature_ids = forms.CharField(
        label=_("Signatures by number"), required=False, max_length=5000, help_text=_("Separated by spaces or commas.")
    )
    network_of = forms.IntegerField(
        label=_("Same network and day as signature number"),
        required=False,
        min_value=1,
        help_text=_("Networks are known for seven days, then forgotten."),
    )
    email_domain = forms.CharField(
        label=_("Mail domain"), required=False, max_length=255, help_text=_("Such as example.org")
    )
    created_from = forms.DateTimeField(label=_("Signed from (UTC)"), required=False, widget=When())
    created_to = forms.DateTimeField(label=_("Signed before (UTC)"), required=False, widget=When())
    flag = forms.ChoiceField(label=_("Flag"), required=False)
    name_contains = forms.CharField(label=_("Part of the name"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["flag"]).choices = [("", _("any")), *words.FLAGS.items()]

    def clean_signature_ids(self) -> tuple[int, ...]:
        """Return the numbers."""
        parts = self.cleaned_data["signature_ids"].replace(",", " ").split()
        if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            raise forms.ValidationError(_("Numbers only, separated by spaces or commas."))
        return tuple(dict.fromkeys(int(part) for part in parts))
