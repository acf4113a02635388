"""Hash partitions on an enum whose leaves have their columns in different orders: judged by the whole table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.evidence.comparing import compare
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.night.night import take_night
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.postgres.awkward import execute, session, target_of
from hackorda_ops_tests.zoo.built_in import HASHED

pytestmark = pytest.mark.server


def test_rows_that_moved_agree_and_a_value_that_changed_does_not(
    postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str], tmp_path: Path
) -> None:
    source, copy = database_on(postgres_server), database_on(postgres_server)
    execute(source, "CREATE SCHEMA h", f"SET search_path = h; {HASHED.sql}")
    database = Policy.model_validate({"store": str(tmp_path / "store")})
    night = take_night(Protected("zoo", database, {**PROGRAMS, "DATABASE_URL": source}))
    done = bring_back(
        restoring(tmp_path / "work", PROGRAMS, jobs=1),
        FolderStore(tmp_path / "store"),
        night.manifest,
        target_of(copy),
        source=None,
        on_progress=ignore,
    )
    assert done.findings == ()

    def found() -> set[tuple[str, str]]:
        with session(copy) as connection:
            compared = compare(
                connection,
                target_of(copy),
                night.manifest,
                dump_folder=tmp_path / "store" / night.manifest.prefix / DUMP_FOLDER_NAME,
                jobs=1,
                on_progress=ignore,
            )
        # The test says nothing where an enum's hashes happen to be those of the source.
        assert any(
            compared.digests[table.name].digest != table.digest
            for table in night.manifest.tables
            if table.name.name.startswith("moods")
        )
        return {(each.severity, each.subject.rpartition("_")[0]) for each in compared.findings}

    assert found() == set()
    execute(copy, "UPDATE h.moods SET note = 'other' WHERE id = 7")
    assert found() == {("fatal", "h.moods")}
    execute(copy, "UPDATE h.moods SET note = NULL WHERE id = 7")
    assert found() == set()
