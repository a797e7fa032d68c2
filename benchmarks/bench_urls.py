"""A table of 20 million addresses against a register of a million: ours, DuckDB, Polars, datadiligence.

    python benchmarks/bench_urls.py [--rows 20000000] [--runs 3] [--folder DIR]

The peers get the best query that could be written by hand for the same columns; they do less (no normal form of
addresses beyond lower-casing the host, no prefixes, no flaws). Both write the manifest and the permitted rows.
The limit is reading and writing the Parquet: the side `copy` reads the table and writes a manifest of constants.
"""

from __future__ import annotations

import argparse
import http.server
import shutil
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from measure import Measured, askfirst, measure, medians, report, save

ENTRIES = 1_000_000
DOMAINS = 100_000
FILES = 40
HIT_SHARE = 0.065
SEED = 7


def make_data(folder: Path, rows: int) -> None:
    """Write the table, the catalogue of the register and the same entries for the peers."""
    rng = np.random.default_rng(SEED)
    hosts = pa.array([f"www.site{i}.example" if i % 3 else f"cdn{i % 7}.pictures{i}.example" for i in range(400_000)])
    entries = ENTRIES - DOMAINS
    host_of = rng.integers(0, 300_000, entries)
    urls = join(hosts, host_of, np.arange(entries))
    domains = [f"archive{i}.test" for i in range(DOMAINS)]
    catalogue = pa.table(
        {
            "work_id": [f"w{i}" for i in range(ENTRIES)],
            "creator": [f"maker {i % 5000}" for i in range(ENTRIES)],
            "url": pa.concat_arrays([urls, pa.nulls(DOMAINS, pa.string())]),
            "url_prefix": pa.concat_arrays([pa.nulls(entries, pa.string()), pa.array(domains)]),
            "permitted_uses": ["train-generative" if i % 4 == 0 else "" for i in range(ENTRIES)],
        }
    )
    pq.write_table(catalogue, folder / "catalogue.parquet")
    pq.write_table(
        pa.table(
            {
                "key": pc.fill_null(catalogue["url"], catalogue["url_prefix"]),
                "work_id": catalogue["work_id"],
                "permitted": pc.equal(catalogue["permitted_uses"], "train-generative"),
                "domain": pc.is_null(catalogue["url"]),
            }
        ),
        folder / "entries.parquet",
    )
    (folder / "table").mkdir()
    for part in range(FILES):
        write_part(folder / "table" / f"{part:03d}.parquet", rows // FILES, rng, hosts, urls)


def join(hosts: pa.Array, host: np.ndarray, number: np.ndarray) -> pa.Array:
    """Return addresses of about 85 characters."""
    hexes = pa.array([f"{n * 2654435761 % 2**32:08x}" for n in number.tolist()])
    return pc.binary_join_element_wise(
        "https://", hosts.take(pa.array(host)), "/wp-content/uploads/2023/11/", hexes, "-large-view.jpg", ""
    )


def write_part(file: Path, rows: int, rng: np.random.Generator, hosts: pa.Array, urls: pa.Array) -> None:
    """Write one part of the table: mostly addresses nobody registered, a few that somebody did."""
    table = join(hosts, rng.integers(0, 400_000, rows), rng.integers(10**7, 10**9, rows))
    registered = urls.take(pa.array(rng.integers(0, len(urls), rows)))
    archive = pc.binary_join_element_wise(
        "http://img.archive",
        pc.cast(pa.array(rng.integers(0, 2 * DOMAINS, rows)), pa.string()),
        ".test/view/item.png",
        "",
    )
    which = rng.random(rows)
    table = pc.if_else(pa.array(which < HIT_SHARE), registered, table)
    table = pc.if_else(pa.array(which > 1 - 0.05), archive, table)
    caption = pc.binary_join_element_wise(
        "a picture of", pc.cast(pa.array(rng.integers(0, 10**6, rows)), pa.string()), "things seen on a walk", " "
    )
    pq.write_table(pa.table({"url": table, "caption": caption}), file, compression="zstd", row_group_size=250_000)


SQL_MANIFEST = """
SELECT 'table/' || filename_ || '#' || row_ AS item_id, filename_ AS source, url,
  CASE WHEN regexp_matches(url, '\\.(jpe?g|png|gif|webp)$') THEN 'image' ELSE 'other' END AS medium,
  NULL::VARCHAR AS digest,
  CASE WHEN e.work_id IS NULL AND d.work_id IS NULL THEN 'unasked'
       WHEN coalesce(e.permitted, true) AND coalesce(d.permitted, true) THEN 'permitted' ELSE 'refused' END AS outcome,
  CASE WHEN e.work_id IS NULL AND d.work_id IS NULL THEN 'silence'
       WHEN coalesce(e.permitted, true) AND coalesce(d.permitted, true) THEN 'open-consent'
       ELSE 'register-refusal' END AS rule,
  CASE WHEN (e.work_id IS NOT NULL OR d.work_id IS NOT NULL)
        AND coalesce(e.permitted, true) AND coalesce(d.permitted, true) THEN 'open-consent' END AS basis,
  coalesce(e.work_id, d.work_id) AS work_id,
  CASE WHEN e.work_id IS NOT NULL THEN 'url' WHEN d.work_id IS NOT NULL THEN 'domain' END AS match_kind,
  CASE WHEN e.work_id IS NOT NULL OR d.work_id IS NOT NULL THEN 1.0::FLOAT END AS match_score,
  'item' AS unit, 1::BIGINT AS units,
  CASE WHEN e.work_id IS NOT NULL OR d.work_id IS NOT NULL THEN
    [{kind: 'match', name: 'url', says: 'refused', work_id: coalesce(e.work_id, d.work_id), score: 1.0::FLOAT,
      "where": coalesce(e.key, d.key), quote: NULL::VARCHAR}] ELSE [] END AS evidence,
  NULL::VARCHAR AS detail, caption
FROM (SELECT url, caption, parse_filename(filename) AS filename_, file_row_number AS row_,
        lower(regexp_extract(url, '^https?://([^/:?#]+)', 1)) AS host,
        regexp_extract(lower(regexp_extract(url, '^https?://([^/:?#]+)', 1)), '([^.]+\\.[^.]+)$', 1) AS domain
      FROM read_parquet('{folder}/table/*.parquet', filename = true, file_row_number = true)) t
LEFT JOIN (SELECT * FROM read_parquet('{folder}/entries.parquet') WHERE NOT domain) e ON e.key = t.url
LEFT JOIN (SELECT * FROM read_parquet('{folder}/entries.parquet') WHERE domain) d ON d.key = t.domain
"""


def side_duckdb(folder: Path, out: Path) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET preserve_insertion_order = false")
    query = SQL_MANIFEST.replace("{folder}", str(folder))
    connection.execute(f"COPY ({query}) TO '{out}/all.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    connection.execute(
        f"COPY (SELECT url, caption, item_id, basis, work_id FROM '{out}/all.parquet' WHERE outcome = 'permitted') "
        f"TO '{out}/permitted.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    )


def side_polars(folder: Path, out: Path) -> None:
    import polars as pl

    entries = pl.scan_parquet(folder / "entries.parquet")
    exact = entries.filter(~pl.col("domain")).select("key", e_work="work_id", e_permitted="permitted")
    domain = entries.filter(pl.col("domain")).select(
        pl.col("key").alias("d_key"), d_work="work_id", d_permitted="permitted"
    )
    host = pl.col("url").str.extract(r"^https?://([^/:?#]+)", 1).str.to_lowercase()
    frame = (
        pl.scan_parquet(folder / "table" / "*.parquet", include_file_paths="file", row_index_name="row")
        .with_columns(d_key=host.str.extract(r"([^.]+\.[^.]+)$", 1))
        .join(exact, left_on="url", right_on="key", how="left", maintain_order="none")
        .join(domain, on="d_key", how="left", maintain_order="none")
    )
    matched = pl.col("e_work").is_not_null() | pl.col("d_work").is_not_null()
    yes = pl.col("e_permitted").fill_null(value=True) & pl.col("d_permitted").fill_null(value=True)
    work = pl.coalesce("e_work", "d_work")
    text = pl.lit(None, pl.String)
    manifest = frame.select(
        item_id=pl.concat_str(pl.col("file").str.extract(r"([^/]+)$", 1), pl.lit("#"), pl.col("row")),
        source=pl.col("file").str.extract(r"([^/]+)$", 1),
        url="url",
        medium=pl.when(pl.col("url").str.contains(r"\.(jpe?g|png|gif|webp)$"))
        .then(pl.lit("image"))
        .otherwise(pl.lit("other")),
        digest=text,
        outcome=pl.when(~matched)
        .then(pl.lit("unasked"))
        .when(yes)
        .then(pl.lit("permitted"))
        .otherwise(pl.lit("refused")),
        rule=pl.when(~matched)
        .then(pl.lit("silence"))
        .when(yes)
        .then(pl.lit("open-consent"))
        .otherwise(pl.lit("register-refusal")),
        basis=pl.when(matched & yes).then(pl.lit("open-consent")),
        work_id=work,
        match_kind=pl.when(pl.col("e_work").is_not_null()).then(pl.lit("url")).when(matched).then(pl.lit("domain")),
        match_score=pl.when(matched).then(pl.lit(1.0, pl.Float32)),
        unit=pl.lit("item"),
        units=pl.lit(1, pl.Int64),
        evidence=pl.when(matched).then(
            pl.concat_list(
                pl.struct(
                    kind=pl.lit("match"),
                    name=pl.lit("url"),
                    says=pl.lit("refused"),
                    work_id=work,
                    score=pl.lit(1.0, pl.Float32),
                    where=pl.coalesce("d_key", "url"),
                    quote=text,
                )
            )
        ),
        detail=text,
        caption="caption",
    )
    manifest.sink_parquet(out / "all.parquet", compression="zstd", compression_level=1, maintain_order=False)
    permitted = pl.scan_parquet(out / "all.parquet").filter(pl.col("outcome") == "permitted")
    permitted.select("url", "caption", "item_id", "basis", "work_id").sink_parquet(
        out / "permitted.parquet", compression="zstd", compression_level=1
    )


def side_copy(folder: Path, out: Path) -> None:
    """Read the column of addresses and write it beside constants: what no audit can be faster than."""
    writer = None
    for file in sorted((folder / "table").glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(columns=["url"], batch_size=65_536):
            constants = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(batch), np.int32)), pa.array(["unasked"]))
            table = pa.table({"url": batch["url"], **{f"c{i}": constants for i in range(8)}})
            writer = writer or pq.ParquetWriter(
                out / "copy.parquet", table.schema, compression="zstd", compression_level=1
            )
            writer.write_table(table)
    if writer:
        writer.close()


class _Answer(http.server.BaseHTTPRequestHandler):
    """A server on this machine that answers at once: datadiligence asks for every address."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Robots-Tag", "noai")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815  # the name that the standard library's server calls

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def per_url_datadiligence(count: int = 500) -> float | None:
    """Return addresses a second of datadiligence's own call for one address, or None where it is not installed."""
    if not find_spec("datadiligence"):
        return None
    import datadiligence

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        start = time.monotonic()
        for i in range(count):
            datadiligence.is_allowed(url=f"http://127.0.0.1:{server.server_port}/{i}.jpg", user_agent="askfirst")
        rate = count / (time.monotonic() - start)
        server.shutdown()
    return rate


SIDES = {"duckdb": side_duckdb, "polars": side_polars, "copy": side_copy}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--side")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="bench-urls-"))
    if arguments.side:
        SIDES[arguments.side](folder, folder / f"out-{arguments.side}")
        return
    if not (folder / "table").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        make_data(folder, arguments.rows)
    if not (folder / "register").is_dir():
        built = measure(
            askfirst("register", "build", str(folder / "catalogue.parquet"), "--out", str(folder / "register"))
        )
        print(f"register of {ENTRIES:,} addresses built in {built.wall_s:.1f} s, {built.peak_bytes / 1e6:.0f} MB")
    runs: dict[str, list[Measured]] = {name: [] for name in ("askfirst", *SIDES)}
    for _ in range(arguments.runs):
        for name, measured in runs.items():
            out = folder / f"out-{name}"
            shutil.rmtree(out, ignore_errors=True)
            if name == "askfirst":
                command = askfirst(
                    "audit", str(folder / "table"), "--register", str(folder / "register"), "--out", str(out)
                )
            else:
                out.mkdir()
                command = [sys.executable, __file__, "--side", name, "--folder", str(folder)]
            measured.append(measure(command))
    sides = {name: medians(measured) for name, measured in runs.items()}
    report("urls: 20M addresses, register of 1M", sides, arguments.rows, "rows")
    rate = per_url_datadiligence()
    ours = arguments.rows / sides["askfirst"].wall_s
    if rate is not None:
        print(f"datadiligence, one at a time, local server: {rate:,.0f}/s; ours {ours:,.0f}/s: {ours / rate:,.0f}x")
        save("urls-per-url", {"datadiligence_per_s": rate, "ours_per_s": ours, "ratio": ours / rate})
    if arguments.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
