"""Nights, restores and drills of databases of several sizes and shapes, beside the bare tools."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import psycopg

from bench.rows import Row
from bench.running import Bench, medians, memory, ratio
from bench.sources import SHAPES, fill
from hackorda_ops.local.postgres import create_database


@dataclass(frozen=True)
class _Comparison:
    """What is measured beside what.

    Attributes:
        what: in words.
        variant: the one that is measured.
        beside: the bare tools that do the same without proof.
        goal: what the ratio must not exceed.
        memory: what the row of its memory is called; without, there's none.
    """

    what: str
    variant: str
    beside: str
    goal: float
    memory: str = ""


_COMPARED = (
    _Comparison(
        "night with all its proofs over pg_dump -Fd -j2 zstd:1", "night", "pg_dump", 1.35, memory="night"
    ),
    _Comparison("the same over pg_dump --format=custom", "night", "pg_dump_default", 0.18),
    _Comparison(
        "night with encryption over one without",
        "sealed_night",
        "night",
        1.15,
        memory="night with encryption",
    ),
    _Comparison("proven restore over pg_restore -j2", "restore", "pg_restore", 1.25, memory="restore"),
    _Comparison("whole drill over the same", "drill", "pg_restore", 1.35, memory="drill"),
)
_LARGE_BYTES, _LARGE_NIGHT_GOAL = 3_000_000_000, 1.25
_SMALL_BYTES = 200_000_000
_PROVEN_SECONDS = 30
NIGHT = ("pg_dump", "night")
WITH_RESTORES = (*NIGHT, "pg_restore", "restore")
EVERYTHING = (
    "pg_dump",
    "pg_dump_default",
    "night",
    "sealed_night",
    "prove",
    "pg_restore",
    "restore",
    "ship",
    "drill",
)


def rows_of_data(bench: Bench, shape: str, size_bytes: int, variants: Sequence[str]) -> Iterator[Row]:
    """Nights, restores and drills beside the bare tools, as far as they are among the variants."""
    title = f"{size_bytes / 1e9:.1f} GB in {SHAPES[shape].title}"
    name = f"{shape} {size_bytes / 1e9:.1f} GB"
    bench.told(f"{name}: making it")
    work = bench.folder / name.replace(" ", "_")
    url = create_database(bench.source, work.name)
    fill(url, shape, size_bytes)
    runs = medians(bench, variants, work, bench.environment(source_url=url))
    for each in _COMPARED:
        if each.variant not in runs or each.beside not in runs:
            continue
        row = ratio(f"{each.what}, {title}", runs[each.variant], runs[each.beside], each.goal)
        if size_bytes < _SMALL_BYTES:
            # Here the fixed cost is most of it, which has a row of its own.
            row = replace(row, goal=None)
        elif size_bytes > _LARGE_BYTES and each.variant == "night" and each.beside == "pg_dump":
            row = replace(row, goal=_LARGE_NIGHT_GOAL)
        yield row
        if each.memory:
            yield memory(f"{each.memory}, {title}", runs[each.variant])
    if "prove" in runs:
        both = runs["night"].seconds + runs["prove"].seconds
        yield Row(
            f"night and its proof, {title}",
            both,
            "s",
            _PROVEN_SECONDS if size_bytes < _LARGE_BYTES else None,
            both,
            cpu_seconds=runs["night"].cpu_seconds + runs["prove"].cpu_seconds,
            peak_bytes=runs["prove"].peak_bytes,
        )
        yield memory(f"proof, {title}", runs["prove"])
    if "ship" in runs:
        yield memory(f"copy, {title}", runs["ship"])
    shutil.rmtree(work)
    with psycopg.connect(bench.source.url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{work.name}" WITH (FORCE)')


def fixed_costs(bench: Bench, tables: int) -> Iterator[Row]:
    """What a night costs without rows, and what each table adds."""
    for shape in ("empty", "many"):
        bench.told(f"{SHAPES[shape].title}: making it")
        url = create_database(bench.source, shape)
        fill(url, shape, 0)
        runs = medians(bench, ["pg_dump", "night"], bench.folder / shape, bench.environment(source_url=url))
        night, bare = runs["night"], runs["pg_dump"]
        if shape == "empty":
            yield Row(
                "a night of an empty database",
                night.seconds,
                "s",
                0.7,
                night.seconds,
                bare.seconds,
                night.cpu_seconds,
            )
        else:
            above_ms = (night.seconds - bare.seconds) * 1000 / tables
            yield Row(
                f"a night of {tables:,} small tables above pg_dump's own",
                above_ms,
                "ms a table",
                0.7,
                night.seconds,
                bare.seconds,
                night.cpu_seconds,
                night.peak_bytes,
            )
