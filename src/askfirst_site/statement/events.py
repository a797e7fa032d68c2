"""What happened on the way: news, and the first answer of each who is asked. Marks for the chart of growth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db.models.functions import TruncDate
from django.utils.text import Truncator

from askfirst_site.statement.models import Addressee, Answer, Statement, Update

__all__ = ["Event", "events_of"]

EVENTS_MAX = 6
"""More would crowd the chart."""
TITLE_MAX = 60


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a day, in few words."""

    day: date
    title: str


def events_of(statement: Statement, language: str, now: datetime) -> list[Event]:
    """Return the newest events up to today, the oldest first; news in a language, answers in the one in use."""
    news = Update.objects.filter(statement=statement.pk, language=language, published__lte=now)
    days = news.order_by("-published", "-id").annotate(day=TruncDate("published", tzinfo=UTC))
    found = [Event(day, _short(title)) for day, title in days.values_list("day", "title")[:EVENTS_MAX]]
    answers = Answer.objects.filter(addressee__statement=statement.pk).exclude(status=Addressee.Status.NONE)
    first: dict[int, Answer] = {}
    for answer in answers.select_related("addressee").order_by("on", "id"):
        first.setdefault(answer.addressee_id, answer)
    today = now.astimezone(UTC).date()
    found += [
        Event(answer.on, _short(f"{answer.addressee.name}: {answer.get_status_display()}"))
        for answer in first.values()
        if answer.on <= today
    ]
    return sorted(found, key=lambda event: event.day)[-EVENTS_MAX:]


def _short(title: str) -> str:
    return Truncator(title).chars(TITLE_MAX)
