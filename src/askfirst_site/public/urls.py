"""Addresses of the public pages. Each has one spelling; the pages of a second statement stand under `/s/SLUG/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter

from askfirst_site.public.api import api
from askfirst_site.public.views import machine, mine, pictures, reading, signing

app_name = "public"


class LanguageConverter:
    """A language's code at the start of an address; what else stands there on this site is none."""

    regex = "(?!(?:log|api)(?:/|$))[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}"

    def to_python(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Return it as it is."""
        return value


register_converter(LanguageConverter, "lang")

pages: list[URLPattern | URLResolver] = [
    path("", reading.statement, name="statement"),
    path("sign", signing.sign, name="sign"),
    path("code", signing.code, name="code"),
    path("code/again", signing.resend, name="resend"),
    path("receipt", signing.receipt, name="receipt"),
    path("receipt.tlog-proof", signing.receipt_file, name="receipt_file"),
    path("my-card.png", pictures.my_card, name="my_card"),
    path("mine", mine.ask, name="mine"),
    path("mine/code", mine.type_code, name="mine_code"),
    path("mine/orcid", mine.after_orcid, name="mine_orcid"),
    path("mine/<slug:action>", mine.act, name="mine_act"),
    path("not-me/<str:token>", signing.not_me, name="not_me"),
    path("updates/stop/<str:token>", signing.stop, name="stop"),
    path("signatories", reading.wall, name="wall"),
    path("numbers", reading.numbers, name="numbers"),
    path("answers", reading.answers, name="answers"),
    path("updates", reading.updates, name="updates"),
    path("updates/feed.xml", reading.feed, name="feed"),
    path("press", reading.press, name="press"),
    path("press/sentence.svg", pictures.sentence_svg, name="sentence_svg"),
    path("press/signatories.csv", pictures.notables_csv, name="notables_csv"),
    path("paper", reading.paper, name="paper"),
    path("paper/qr.svg", pictures.qr, name="qr"),
    path("privacy", reading.privacy, name="privacy"),
    path("versions/<int:n>/", reading.version, name="version"),
    path("embed", reading.embed, name="embed"),
    path("count.svg", pictures.badge, name="count_svg"),
    path("accent.css", pictures.accent, name="accent"),
]

second: list[URLPattern | URLResolver] = [
    path("count.json", machine.count_of, name="count"),
    path("card.png", pictures.card, name="card"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", reading.front, name="front"),
    path("count.json", machine.front_count, name="front_count"),
    path("statement.json", machine.statement_file, name="statement_file"),
    path("log/vkey", machine.vkey, name="vkey"),
    path("work.json", machine.work, name="work"),
    path("robots.txt", machine.robots, name="robots"),
    path("card/<lang:lang>.png", pictures.card, name="front_card"),
    path("verify/", reading.verify, name="verify"),
    path("api/v1/", api.urls),
    path("<lang:lang>/s/<slug:slug>/", include([*pages, *second])),
    path("<lang:lang>/", include(pages)),
    path("<lang:lang>", reading.slash, name="slash"),
]
