"""Claim: with 1,000,000 signatures the page, the wall, its search and its filters cost less than 50 ms of CPU each.

    python benchmarks/bench_wall.py [SIGNATURES]

Loads invented signatures into a SQLite file in a temporary folder as the sequencer leaves them, and asks the queries of
the pages: processor time of this process, median and worst of twenty runs. Searches are chosen to be bad: beginnings
that a tenth of all lines have, two frequent words at once, a frequent word with a rare filter, a word nobody has.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from measure import save

TARGET_MS = 50.0
FIRST = [
    "anna",
    "maria",
    "jan",
    "peter",
    "sofia",
    "lukas",
    "emma",
    "noah",
    "mia",
    "finn",
    "lena",
    "paul",
    "eva",
    "tom",
    "ida",
    "max",
    "lea",
    "ben",
    "nina",
    "olaf",
]
SYLLABLES = [
    "ba",
    "be",
    "bi",
    "bo",
    "da",
    "de",
    "di",
    "do",
    "fa",
    "fe",
    "ga",
    "go",
    "ha",
    "he",
    "ka",
    "ke",
    "la",
    "le",
    "ma",
    "me",
    "na",
    "ne",
    "pa",
    "pe",
    "ra",
    "re",
    "sa",
    "se",
    "ta",
    "te",
    "va",
    "vo",
    "wa",
    "ze",
]
ROLES = ["writer", "composer", "painter", "actor", "reader", "editor", "poet", "drummer", "singer", "teacher"]


def prepare(folder: Path) -> None:
    """Make an empty site in a folder."""
    for name in [name for name in os.environ if name.startswith("ASKFIRST_")] + ["DATABASE_URL"]:
        os.environ.pop(name, None)
    os.environ |= {"ASKFIRST_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "askfirst_site.config.settings"}
    from askfirst_site.config.environment import prepare as make_keys
    from askfirst_site.config.environment import read_site

    make_keys(read_site())
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def load(size: int) -> object:
    """Insert signatures, their entries and words; return the statement."""
    from django.db import connection, transaction

    from askfirst_site.statement import example, tallies
    from askfirst_site.statement.models import Discipline, Signature, Statement, Tally, WallWord
    from askfirst_site.transparency.models import Entry

    statement: Statement = example.load(now=datetime(2026, 11, 22, tzinfo=UTC))
    template = Signature.objects.filter(kind="person").first()
    assert template is not None
    chance, begun = Random(1), template.created
    fields = [field for field in Signature._meta.concrete_fields if field.column != "id"]  # noqa: SLF001 - Django's documented way to a model's columns
    disciplines = list(Discipline.values)
    base, offset = Signature.objects.order_by("-pk")[0].pk, Entry.objects.order_by("-pk")[0].pk

    plain = [field.get_db_prep_save(getattr(template, field.attname), connection) for field in fields]
    place = {field.column: index for index, field in enumerate(fields)}
    plain[place["state"]], plain[place["challenge"]] = "confirmed", None

    def rows(numbers: range, words: list[tuple[object, ...]]) -> list[list[object]]:
        found = []
        for n in numbers:
            first, last = chance.choice(FIRST), "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))
            role = chance.choice(ROLES)
            discipline = chance.choices(disciplines, [30, 20, 8, 8, 4, 12, 8, 3, 2, 2, 2, 1])[0]
            country = chance.choices(["NL", "DE", "GB", "US", "MT"], [40, 30, 20, 9, 0.1])[0]
            when = (begun + timedelta(seconds=n)).strftime("%Y-%m-%d %H:%M:%S")
            values = plain.copy()
            for column, value in (
                ("entry_id", offset + n),
                ("position", 10_000 + n),
                ("name", f"{first.title()} {last.title()}"),
                ("role", role),
                ("discipline", discipline),
                ("country", country),
                ("created", when),
                ("confirmed", when),
                ("tallied", f"{discipline}|{country}|0"),
                ("email_mac", n.to_bytes(32, "big")),
            ):
                values[place[column]] = value
            found.append([base + n, *values])
            words += [(template.statement_id, word, 10_000 + n, base + n) for word in {first, last, role}]
        return found

    columns = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["?"] * (len(fields) + 1))
    raw = connection.connection
    raw.execute("PRAGMA synchronous=OFF")
    raw.execute("PRAGMA cache_size=-200000")
    with transaction.atomic():
        for start in range(1, size + 1, 50_000):
            numbers = range(start, min(start + 50_000, size + 1))
            words: list[tuple[object, ...]] = []
            batch = rows(numbers, words)
            raw.executemany(
                "INSERT INTO transparency_entry (id, payload, kind, subject, created, position)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (offset + n, b"{}", "sign", f"signature:{base + n}", "2026-11-22 00:00:00", 10_000 + n)
                    for n in numbers
                ],
            )
            raw.executemany(f"INSERT INTO statement_signature (id, {columns}) VALUES ({marks})", batch)
            raw.executemany(
                "INSERT INTO statement_wallword (statement_id, word, position, signature_id) VALUES (?, ?, ?, ?)", words
            )
        Tally.objects.all().delete()
        Tally.objects.bulk_create(
            Tally(statement_id=key[0], dimension=key[1], key=key[2], n=n) for key, n in tallies.count_rows().items()
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"loaded {Signature.objects.count():,} signatures, {WallWord.objects.count():,} words")
    return statement


def measure(name: str, ask: object) -> float:
    """Print and return the median processor time of a query, in milliseconds."""
    times = []
    for _run in range(20):
        begun = time.process_time()
        ask()
        times.append((time.process_time() - begun) * 1000)
    median, worst = statistics.median(times), max(times)
    print(f"{name:44} median {median:6.1f} ms   worst {worst:6.1f} ms   {'ok' if median < TARGET_MS else 'MISSED'}")
    return median


def main() -> int:
    """Load, measure, and say whether every query stays under the target."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="askfirst-wall-") as folder:
        prepare(Path(folder))
        begun = time.perf_counter()
        statement = load(size)
        print(f"in {time.perf_counter() - begun:.0f} s")
        from askfirst_site.statement import queries

        now = datetime(2026, 12, 22, tzinfo=UTC)
        middle = size // 2

        def wall(**asked: object) -> object:
            return lambda: queries.wall(statement, **asked)

        asked = {
            "page (everything on it)": lambda: queries.page_facts(statement, "en", now),
            "count.json": lambda: queries.counts(statement),
            "wall, newest": wall(),
            "wall, from the middle, 120 lines": wall(before=middle, limit=120),
            "discipline": wall(discipline="translation"),
            "country": wall(country="DE"),
            "rare country": wall(country="MT"),
            "rare country and rare discipline": wall(country="MT", discipline="games"),
            "search ma": wall(search="ma"),
            "search maria": wall(search="maria"),
            "search two frequent words": wall(search="maria writ"),
            "search two frequent beginnings": wall(search="ma wr"),
            "search frequent word, rare country": wall(search="anna", country="MT"),
            "search a whole name": wall(search="anna vozeba"),
            "search from the middle": wall(search="ma", before=middle),
            "search nobody": wall(search="xyzzy"),
            "search one letter": wall(search="a"),
        }
        figures = {name: measure(name, ask) for name, ask in asked.items()}
        save("wall", {"signatures": size, "target_ms": TARGET_MS, "median_cpu_ms": figures})
        return 0 if max(figures.values()) < TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
