"""Writes docs/proof.md from what the tests do: python -m hackorda_ops_tests.proof > docs/proof.md"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from hackorda_ops.engines.postgres.drill.not_compared import beyond_comparison
from hackorda_ops.evidence.source_values import SourceComparison, SourceValues
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops_tests import builders
from hackorda_ops_tests.gallery.catalogue import DAMAGES
from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.sound import HARMLESS
from hackorda_ops_tests.zoo.animals import MAJORS, Animal
from hackorda_ops_tests.zoo.enclosures import ANIMALS

_HEAD = """\
# What a PASS is worth

A drill says PASS when a backup was fetched from off-site and restored, and everything that it is compared by was
equal. This page is for whoever has to decide whether to believe that. It lists the damages that were made on real
artifacts and real restored databases to see whether they are noticed, the sound databases that must not be called
damaged, and what a PASS does not cover. Its tables are written from the tests themselves
(`python -m hackorda_ops_tests.proof > docs/proof.md`), and a test fails when they are out of date.

## What is compared with what
"""

_EVIDENCE = (
    (
        "size and SHA-256 of every file",
        "when the dump is read back from disk",
        "each copy; the fetched files, before a restore",
    ),
    (
        "exact count of every table's rows",
        "the source, in the dump's own snapshot",
        "the archive, that night",
    ),
    (
        "content of as many tables as a share of the dump's time allows, each in turn (of all, from a branch)",
        "the source, in the dump's own snapshot",
        "the archive, that night",
    ),
    (
        "rows of every table and their content: the sum of a 128-bit hash of each row's text",
        "the archive, read back from disk",
        "the fetched files; the restored copy; a Neon branch at the same WAL position",
    ),
    (
        "value of every sequence, and whether it was used",
        "the archive; the source's, before and after the dump",
        "the archive, that night; the fetched table of contents; the restored copy",
    ),
    (
        "number, length and bytes of all large objects",
        "the archive; their number from the source",
        "the fetched files; the restored copy",
    ),
    (
        "names of all other objects: indexes, constraints, triggers, functions, policies, types, …",
        "the source's catalogs, in the dump's own snapshot",
        "the archive, that night; the restored copy",
    ),
    (
        "definitions, word for word: columns with their types and NOT NULL, defaults, generated columns, checks, "
        "foreign keys, exclusions, indexes, views, rules, triggers, policies, functions, enums, domains, sequences, "
        "statistics, partitions, comments, security labels",
        "the source's catalogs, in the dump's own snapshot",
        "the archive, that night",
    ),
    (
        "digest of everything that the archive's table of contents says of each object: its SQL, its owner, what "
        "it needs, and the columns of its rows",
        "the archive, read back from disk that night",
        "the fetched table of contents, before a restore",
    ),
    (
        "that the dump has no rows and no sequence beyond the manifest, and the manifest all the evidence that it was "
        "written with",
        "the manifest, which counts its own lists",
        "the fetched table of contents; the manifest, whenever it is read",
    ),
    (
        "definition of every object",
        "the archive",
        "the restored copy; where Postgres words it anew on a restore, a second restore of the schema by another tool",
    ),
    ("access methods of tables and materialized views", "the source's catalogs", "the restored copy"),
    (
        "values of stored generated columns, which no dump holds",
        "their expressions, computed anew",
        "what is stored in the restored copy; a difference that the source had as well is a note",
    ),
    (
        "which triggers (those of foreign keys too), rules and event triggers aren't simply on",
        "the source's catalogs, in the dump's own snapshot",
        "the restored copy",
    ),
    (
        "extensions; which materialized views have rows",
        "the source's catalogs",
        "the restored copy, in which every materialized view is refreshed",
    ),
)

_SELF_TEST = """\
Nothing here has a tolerance. And each drill tests its own comparison: it deletes a row, changes a value, doubles a
row and shifts a sequence of the restored copy, requires that each is noticed, and takes it back.
"""

_LIMITS = """\
## What is not noticed

- **A forger.** Whoever can write to the bucket can put a whole other backup there, with a manifest that fits it in
  every figure. A drill compares a backup with its own evidence. Key tables, held against production, notice one that
  is older or of another database; a careful forgery they do not. Keep the credentials that write to the bucket away
  from everybody who doesn't have to, and lock the objects (`lock`).
- **A definition that the tool itself alters**, where Postgres has no function that words it as pg_dump does, and
  neither its name nor anything that the table above lists changes: options of columns, tables, functions, foreign
  servers and publications; columns of keys; the text of aggregates, operators, casts, collations and text search;
  defaults of inherited columns; the comment on a database. The archive is the only evidence of these.
- **Secrets in definitions.** What user mappings, servers, wrappers and subscriptions have between quotes may be a
  password, and goes into no digest.
- **All newer evidence at once.** A manifest from which every list of newer evidence was taken, with the counts of them,
  reads like one of an older release. Rows, sequences and names are still compared.
- **A table of contents of an unknown form.** Where a pg_dump newer than 18 wrote it, definitions are compared by the
  restored copy alone.
- **What was wrong in the source already.** A dump of damaged data is a perfect dump of it. The comparison of each
  night with the one before notices what vanishes, collapses, is emptied or goes back, and no wrong values.
- **Rules that rows of the source break**, where ten seconds did not suffice, a table was locked, or somebody else's
  code would have run: the manifest names these as unchecked. Unique and exclusion constraints, NOT NULL and domains
  are not looked at; a restore that stops at one says so.
- **Indexes, triggers and rules on a table of an extension.** pg_dump leaves them to CREATE EXTENSION. One that is
  missing is a warning.
- **Values that a tool alters between the source and the dump, in a table that had no turn yet.** The number of its
  rows is compared each night, its values when its turn comes; the report names the tables that wait, and since when.
  A night that is read from a branch compares all of them. The bytes of large objects are not read from the source.
- **The order of rows**, which means nothing in SQL, and how they lie on disk: free space, planner statistics.
- **What only the application can see**: whether a function returns the right answer, whether a query is quick.
- **RESTORE.md**, the recovery sheet beside each dump, and **SHA256SUMS**: their hashes are checked; nothing reads them.


"""


def document() -> str:
    """The whole page."""
    evidence = _table(("evidence", "taken from", "compared with"), _EVIDENCE)
    parts = [_HEAD, evidence, _SELF_TEST, *_damages(), *_harmless(), *_zoo(), _LIMITS, *_beyond()]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _damages() -> Iterator[str]:
    places = dict.fromkeys(damage.way.place for damage in DAMAGES)
    yield (
        f"## {len(DAMAGES)} damages, and what notices them\n\n"
        "Hashes and the manifest's list of files are made to fit, as an honest mistake or a broken tool would leave "
        "them. Where nothing else is said, the drill says FAIL, and a finding of the kind in the third column names "
        "what stands in the last."
    )
    for place in places:
        yield f"### {place[0].upper()}{place[1:]}"
        yield _table(
            ("what is wrong", "what leaves it so", "noticed as", "named"),
            (
                (each.name, each.cause, _noticed_as(each), f"`{each.subject}`")
                for each in DAMAGES
                if each.way.place == place
            ),
        )


def _noticed_as(damage: Damage) -> str:
    said = {
        "NO ARTIFACT": "no artifact is made",
        "NOT SOUND": "not sound, so no weekly copy takes it:",
        "REFUSED": "nothing is restored",
    }.get(damage.verdict, "")
    return f"{said} {damage.code}".strip()


def _harmless() -> Iterator[str]:
    yield "## What differs and does not matter\n\nAll of it has to PASS, without a finding."
    yield "\n".join(f"- {each.name}" for each in HARMLESS)


def _zoo() -> Iterator[str]:
    yield (
        f"## {len(ANIMALS)} sound things that have to PASS\n\n"
        "Each lives in a database that is dumped, copied off-site, fetched, restored and compared on Postgres "
        f"{', '.join(map(str, MAJORS[:-1]))} and {MAJORS[-1]}, where nothing else is said. Databases of random "
        "schemas come on top."
    )
    yield _table(
        ("what", "what is odd about it", "Postgres"),
        ((each.name, each.description, _versions(each)) for each in ANIMALS),
    )


def _versions(animal: Animal) -> str:
    if animal.majors == MAJORS:
        return "all"
    return f"{', '.join(map(str, animal.majors))}: {animal.elsewhere}"


def _beyond() -> Iterator[str]:
    everything = replace(
        builders.inventory(
            builders.table("a view", kind="materialized view", populated=True),
            builders.table("far", kind="foreign table"),
            builders.table("of an extension", extension="postgis"),
        ),
        roles=("app",),
        database_settings=("work_mem=8MB",),
        subscriptions=("feed",),
        large_objects=1,
    )
    yield (
        "## What a drill does not compare\n\n"
        "It is told in every report, with names, as far as the database has it."
    )
    earlier = builders.manifest()
    standing = (("one", None), ("other", earlier.captured_at - timedelta(days=3)))
    values = SourceValues(
        tuple(
            SourceComparison(TableName("public", name), at, at or earlier.captured_at, 1.0)
            for name, at in standing
        )
    )
    told = beyond_comparison(replace(earlier, inventory=everything, source_values=values))
    yield _table(("what", "why"), ((each.what.partition(":")[0], each.why) for each in told))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    print(document(), end="")
