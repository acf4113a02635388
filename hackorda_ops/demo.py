"""`hackorda-ops demo`: a night and a week of the example database, through Dagster, on an embedded stack."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hackorda_ops import config_file, environment, terminal
from hackorda_ops.backup import calendar, catalog
from hackorda_ops.config import Database
from hackorda_ops.local.dagster import RunningDagster, running_dagster, storage_variables
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import delete_server
from hackorda_ops.local.stack import Stack, running_stack
from hackorda_ops.terminal import out

_NAME: Final = "hackorda"
_UI_PORT: Final = 3000


def run(*, stay: bool) -> int:
    """Runs the demo.

    Args:
        stay: leave everything up with the Dagster UI until it's interrupted.

    Returns:
        The exit code: 0 where everything was proven, 1 where a check failed, 3 where a run did not end well.
    """
    began = time.monotonic()
    with _folder() as folder:
        shutil.copy(example_file("databases.yaml"), folder)
        config = folder / "databases.yaml"
        database = config_file.load(config).databases[_NAME]
        _step("Starting Postgres 17 and an S3 server, seeding a QA marketplace of some 200,000 rows")
        with ExitStack() as running:
            with terminal.progress_shown() as on_progress:
                stack = running.enter_context(running_stack(folder / "stack", on_progress=on_progress))
            return _through_dagster(folder, config, database, stack, began=began, stay=stay)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hackorda-ops-demo-"))
    # The server's unprivileged user has to get through to its own files below; it can't list this folder.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        delete_server(folder / "stack" / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def _through_dagster(
    folder: Path, config: Path, database: Database, stack: Stack, *, began: float, stay: bool
) -> int:
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), **stack.environment()}
    _step("Starting Dagster: web server, daemon, code server; its storage is in that Postgres")
    with running_dagster(
        folder / "dagster",
        config=config,
        storage=storage_variables(stack.dagster_url),
        environ=environ,
        port=_UI_PORT if stay else None,
    ) as dagster:
        night = calendar.night_of(datetime.now(UTC), database.schedule)
        parts = (
            ("The night", "nightly_dump", str(night)),
            ("The week", "offsite_copy", str(calendar.week_of(night))),
        )
        for title, asset, partition in parts:
            _step(f"{title}: materializing {_NAME}/{asset}, partition {partition}")
            status = dagster.end_of(
                dagster.materialize(f"{_NAME}/{asset}", partition),
                on_message=lambda line: out.print(f"    {line}", markup=False),
            )
            if status != "SUCCESS":
                terminal.verdict("ERROR", f"The run of {asset} ended as {status}.")
                return 3
        passed = _show(dagster, database, environ, [asset for _, asset, _ in parts])
        terminal.verdict(
            "PASS" if passed else "FAIL",
            f"night and week are proven, {time.monotonic() - began:.0f} s"
            if passed
            else "a check failed, see above",
        )
        if stay:
            _stay(dagster)
    return 0 if passed else 1


def _show(dagster: RunningDagster, database: Database, environ: dict[str, str], assets: list[str]) -> bool:
    """Shows what was proven; returns whether every check passed."""
    offsite = environment.open_offsite(_NAME, database, environ)
    manifest = catalog.choose(catalog.read(offsite, _NAME), None)
    out.print()
    terminal.table(
        f"{_NAME}: one snapshot, one dump, every row accounted for",
        ("table", "rows in the snapshot#", "rows in the archive#", "content digest"),
        [
            (
                str(each.name),
                f"{manifest.table(each.name).rows or 0:,}",
                f"{each.rows:,}",
                f"{each.digest[:12]}…",
            )
            for each in manifest.tables
        ],
    )
    checks = [(asset, check) for asset in assets for check in dagster.checks(f"{_NAME}/{asset}")]
    words = {True: "PASS", False: "FAIL", None: "not run"}
    terminal.table(
        "What was proven",
        ("asset", "check", "", "what it says"),
        [(asset, check.name, words[check.passed], check.description) for asset, check in checks],
    )
    out.print(
        f"  off-site: {offsite.describe()}/{manifest.prefix}, {terminal.size(manifest.size_bytes)}",
        markup=False,
    )
    return all(check.passed for _, check in checks)


def _stay(dagster: RunningDagster) -> None:
    out.print(
        f"\nDagster is up at {dagster.url}\n"
        "  Catalog > hackorda            the three assets, their checks, rows and bytes over time\n"
        "  nightly_dump > Materialize    takes tonight's dump again\n"
        "  offsite_copy > Materialize    pick a missed week: it's backfilled from a night of that week\n"
        "  Runs                          progress while one goes on; terminate one and see nothing left behind\n"
        "Ctrl-C ends everything and removes it.",
        markup=False,
    )
    while True:
        time.sleep(3600)


def _step(sentence: str) -> None:
    out.print(f"[bold]>[/bold] {sentence}", highlight=False)
