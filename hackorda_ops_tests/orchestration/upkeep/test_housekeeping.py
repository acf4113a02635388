"""What stays of old runs in Dagster's own database, and what doesn't."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import psycopg
import pytest
from dagster import AssetKey, DagsterInstance, DagsterRun, DagsterRunStatus

from hackorda_ops.local.dagster import storage_variables
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.upkeep.housekeeping import KEPT, delete_old_runs
from hackorda_ops_tests.orchestration.protected import CodeLocation

pytestmark = pytest.mark.server


@pytest.fixture
def storage_url(postgres_server: PostgresServer) -> str:
    return create_database(postgres_server, "housekeeping storage")


@pytest.fixture
def on_postgres(storage_url: str, tmp_path: Path) -> Iterator[DagsterInstance]:
    """Dagster as dagster.yaml has it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(example_file("dagster.yaml").read_text())
    with (
        mock.patch.dict(os.environ, storage_variables(storage_url)),
        DagsterInstance.from_config(str(home)) as made,
    ):
        yield made


def _rows_of(storage_url: str, run_id: str) -> int:
    """How many rows of Dagster's database are about a run."""
    with psycopg.connect(storage_url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'run_id'"
            " AND table_schema = 'public' ORDER BY table_name"
        ).fetchall()
        names = [name for (name,) in tables]
        assert {"runs", "run_tags", "event_logs", "asset_check_executions"} <= set(names)
        return sum(
            connection.execute(f"SELECT count(*) FROM {name} WHERE run_id = %s", [run_id]).fetchall()[0][0]
            for name in names
        )


def test_old_runs_go_with_all_their_rows_and_files_and_what_is_still_needed_stays(
    protected: CodeLocation, on_postgres: DagsterInstance, storage_url: str, tmp_path: Path
) -> None:
    asset = AssetKey(["shop", "nightly_dump"])
    superseded = protected.run("shop_night", protected.tonight, on_postgres).run_id
    newest = protected.run("shop_night", protected.tonight, on_postgres).run_id
    failed = protected.run("shop_night", protected.tonight - timedelta(days=2), on_postgres).run_id
    on_postgres.add_run(DagsterRun("shop_night", run_id="it runs", status=DagsterRunStatus.STARTED))
    output = tmp_path / "home" / "storage" / superseded
    assert any(path.is_file() for path in output.rglob("*"))
    from_here_on = datetime.now(UTC)
    young = protected.run("shop_night", protected.tonight - timedelta(days=2), on_postgres).run_id
    assert _rows_of(storage_url, superseded) > 20

    with mock.patch.object(clock, "now", return_value=from_here_on + KEPT):
        result = protected.run("housekeeping", None, on_postgres)

    assert result.success
    [output_event] = result.filter_events(lambda event: event.is_successful_output)
    assert output_event.step_output_data.metadata["deleted runs"].value == 2
    assert {run.run_id for run in on_postgres.get_runs()} == {newest, "it runs", young, result.run_id}
    assert (_rows_of(storage_url, superseded), _rows_of(storage_url, failed)) == (0, 0)
    assert not output.exists()
    materialized = on_postgres.get_latest_materialization_event(asset)
    assert materialized is not None
    assert materialized.run_id == newest
    assert _rows_of(storage_url, newest) > 20
    # Nothing is left to be done.
    assert delete_old_runs(on_postgres, created_before=from_here_on) == 0


def test_what_a_night_writes_into_the_event_log_does_not_grow_with_the_tables(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    def written_by(run_id: str) -> tuple[int, int]:
        entries = instance.all_logs(run_id)
        return len(entries), sum(len(entry.to_json()) for entry in entries)

    few_events, _ = written_by(protected.run("shop_night", protected.tonight, instance).run_id)
    protected.execute(
        "DO $$ BEGIN FOR n IN 1..400 LOOP"
        " EXECUTE format('CREATE TABLE number_%s AS SELECT generate_series(1, 2) AS id', n); END LOOP; END $$"
    )
    many = protected.run("shop_night", protected.tonight, instance)
    protected.execute(
        "DO $$ BEGIN FOR n IN 1..400 LOOP EXECUTE format('DROP TABLE number_%s', n); END LOOP; END $$"
    )
    vanished = protected.run("shop_night", protected.tonight, instance)

    assert many.success
    assert not vanished.success
    for run_id in (many.run_id, vanished.run_id):
        events, size_bytes = written_by(run_id)
        # Progress is told by time, so a slow machine may tell a little more.
        assert events <= few_events + 12
        assert size_bytes < 400_000
