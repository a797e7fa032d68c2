"""The wall: order, filters, search by how words begin, bounded pages."""

import pytest
from django.db import connection

from askfirst_site.statement import actions, queries, wall
from askfirst_site.statement.models import Signature

pytestmark = pytest.mark.on_both


def names(world, **asked):
    return [line.name for line in queries.wall(world.statement, **asked).lines]


@pytest.fixture
def people(world):
    for name, discipline, country, display in [
        ("Anna Müller", "music", "DE", "full"),
        ("Andrés Østergård", "film", "DK", "full"),
        ("محمد علي", "literature", "EG", "full"),
        ("Anna-Lena O'Hara", "music", "NL", "full"),
        ("Secret Person", "music", "DE", "initials"),
        ("Hidden Person", "music", "DE", "counted"),
        ("Михаил Анненко", "games", "UA", "full"),
        ("王 小明", "games", "CN", "full"),
    ]:
        world.signed(name=name, discipline=discipline, country=country, display=display, role="maker")
    world.check()
    return world


def test_wall_is_newest_first_without_those_who_are_only_counted(people):
    assert names(people)[:3] == ["王 小明", "Михаил Анненко", "S. P."]
    assert len(names(people)) == 7


def test_wall_pages_without_gaps_or_repeats(people):
    found, before = [], None
    while True:
        page = queries.wall(people.statement, before=before, limit=2)
        found += [line.name for line in page.lines]
        before = page.next
        if before is None:
            break
    assert found == names(people)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("an", ["Anna-Lena O'Hara", "Andrés Østergård", "Anna Müller"]),
        ("ANNA", ["Anna-Lena O'Hara", "Anna Müller"]),
        ("mul", ["Anna Müller"]),
        ("anna mü", ["Anna Müller"]),
        ("ostergard", ["Andrés Østergård"]),
        ("ohara", ["Anna-Lena O'Hara"]),
        ("محم", ["محمد علي"]),
        ("михаил", ["Михаил Анненко"]),
        ("王", ["王 小明"]),
        ("maker anna-lena", ["Anna-Lena O'Hara"]),
        ("secret", []),
        ("hidden", []),
        ("nobody", []),
        ("   ", None),
        ("'; DROP TABLE--", []),
        ("%", []),
        ("_", []),
        ("\x00", []),
    ],
)
def test_search_by_how_words_begin(people, search, found):
    assert names(people, search=search) == (names(people) if found is None else found)


def test_filters_and_search_together(people):
    assert names(people, discipline="music") == ["S. P.", "Anna-Lena O'Hara", "Anna Müller"]
    assert names(people, discipline="music", country="DE") == ["Anna Müller"]  # initials do not show a country
    assert names(people, country="NL", search="an") == ["Anna-Lena O'Hara"]
    assert names(people, discipline="war") == []


def test_initials_show_neither_role_nor_country(people):
    line = next(line for line in queries.wall(people.statement).lines if line.name == "S. P.")
    assert (line.role, line.country, line.discipline, line.hour.minute) == ("", "", "music", 0)


def test_search_ends_early_and_goes_on(people, monkeypatch):
    monkeypatch.setattr(wall, "LOOKED_AT", 2)
    monkeypatch.setattr(wall, "STEP", 1)
    found, before = [], None
    for _page in range(20):
        page = queries.wall(people.statement, search="maker", discipline="literature", before=before)
        found += [line.name for line in page.lines]
        before = page.next
        if before is None:
            break
    assert (found, before) == (["محمد علي"], None)


def test_page_reads_a_number_of_queries_that_does_not_grow(people, count_queries):
    counted = []
    for _time in range(2):
        with count_queries() as asked:
            queries.page_facts(people.statement, "en", people.now)
        counted.append(len(asked))
        people.signed(name="One More", kind="person")
        people.check()
    assert counted[0] == counted[1]
    assert counted[0] <= 14


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "statement_wall"),
        ({"discipline": "music"}, "statement_wall_discipline"),
        ({"country": "DE"}, "statement_wall_country"),
        ({"discipline": "music", "country": "DE"}, "statement_wall_both"),
    ],
)
def test_wall_walks_an_index_of_its_own(people, count_queries, asked, index):
    with count_queries() as queries_made:
        queries.wall(people.statement, before=100, **asked)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            explain, used, sorting = "EXPLAIN QUERY PLAN", f"INDEX {index} ", "TEMP B-TREE"
        else:
            # Eight rows are read without an index unless PostgreSQL is told that reading all costs much. Which of the
            # wall's indexes it then takes for two filters at once depends on its statistics.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            explain, used, sorting = "EXPLAIN", "Index Scan using statement_wall", "Sort"
        cursor.execute(f"{explain} {queries_made[-1]['sql']}")
        plan = " ".join(row[-1] for row in cursor.fetchall())
    assert used in plan
    assert sorting not in plan


def test_hidden_lines_are_not_found(people):
    signature = Signature.objects.get(name="Anna Müller")
    actions.hide_line(actor=people.actor, signature=signature, reason="asked", now=people.now)
    assert names(people, search="mul") == []
