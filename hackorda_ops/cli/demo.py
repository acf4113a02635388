"""`hackorda-ops demo`: a night, a week and a quarter of the example database, through Dagster, on an embedded stack."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from hackorda_ops.calendar import partitions
from hackorda_ops.cli import terminal
from hackorda_ops.cli.shown import show_drill, show_tables
from hackorda_ops.cli.terminal import out
from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.quarter import Quarter
from hackorda_ops.drill.report import history
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ToolFailed
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.dagster import running_dagster, storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.damage import damage_one_row
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import delete_server
from hackorda_ops.local.stack import Stack, running_stack
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.stores.store import Store

_NAME: Final = "hackorda"
_UI_PORT: Final = 3000
_WITHOUT_PROOFS: Final = '\ndefaults: {proof: {every: "off"}}\n'
_DAMAGED: Final = TableName("public", "issue_payouts")


def run(*, stay: bool, damage: bool) -> int:
    """Runs the demo.

    Args:
        stay: keep everything running with the Dagster UI until interrupted.
        damage: change one row of the off-site copy before the drill, which then has to find it.

    Returns:
        The drill's exit code: 0 PASS, 1 FAIL, 3 ERROR or a run that failed.
    """
    began = time.monotonic()
    with _folder() as folder:
        shutil.copy(example_file("databases.yaml"), folder)
        config = folder / "databases.yaml"
        with config.open("a", encoding="utf-8") as file:
            # The daemon would prove the night beside the week and the quarter, which are what is shown here.
            file.write(_WITHOUT_PROOFS)
        database = config_file.load(config).databases[_NAME]
        _step("Starting Postgres 17 and an S3 server, seeding a QA marketplace of some 200,000 rows")
        with ExitStack() as running:
            with terminal.progress_shown() as on_progress:
                stack = running.enter_context(running_stack(folder / "stack", on_progress=on_progress))
            return _through_dagster(folder, config, database, stack, began=began, stay=stay, damage=damage)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hackorda-ops-demo-"))
    # The server's unprivileged user must reach its own files below; it can't list this folder.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        delete_server(folder / "stack" / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def _through_dagster(
    folder: Path, config: Path, database: Policy, stack: Stack, *, began: float, stay: bool, damage: bool
) -> int:
    # The example's migrate command is `python -m …`: it must be this Python.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    environ = {"PATH": path, "HOME": str(folder), **stack.environment()}
    _step("Starting Dagster: web server, daemon, code server; its storage is in that Postgres")
    with running_dagster(
        folder / "dagster",
        config=config,
        storage=storage_variables(stack.dagster_url),
        environ=environ,
        preferred_port=_UI_PORT if stay else 0,
    ) as dagster:
        offsite = Protected(_NAME, database, environ).offsite
        night = partitions.night_of(datetime.now(UTC), database.schedule)
        week, quarter = partitions.week_of(night), partitions.quarter_of(night)
        _materialize(dagster, "The night", "nightly_dump", night)
        _materialize(dagster, "The week", "offsite_copy", week)
        manifest = choose(read_judged({"offsite": offsite}, _NAME), None).candidates[0].manifest
        if damage:
            damage_one_row(offsite, of_postgres(manifest), _DAMAGED)
            _step(
                f"Damage: one row of {_DAMAGED} in the off-site copy is changed, and the hashes are adjusted to match"
            )
        _materialize(dagster, f"The quarter ({partitions.quarter_name(quarter)})", "restore_drill", quarter)
        out.print()
        show_tables(f"{_NAME}: one snapshot, one dump, every row accounted for", manifest)
        _show_checks(dagster)
        code = _show_drill(offsite)
        out.print(f"  {time.monotonic() - began:.0f} s from start to verdict", markup=False)
        if stay:
            _stay(dagster)
    return code


def _materialize(dagster: RunningDagster, title: str, asset: str, partition: date) -> None:
    """Runs one partition and shows the run's log; its outcome shows in the checks and the drill's verdict."""
    _step(f"{title}: materializing {_NAME}/{asset}, partition {partition}")
    run_id = dagster.materialize(f"{_NAME}/{asset}", str(partition))
    status = dagster.end_of(
        run_id, limit_seconds=600, on_message=lambda line: out.print(f"    {line}", markup=False)
    )
    # A drill that ends with FAIL has failed as a run too: then there is a report, which says it.
    if status != "SUCCESS" and not (
        asset == "restore_drill" and dagster.materialized(f"{_NAME}/drill_report")
    ):
        raise ToolFailed(
            f"The run of {asset} ended as {status}:\n{dagster.why_failed(run_id)}",
            meaning="The demo can't continue. It has stopped and removed all that it had started.",
            next_step="Mend what the error names, and run the demo again.",
        )


def _show_checks(dagster: RunningDagster) -> None:
    words = {True: "passed", False: "failed", None: "not run"}
    terminal.table(
        "What the night and the week proved",
        ("asset", "check", "outcome", "what it says"),
        [
            (asset, check.name, words[check.passed], check.description)
            for asset in ("nightly_dump", "offsite_copy")
            for check in dagster.checks(f"{_NAME}/{asset}")
        ],
    )


def _show_drill(offsite: Store) -> int:
    """Shows the drill's verdict from its stored report, and keeps the page; returns the exit code."""
    result = history.read_past(offsite, _NAME)[-1]
    page = Path.cwd() / f"restore-drill-{partitions.quarter_name(result.quarter)}.html"
    page.write_bytes(offsite.read_small(f"{history.drill_prefix(_NAME, result.drill_id)}/report.html"))
    page.chmod(0o600)
    show_drill(Quarter(result, (), (str(page),), ()))
    return {"PASS": 0, "FAIL": 1, "ERROR": 3}[result.verdict]


def _stay(dagster: RunningDagster) -> None:
    out.print(
        f"\nDagster is up at {dagster.url}\n"
        "  Lineage                       source, nightly_dump, offsite_copy, restore_drill, drill_report\n"
        "  drill_report                  the report of each quarter, with the drill's verdict and checks\n"
        "  nightly_dump > Materialize    takes tonight's dump again, and compares it with the previous one\n"
        '  restore_drill > Materialize   drills again, or backfills a missed quarter ("Show all partitions")\n'
        "  Runs                          progress of each run; terminate one, and nothing is left behind\n"
        "Ctrl-C stops everything and removes it.",
        markup=False,
    )
    while True:
        time.sleep(3600)


def _step(sentence: str) -> None:
    out.print(f"[bold]>[/bold] {sentence}", highlight=False)
