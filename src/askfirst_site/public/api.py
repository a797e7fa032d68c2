"""The API: what the pages show, and signing, for programs. Same rules, same limits, same answers as the form.

Names come in small pages only, and only those who chose to be shown: whoever wants to count reads the log instead.
"""

# ruff: noqa: ARG001 - ninja hands the request to every operation, under this name

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from django.utils import timezone, translation
from ninja import Field, NinjaAPI, Query, Schema, Status
from ninja.errors import HttpError, ValidationError

from askfirst_site.public.pages import Page, find_page, interface_languages
from askfirst_site.public.shown import shown
from askfirst_site.statement import actions, queries
from askfirst_site.statement.errors import FormError, StatementError
from askfirst_site.statement.models import Discipline, Display, Kind

__all__ = ["api"]

LINES_MAX = 100

api = NinjaAPI(
    title="Ask First: the statement",
    version="1",
    description="Numbers, texts and signatories of a statement, and signing it. All times are UTC.",
    urls_namespace="public:statement-api",
    docs_url=None,
    openapi_url="/openapi.json",
)

Slug = Annotated[str, Query(max_length=60, pattern="^[A-Za-z0-9_-]*$", description="Empty: the one on the front page")]
Lang = Annotated[
    str, Query(max_length=10, pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$", description="Language, such as en")
]


class Problem(Schema):
    """Why something was not done."""

    detail: str | list[dict[str, Any]]


class Fields(Schema):
    """What is wrong with a form, field by field."""

    detail: str
    fields: dict[str, str]


class Words(Schema):
    """A text in one language."""

    text: str
    consent: str
    translator: str
    reviewer: str


class StatementOut(Schema):
    """A statement's texts, as they are signed."""

    statement: str
    version: int
    texts: dict[str, Words]


class Counts(Schema):
    """How many have signed, and the size of the log that shows it."""

    people: int
    organisations: int
    log_size: int
    as_of: str | None


class LineOut(Schema):
    """One line of the wall."""

    entry: int
    name: str
    about: str
    kind: str
    discipline: str
    country: str
    level: int


class Lines(Schema):
    """A page of the wall, newest first; `before` for the next one."""

    lines: list[LineOut]
    before: int | None


class BarOut(Schema):
    """One number of a chart; groups of fewer than five are folded into `others`."""

    key: str
    n: int


class ChartsOut(Schema):
    """The charts."""

    discipline: list[BarOut]
    country: list[BarOut]
    language: list[BarOut]
    level: list[BarOut]


class AnswerOut(Schema):
    """What an addressee said or did."""

    on: date
    status: str
    summary: str
    document_url: str


class AddresseeOut(Schema):
    """Who is asked, since when."""

    name: str
    request: str
    asked_on: date
    status: str
    days_waiting: int | None
    answers: list[AnswerOut]


class UpdateOut(Schema):
    """A piece of news; its text is Markdown."""

    title: str
    language: str
    published: datetime
    body: str


class SignIn(Schema):
    """A signature. `challenge` and `solution` are of `/work.json`: without them limits are tighter."""

    kind: str = Field("person", json_schema_extra={"enum": list(Kind.values)}, max_length=12)
    name: str = Field(max_length=400)
    email: str = Field(max_length=254)
    role: str = Field("", max_length=400)
    affiliation: str = Field("", max_length=400)
    website: str = Field("", max_length=400)
    discipline: str = Field("other", json_schema_extra={"enum": list(Discipline.values)}, max_length=12)
    country: str = Field("", max_length=2)
    display: str = Field("full", json_schema_extra={"enum": list(Display.values)}, max_length=10)
    consent: bool = Field(description="True: the signer has read the statement's consent text and agrees")
    updates: bool = False
    challenge: str = Field("", max_length=64)
    solution: str = Field("", max_length=32)


class Taken(Schema):
    """A form was taken. Whether a mail went out is told to nobody but its mailbox."""

    next: str = "confirm"


class ConfirmIn(Schema):
    """The code from the mail."""

    code: str = Field(max_length=20)
    email: str = Field(max_length=254)


class ConfirmedOut(Schema):
    """A signature that counts, or is held until a person has looked."""

    state: str
    entry: int | None


def _page(lang: str, slug: str) -> Page:
    try:
        return find_page(lang, slug)
    except Http404 as error:
        raise HttpError(404, "There is no such statement in this language.") from error


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> Any:
    return api.create_response(request, {"detail": [_plain(one) for one in error.errors]}, status=422)


def _plain(error: dict[str, Any]) -> dict[str, Any]:
    """Return what is wrong without what was typed: an answer never repeats it."""
    return {"where": [str(part) for part in error.get("loc", ())], "what": str(error.get("msg", ""))}


READ = {404: Problem, 422: Problem}


@api.get("/statement", response={200: StatementOut} | READ, summary="The texts")
def statement(request: HttpRequest, slug: Slug = "", lang: Lang = "en") -> Any:
    """Return the texts of the version that is signed now."""
    page = _page(lang, slug)
    return queries.manifest(page.version)


@api.get("/count", response={200: Counts} | READ, summary="The numbers")
def count(request: HttpRequest, slug: Slug = "", lang: Lang = "en") -> Any:
    """Return how many have signed."""
    return queries.counts(_page(lang, slug).statement)


@api.get("/signatories", response={200: Lines} | READ, summary="Lines of the wall")
def signatories(  # noqa: PLR0913, PLR0917 - parameters of the address
    request: HttpRequest,
    slug: Slug = "",
    lang: Lang = "en",
    discipline: Annotated[str, Query(max_length=12)] = "",
    country: Annotated[str, Query(max_length=2)] = "",
    before: Annotated[int | None, Query(ge=0, le=10**12)] = None,
    limit: Annotated[int, Query(ge=1, le=LINES_MAX)] = 40,
) -> Any:
    """Return lines of those who chose to be shown, newest first."""
    page = _page(lang, slug)
    wall = queries.wall(page.statement, discipline=discipline, country=country, search="", before=before, limit=limit)
    with translation.override(page.ui):
        lines = [
            {
                "entry": line.position,
                "name": line.name,
                "about": shown(line).about,
                "kind": line.kind,
                "discipline": line.discipline,
                "country": line.country,
                "level": line.level,
            }
            for line in wall.lines
        ]
    return {"lines": lines, "before": wall.next}


@api.get("/charts", response={200: ChartsOut} | READ, summary="The charts")
def charts(request: HttpRequest, slug: Slug = "", lang: Lang = "en") -> Any:
    """Return the numbers behind the charts."""
    found = queries.charts(_page(lang, slug).statement)
    return {
        "discipline": found.disciplines,
        "country": found.countries,
        "language": found.languages,
        "level": found.levels,
    }


@api.get("/addressees", response={200: list[AddresseeOut]} | READ, summary="Who is asked, and the answers")
def addressees(request: HttpRequest, slug: Slug = "", lang: Lang = "en") -> Any:
    """Return the ledger, those who have kept us waiting longest first."""
    rows = queries.ledger(_page(lang, slug).statement, timezone.now().date())
    return [
        {
            "name": row.addressee.name,
            "request": row.addressee.request,
            "asked_on": row.addressee.asked_on,
            "status": row.status,
            "days_waiting": row.days_waiting,
            "answers": row.answers,
        }
        for row in rows
    ]


@api.get("/updates", response={200: list[UpdateOut]} | READ, summary="News")
def updates(request: HttpRequest, slug: Slug = "", lang: Lang = "en") -> Any:
    """Return the news in a language, the newest first."""
    page = _page(lang, slug)
    return queries.updates(page.statement, page.ui, 50)


@api.post(
    "/sign", response={202: Taken, 400: Problem, 404: Problem, 409: Problem, 422: Fields | Problem}, summary="Sign"
)
def sign(request: HttpRequest, body: SignIn, slug: Slug = "", lang: Lang = "en") -> Any:
    """Take a signature and mail its code. The answer is the same whoever has signed before."""
    page = _page(lang, slug)
    with translation.override(page.ui):
        if not body.consent:
            return Status(422, {"detail": "", "fields": {"consent": "Without consent nothing is taken."}})
        values = body.dict(exclude={"consent", "challenge", "solution"})
        form = actions.SignForm(
            statement=page.statement,
            language=page.text.language,
            mail_language=page.ui if page.ui in interface_languages() else "en",
            source="api",
            **values,
        )
        visit = actions.Visit(network=getattr(request, "network", ""), challenge=body.challenge, solution=body.solution)
        try:
            actions.sign(form=form, visit=visit, now=timezone.now())
        except FormError as error:
            return Status(422, {"detail": str(error.user_text), "fields": {k: str(v) for k, v in error.fields.items()}})
        except StatementError as error:
            return Status(409, {"detail": str(error.user_text)})
    return Status(202, {"next": "confirm"})


@api.post("/confirm", response={200: ConfirmedOut, 400: Problem, 404: Problem, 422: Problem}, summary="Confirm")
def confirm(request: HttpRequest, body: ConfirmIn, slug: Slug = "", lang: Lang = "en") -> Any:
    """Count a signature whose code was mailed."""
    page = _page(lang, slug)
    with translation.override(page.ui):
        try:
            confirmed = actions.confirm(code=body.code, email=body.email, now=timezone.now())
        except StatementError as error:
            return Status(400, {"detail": str(error.user_text)})
    return Status(200, {"state": confirmed.signature.state, "entry": confirmed.signature.position})
