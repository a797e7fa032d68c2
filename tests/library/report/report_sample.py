"""A made-up audit that looks like a real one. People, titles and web sites are invented.

The pictures are from scikit-image's data folder: `astronaut.png` (NASA, public domain), `chelsea.png` (Stéfan
van der Walt, CC0), `coffee.png` (Rachel Michetti, CC0). They stand in for works.
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from askfirst.model import Regime, Use
from askfirst.report.summary import (
    Example,
    GapGroup,
    HostRow,
    Others,
    Passage,
    RegisterHead,
    RightsholderRow,
    Summary,
    WorkName,
    outcome_counts,
)

POLICY = {
    "version": "policy_v0",
    "use": "train-generative",
    "on": "2026-11-22",
    "regime": "opt-in",
    "party": "",
    "image_distance_bits": 31,
    "text_hits": 2,
    "text_hits_large": 3,
    "short_text_hits": 3,
    "cover_min": 0.9,
}

NAMES = (
    "Mara Lindqvist",
    "Guild of Illustrators, North",
    "Tomás Arrieta",
    "Éditions du Phare",
    "יעל ברקוביץ׳",
    "Jonna van der Heijden-Oosterbroek",
    "",
    "The Estate of Rosalind Achterberg-Featherstonehaugh",
    "Society of Authors and Translators of the Southern Provinces",
    "منى الخطيب",
    "Wilhelmina Pfeiffer",
    "O. Brandt & Töchter",
    "Ngozi Adeyemi-Clarke",
    "Verlag am Deich",
    "Ilse Maarschalk",
    "Kaito Moriyama",
)


def summary(**changes: Any) -> Summary:
    """Return the numbers of an audit of 10,000 items."""
    values: dict[str, Any] = {
        "items": 10_000,
        "outcomes": outcome_counts(4_127, 2_264, 3_518, 91),
        "opt_out_difference": 3_518,
        "use": Use.TRAIN_GENERATIVE,
        "regime": Regime.OPT_IN,
        "register": RegisterHead("register.example.org/askfirst", 182_344, "9f2c" * 16),
        "input_digest": "4b1d" * 16,
        "tool": "askfirst 0.1.0",
        "seconds": 48.31,
        "policy": POLICY,
        "sources": ("scrape-2026/part-00.parquet", "scrape-2026/part-01.parquet", "pictures/"),
        "by_medium": {
            "text": outcome_counts(3_004, 1_122, 1_902, 14),
            "image": outcome_counts(1_123, 1_142, 1_601, 52),
            "video": outcome_counts(0, 0, 9, 1),
            "other": outcome_counts(0, 0, 6, 24),
        },
        "by_rightsholder": tuple(_holder(i, name) for i, name in enumerate(NAMES)),
        "other_rightsholders": Others(212, 640, outcome_counts(210, 400, 20, 10), works=377),
        "by_host": tuple(_host(i) for i in range(18)),
        "other_hosts": Others(1_934, 3_020, outcome_counts(1_000, 800, 1_200, 20), exact=False),
        "rules": {
            "silence": 3_518,
            "open-licence": 2_480,
            "signal:robots.txt": 1_120,
            "agreement": 984,
            "public-domain": 663,
            "signal:tdmrep": 481,
            "register-refusal": 412,
            "signal:iptc-plus": 202,
            "register-contested": 49,
            "gap:corrupt": 61,
            "gap:encrypted": 30,
        },
        "bases": {"open-licence": 2_480, "agreement": 984, "public-domain": 663},
        "gaps": (
            GapGroup(
                "corrupt",
                "the JPEG ends after 1,204 of 40,331 bytes",
                "fetch the file again",
                61,
                "pictures/2019/harbour-0412.jpg",
            ),
            GapGroup(
                "encrypted",
                "the PDF is protected by a password",
                "save it without a password",
                30,
                "texts/minutes.pdf",
            ),
        ),
        "notes": ("2 files were left out because they are catalogues: pictures/index.csv, pictures/list.csv",),
    }
    return Summary(**{**values, **changes})


def empty() -> Summary:
    """Return the numbers of an audit of nothing."""
    return summary(
        items=0, outcomes=outcome_counts(), opt_out_difference=0, by_medium={}, by_rightsholder=(),
        by_host=(), other_rightsholders=Others(), other_hosts=Others(), rules={}, bases={}, gaps=(),
        notes=(), sources=(),
    )  # fmt: skip


def silent() -> Summary:
    """Return the numbers of an audit that recognised nothing and could read everything."""
    return summary(
        items=1_000, outcomes=outcome_counts(unasked=1_000), opt_out_difference=1_000,
        by_medium={"image": outcome_counts(unasked=1_000)}, by_rightsholder=(), by_host=(),
        other_rightsholders=Others(), other_hosts=Others(), rules={"silence": 1_000}, bases={}, gaps=(),
        notes=(),
    )  # fmt: skip


def examples() -> list[Example]:
    """Return matches of every kind, with pictures where a picture belongs."""
    astronaut, cat, coffee = _picture("astronaut.png"), _picture("chelsea.png"), _picture("coffee.png")
    return [
        Example(
            "pictures/2021/IMG_0042.jpg",
            "pictures/",
            "https://img.mirror.example/u/7/IMG_0042.jpg",
            "refused",
            "register-refusal",
            "image",
            WorkName("w-000017", "Portrait before the Launch", "Mara Lindqvist"),
            0.984,
            {"transform": "mirrored", "distance_bits": 4},
            item_thumbnail=_jpeg(ImageOps.mirror(astronaut)),
            work_thumbnail=_jpeg(astronaut),
        ),
        Example(
            "pictures/cats/tabby_small.jpg",
            "pictures/",
            "",
            "permitted",
            "agreement",
            "image",
            WorkName("w-000391", "Chelsea, Afternoon", "Tomás Arrieta"),
            0.953,
            {"transform": "rotated 90", "distance_bits": 12},
            item_thumbnail=_jpeg(ImageOps.posterize(cat.rotate(90, expand=True), 3)),
        ),
        Example(
            "row 18,204",
            "scrape-2026/part-00.parquet",
            "https://blog.example/2023/04/the-lighthouse",
            "refused",
            "register-refusal",
            "text",
            WorkName("w-004410", "The Keeper’s Daughter", "Rosalind Achterberg"),
            0.91,
            {"item": [410, 790], "work": [12_020, 12_405], "letters": 214, "hits": 38},
            item_passage=Passage(
                "posted by admin on Tuesday. I found this and had to share it: ",
                "The lamp had gone out before midnight, and nobody in the village noticed, for who looks at "
                "a light that has always been there? She counted the steps, a hundred and twelve of them, "
                "and at the top she did what her father had shown her: she trimmed the wick, wound the clock "
                "and waited for the sea to answer.",
                " Beautiful, isn't it. What do you all think about the ending? Let me know",
            ),
            work_passage=Passage(
                "It was the second week of November. ",
                "The lamp had gone out before midnight, and nobody in the village had noticed; for who looks "
                "at a light that has always been there? She counted the steps, a hundred and twelve of them, "
                "and at the top she did what her father had shown her. She trimmed the wick, wound the "
                "clock, and waited for the sea to answer.",
                " It did not answer that night, nor on the next.",
            ),
        ),
        Example(
            "row 18,911",
            "scrape-2026/part-01.parquet",
            "https://forum.example/t/9911",
            "refused",
            "signal:robots.txt",
            "text",
            WorkName("w-009120", "אור על המים", "יעל ברקוביץ׳"),
            0.88,
            {"letters": 61, "hits": 7},
            item_passage=Passage(
                "מישהו כתב כאן: ", "היא ספרה את המדרגות, מאה ושתים עשרה, ולמעלה חיכתה שהים יענה.", " יפה מאוד"
            ),
        ),
        Example(
            "coffee.png",
            "pictures/",
            "https://shop.example/img/coffee.png",
            "permitted",
            "open-licence",
            "digest",
            WorkName("w-000555", "Still Life with Cup", "Guild of Illustrators, North"),
            1.0,
            item_thumbnail=_jpeg(coffee),
            work_thumbnail=_jpeg(coffee),
        ),
        Example(
            "row 77",
            "scrape-2026/part-01.parquet",
            "https://www.heron-press.example/stories/winter/chapter-3.html",
            "refused",
            "register-contested",
            "url-prefix",
            WorkName("w-010002", "Winter Stories", "Verlag am Deich"),
            1.0,
            {"address": "https://heron-press.example/stories/"},
        ),
    ]


def hostile() -> tuple[Summary, list[Example]]:
    """Return an audit of a dataset whose owner wrote an attack into every name."""
    evil = '"><script>parent.hit=1</script><img src=x onerror=hit()>{{7*7}}\u202egpj.\x00\ud800'
    row = outcome_counts(1, 1, 1, 1)
    numbers = summary(
        register=RegisterHead(evil, 1, evil),
        input_digest=evil,
        tool=evil,
        policy={**POLICY, "party": evil, evil: evil},
        sources=(evil,) * 3,
        by_rightsholder=(RightsholderRow(evil, 1, 4, row),),
        by_host=(HostRow(evil, 4, row, exact=False),),
        rules={f"signal:{evil}": 5, f"gap:{evil}": 4},
        gaps=(GapGroup(evil, evil, evil, 4, evil),),
        notes=(evil,),
    )
    passage = Passage(evil, f"{evil} one two three four five", evil)
    match = Example(
        evil,
        evil,
        f"javascript:{evil}",
        "refused",
        f"signal:{evil}",
        evil,
        WorkName(evil, evil, evil),
        0.5,
        {"address": evil, "transform": evil, "letters": evil},
        item_thumbnail=b'" onerror="hit()',
        work_thumbnail=b"\xff",
        item_passage=passage,
        work_passage=passage,
    )
    return numbers, [match]


def largest() -> tuple[Summary, list[Example]]:
    """Return the largest report there is: lists longer than shown, names longer than allowed."""
    name = "Übergröße & <Söhne> " * 40
    row = outcome_counts(1_111_111, 2_222_222, 3_333_333, 444_444)
    numbers = summary(
        by_rightsholder=tuple(RightsholderRow(f"{i} {name}", 99_999, 7_111_110, row) for i in range(50)),
        by_host=tuple(HostRow(f"{i}.{name}", 7_111_110, row, exact=False) for i in range(50)),
        rules={f"signal:{i}{name}": i + 1 for i in range(200)},
        gaps=tuple(GapGroup(f"{i}{name}", name, name, 1, name) for i in range(1_000)),
        sources=(name,) * 1_000,
        notes=(name,) * 1_000,
    )
    passage = Passage(name, name, name)
    match = Example(
        name, name, name, "refused", "silence", "text", WorkName(name, name, name), 0.5,
        {"letters": 9, "hits": 9, "address": name}, item_passage=passage, work_passage=passage,
    )  # fmt: skip
    return numbers, [match] * 100


def _holder(i: int, name: str) -> RightsholderRow:
    items = 1_240 // (i + 1)
    permitted = items * (i * 37 % 11) // 11
    refused = (items - permitted) * 3 // 4
    return RightsholderRow(
        name, max(1, items // 3), items, outcome_counts(permitted, refused, items - permitted - refused, 0)
    )


def _host(i: int) -> HostRow:
    hosts = (
        "img.mirror.example",
        "blog.example",
        "very-long-name-of-a-photo-archive.pictures.regional.example",
    )
    items = 2_100 // (i + 1)
    permitted = items * (i * 5 % 7) // 7
    host = hosts[i] if i < len(hosts) else f"site-{i}.example"
    return HostRow(host, items, outcome_counts(permitted, 0, items - permitted, 0), exact=i < 12)


def _picture(name: str) -> Image.Image:
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    with Image.open(Path(spec.origin).parent / "data" / name) as picture:
        return picture.convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((240, 240))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
