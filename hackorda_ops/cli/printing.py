"""How commands report: a table, a verdict, JSON for scripts, and a heartbeat for an outside monitor."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NoReturn

import typer

from hackorda_ops.alerts.heartbeats import Heartbeat, heartbeat
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.calendar.due import DueKind
from hackorda_ops.cli import terminal
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.findings import Finding


def conclude(
    verdict: str,
    sentence: str,
    manifest: Manifest,
    found: Sequence[Finding],
    *,
    as_json: bool,
    more: Mapping[str, Any] | None = None,
) -> NoReturn:
    """Prints a verdict with its findings, and ends the command with the verdict's exit code.

    Args:
        verdict: PASS, FAIL or ERROR.
        sentence: the result in a sentence.
        manifest: the artifact's manifest.
        found: what differs.
        as_json: whether to print JSON instead of text.
        more: what else is in the JSON.
    """
    if as_json:
        print_json({**summary(manifest), "verdict": verdict, "findings": found, **(more or {})})
    else:
        terminal.findings(found)
        terminal.verdict(verdict, sentence)
    raise typer.Exit(0 if verdict == "PASS" else 1)


def summary(manifest: Manifest) -> dict[str, Any]:
    """An artifact's facts in JSON output."""
    return {
        "database": manifest.database,
        "artifact_id": manifest.artifact_id,
        "night": manifest.night,
        "captured_at": manifest.captured_at,
        "rows": manifest.rows,
        "size_bytes": manifest.size_bytes,
        "server_version": manifest.server_version,
        "sound": manifest.sound,
        **({"sealed": True} if is_sealed(manifest) else engine_that_wrote(manifest).in_json(manifest)),
    }


def note(line: str) -> None:
    """Prints notes that don't change the outcome, on standard error."""
    terminal.err.print(f"  note: {line}", markup=False, soft_wrap=True)


@contextmanager
def heartbeat_of(protected: Protected, kind: DueKind, partition: date | None) -> Iterator[Heartbeat]:
    """The heartbeat around a command's work; what keeps it from the monitor is printed afterwards.

    Args:
        protected: the database.
        kind: which kind of partition.
        partition: the partition; None for the present one.
    """
    complaints: list[str] = []
    monitor = protected.monitor(kind)
    try:
        with heartbeat(
            kind, partition, protected.policy.schedule, monitor=monitor, log=complaints.append
        ) as told:
            yield told
    except OpsError as error:
        # The command's own error matters more, so it comes first.
        for line in complaints:
            error.add_note(line)
        raise
    except BaseException:
        _note_each(complaints)
        raise
    _note_each(complaints)


def _note_each(lines: Sequence[str]) -> None:
    for line in lines:
        note(line)


def print_json(value: Any) -> None:
    """Prints a value as JSON on standard output; dataclasses as their fields, times in ISO 8601."""
    print(json.dumps(value, default=_plain, indent=1))


def _plain(value: Any) -> Any:
    if isinstance(value, Finding):
        return value.described
    if isinstance(value, date):  # also a time
        return value.isoformat()
    return getattr(value, "__dict__", None) or str(value)
