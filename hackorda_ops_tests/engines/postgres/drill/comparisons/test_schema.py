"""The schema of a restored copy against its archive's: one object of every kind altered, and nothing else seen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.engines.postgres.drill.comparisons.schema import schema_findings
from hackorda_ops.engines.postgres.drill.comparisons.schema_text import SchemaObject, text_finding
from hackorda_ops.findings import Finding
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.postgres.restoring.restore import restore
from hackorda_ops.progress import ignore
from hackorda_ops_tests.engines.postgres.drill.comparisons.schema_kinds import ALTERATIONS, SCHEMA
from hackorda_ops_tests.postgres.awkward import execute, target_of
from hackorda_ops_tests.postgres.dumping import clients_of, take_dump


@dataclass(frozen=True)
class Archived:
    """An archive of `SCHEMA`, and a maker of databases beside its source."""

    server: PostgresServer
    folder: Path
    new_database: Callable[[], str]

    def new_copy(self) -> str:
        url = self.new_database()
        tools = clients_of(self.server)
        restore(target_of(url), clients=tools, folder=self.folder, on_progress=ignore, deadline_seconds=60)
        return url

    def findings(self, url: str, folder: Path) -> tuple[tuple[Finding, ...], int]:
        return schema_findings(
            self.folder,
            target_of(url),
            tools=clients_of(self.server),
            new_twin=lambda: target_of(self.new_database()),
            encoding="UTF8",
            folder=folder,
        )


@pytest.fixture(scope="module")
def archived(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archived]:
    names: list[str] = []

    def new_database() -> str:
        names.append(f"schema kinds {len(names)}")
        return create_database(postgres_server, names[-1])

    source = new_database()
    execute(source, SCHEMA)
    folder = tmp_path_factory.mktemp("schema kinds") / "dump"
    take_dump(target_of(source), clients_of(postgres_server), folder)
    yield Archived(postgres_server, folder, new_database)
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def altered(archived: Archived, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Finding]:
    """What is found after every alteration was made in one copy, by the code's last word and the subject."""
    url = archived.new_copy()
    execute(url, *(change for change, _ in ALTERATIONS.values()))
    findings, _ = archived.findings(url, tmp_path_factory.mktemp("altered"))
    return {(each.code.split()[-1], each.subject): each for each in findings}


def test_a_faithful_copy_has_no_finding(archived: Archived, tmp_path: Path) -> None:
    findings, objects = archived.findings(archived.new_copy(), tmp_path)
    assert findings == ()
    assert objects > 90


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_an_altered_object_of_every_kind_is_named(altered: dict[tuple[str, str], Finding], kind: str) -> None:
    _, expected = ALTERATIONS[kind]
    assert [each for each in expected if each not in altered] == []


def test_nothing_but_what_was_altered_is_found(altered: dict[tuple[str, str], Finding]) -> None:
    expected = {finding for _, findings in ALTERATIONS.values() for finding in findings}
    assert altered.keys() - expected == set()


def test_what_differs_is_shown_as_a_diff_of_that_object_alone(
    altered: dict[tuple[str, str], Finding],
) -> None:
    assert altered["differs", "FUNCTION public.price(integer)"].observed == (
        "@@ -4,3 +4,3 @@\n BEGIN\n-    RETURN n * 2;\n+    RETURN n * 3;\n END $$;"
    )
    assert (
        "-    INCREMENT BY 5\n+    INCREMENT BY 6" in altered["differs", "SEQUENCE public.tickets"].observed
    )


def test_no_secret_of_a_foreign_server_is_shown(altered: dict[tuple[str, str], Finding]) -> None:
    assert "secret" not in "".join(f"{each.expected} {each.observed}" for each in altered.values()).replace(
        "it may be secret", ""
    )
    mapping = next(each for (_, subject), each in altered.items() if subject.startswith("USER MAPPING"))
    assert mapping.observed == "a different value, not shown because it may be secret"


def lines(*texts: str) -> tuple[str, ...]:
    return ("\n".join(texts),)


VIEW = SchemaObject("VIEW", "public", "wide")


def test_a_long_diff_is_cut_and_says_so() -> None:
    finding = text_finding(
        VIEW, lines(*(f"was {n}" for n in range(40))), lines(*(f"is {n}" for n in range(40)))
    )
    assert finding.observed.splitlines()[-1] == "… and 69 more lines"
    assert len(finding.observed.splitlines()) == 13


def test_of_a_long_line_the_part_that_differs_is_shown() -> None:
    finding = text_finding(VIEW, lines("x" * 5000 + "before"), lines("x" * 5000 + "behind"))
    assert "before" in finding.observed
    assert "behind" in finding.observed
    assert len(finding.observed) < 1000


@pytest.mark.parametrize(
    "text",
    [
        "CREATE FUNCTION f() AS $$ connect('postgresql://app:hush@db/x') $$;",
        "CREATE USER x PASSWORD 'hush\nhush';",
        "-- password=hush",
    ],
)
def test_passwords_in_other_objects_are_hidden_too(text: str) -> None:
    finding = text_finding(VIEW, lines(text), lines(text + " "))
    assert "hush" not in str(finding)
