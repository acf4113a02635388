"""A finding's next step fits its cause: the artifact is called bad only where its bytes or its rows are at fault."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.artifacts.damage import damage
from hackorda_ops.config.expectations import Tolerances
from hackorda_ops.engines.postgres.drill.comparisons.key_tables import (
    Look,
    Newest,
    beside,
    count_findings,
    newest_row_findings,
)
from hackorda_ops.engines.postgres.drill.comparisons.schema_text import (
    SchemaObject,
    object_list_findings,
    text_finding,
)
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.evidence.archive import toc_findings
from hackorda_ops.evidence.comparison import object_findings, sequence_findings, table_findings
from hackorda_ops.evidence.contents import differences
from hackorda_ops.evidence.large_objects import large_object_findings
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives.large_objects import LargeObject
from hackorda_ops.postgres.archives.reader import ArchivedFile
from hackorda_ops.postgres.archives.table_digest import TableDigest
from hackorda_ops.postgres.archives.toc import TocEntry
from hackorda_ops.postgres.catalogs.inventory import Extension, Sequence, Switch, TableName
from hackorda_ops_tests.builders import digest, inventory, manifest, table
from hackorda_ops_tests.condemning import CONDEMNING, condemns

USERS = TableName("public", "users")
NOW = datetime(2026, 11, 18, 21, tzinfo=UTC)


def of_files() -> Iterator[Finding]:
    """An artifact's files against its manifest."""
    whole = manifest({"users": 10})
    [path] = [each.file for each in whole.tables]
    for kind in (ArtifactDamaged, ArtifactMissing):
        yield damage(whole, kind(f"/work/{path} is no good.", meaning="", next_step=""))
    name = path.removeprefix(f"{DUMP_FOLDER_NAME}/")
    yield from differences(whole, [ArchivedFile(name, 1, "0" * 64, 9, digest(9))])
    yield from differences(whole, [])
    yield from differences(whole, [ArchivedFile("blob_1.dat", 1, "0" * 64, None, digest(1), 1)])


def of_contents() -> Iterator[Finding]:
    """A table of contents against its manifest."""

    def entry(kind: str, name: str, definition: bytes = b"") -> TocEntry:
        return TocEntry(7, False, 0, 1, kind, "public", name, definition, (), "", digest(7))

    ids = Sequence(TableName("public", "ids"), 10, is_called=True)
    whole = replace(
        manifest({"users": 10}),
        schema_objects={"TABLE public.users": digest(1)},
        inventory=replace(inventory(table("users")), sequences=(ids,)),
    )
    other = b"SELECT pg_catalog.setval('public.others', 3, true);\n"
    yield from toc_findings(
        whole,
        [entry("TABLE", "users"), entry("TABLE DATA", "strange"), entry("SEQUENCE SET", "others", other)],
    )


def of_rows() -> Iterator[Finding]:
    """A copy's tables and large objects against the manifest."""
    whole = manifest({"users": 10})
    for found in ({}, {USERS: TableDigest(9, digest(9))}, {USERS: TableDigest(10, digest(9))}):
        yield from table_findings(whole, found)
    one, other, third = (LargeObject(number, 8, digest(number)) for number in (1, 2, 3))
    yield from large_object_findings([one, other], [third, replace(one, digest=digest(9))])


def of_objects() -> Iterator[Finding]:
    """Everything else of a copy against the manifest."""
    ids = Sequence(TableName("public", "ids"), 10, is_called=True)
    yield from sequence_findings([ids], [replace(ids, last_value=11)])
    yield from sequence_findings([ids], [])
    citext = Extension("citext", "1.6", "public")
    view = table("totals", kind="materialized view", populated=True)
    kinds = ("partitioned", "foreign table", "materialized view")
    was = replace(
        inventory(
            view, table("stored", access_method="columnar"), *(table(kind, kind=kind) for kind in kinds)
        ),
        extensions=(citext, replace(citext, name="hstore"), replace(citext, name="ltree")),
        made_objects=("index public.by_name",),
        on_extension_tables=("index public.on_job",),
        switches=(Switch("trigger audit on public.users", "off", True),),
    )
    now = replace(
        inventory(replace(view, populated=False), table("stored", access_method="heap")),
        extensions=(
            replace(citext, name="hstore", schema="other"),
            replace(citext, name="ltree", version="2"),
        ),
        switches=(),
    )
    yield from object_findings(was, now)
    yield from object_findings(inventory(replace(view, populated=False)), inventory(view))


def of_schema() -> Iterator[Finding]:
    """A copy's definitions against the archive's."""
    key = SchemaObject("INDEX", "public", "by_name")
    yield from object_list_findings({key: ("one",)}, {})
    yield from object_list_findings({}, {key: ("one",)})
    yield text_finding(key, ("one",), ("other",))


def of_production() -> Iterator[Finding]:
    """A copy's key tables beside production's."""
    for here, there in ((0, 5), (5, 0), (100, 1000)):
        yield from count_findings(
            beside(
                USERS,
                None,
                Look(here, None),
                Look(there, None),
                age=timedelta(days=1),
                growth_rows_per_day=None,
                tolerances=Tolerances(),
            )
        )
    old, recent = NOW - timedelta(days=30), NOW - timedelta(hours=1)
    for restored in (Newest(None, None), Newest(old, old)):
        yield from newest_row_findings(
            USERS, restored, Newest(recent, recent), captured_at=NOW, tolerances=Tolerances()
        )


FINDINGS = [*of_files(), *of_contents(), *of_rows(), *of_objects(), *of_schema(), *of_production()]


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda each: f"{each.code}: {each.subject}")
def test_only_where_bytes_or_rows_are_at_fault_is_the_artifact_not_to_be_relied_on(finding: Finding) -> None:
    assert condemns(finding) == (finding.code in CONDEMNING)


def test_every_finding_that_may_condemn_an_artifact_is_among_those_tried_and_many_others() -> None:
    tried = {each.code for each in FINDINGS}
    assert tried >= CONDEMNING
    assert tried - CONDEMNING == {
        "access method differs",
        "extension differs",
        "extension missing",
        "extension version differs",
        "foreign table missing",
        "key table drifted",
        "key table empty",
        "key table empty in production",
        "large objects added",
        "materialized view differs",
        "materialized view missing",
        "no recent row",
        "object of an extension's table missing",
        "partitioned missing",
        "schema differs",
        "schema object added",
        "schema object missing",
        "sequence differs",
        "switched otherwise",
    }


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda each: f"{each.code}: {each.subject}")
def test_a_findings_subject_is_the_object_and_never_the_artifact(finding: Finding) -> None:
    assert manifest().artifact_id not in finding.subject


def test_no_next_step_is_written_down_twice() -> None:
    package = Path(__file__).parents[2] / "hackorda_ops"
    written = [
        path.name
        for path in sorted(package.rglob("*.py"))
        for _ in range(path.read_text().count("Do not rely on this artifact: use another one"))
    ]
    assert written == ["damage.py", "next_steps.py"]
