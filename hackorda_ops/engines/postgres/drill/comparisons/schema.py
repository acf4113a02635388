"""Whether the restored schema is the backup's, object by object.

Its text alone isn't enough: some expressions (`varchar IN ('a', 'b')`, a nested BETWEEN) are written differently
after their first restore. So whatever differs in text is compared with a twin: the archive's schema restored
once more, alone, into another empty database. What took the same path must have the same text.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hackorda_ops.engines.postgres.drill.comparisons.built_in import read_built_in, with_built_in
from hackorda_ops.engines.postgres.drill.comparisons.schema_text import (
    SchemaObject,
    differing,
    object_list_findings,
    objects_of,
    text_finding,
)
from hackorda_ops.errors import ToolFailed
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives.contents import ArchiveEntry, list_entries, restorable, write_list
from hackorda_ops.postgres.restoring import by_administrator
from hackorda_ops.postgres.sessions.connection import (
    ConnectionTarget,
    environment,
    redact,
    secret_files,
    with_database,
)
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS, client_encoding
from hackorda_ops.postgres.tools.clients import Clients, for_an_archive
from hackorda_ops.postgres.tools.dump import KEEPALIVES
from hackorda_ops.postgres.tools.tool_errors import ToolOutput, require_success
from hackorda_ops.processes import child
from hackorda_ops.redaction.tool_lines import without_rows

_DEADLINE_SECONDS: Final = 1800.0
_SAME_FOR_ALL: Final = (
    "--schema-only",
    "--no-owner",
    "--no-privileges",
    "--no-subscriptions",
    "--no-tablespaces",
)

Schema = Mapping[SchemaObject, tuple[str, ...]]


def schema_findings(
    archive: Path,
    restored: ConnectionTarget,
    *,
    encoding: str,
    tools: Clients,
    new_twin: Callable[[], ConnectionTarget],
    folder: Path,
    administrator: ConnectionTarget | None = None,
) -> tuple[tuple[Finding, ...], int]:
    """Compares the schema of a restored database with its archive's.

    Args:
        archive: the dump.
        restored: the database that it was restored into.
        encoding: of that database.
        tools: of the server's major version.
        new_twin: makes an empty database next to the restored one; called only where texts differ.
        folder: an existing private folder for what is dumped here.
        administrator: creates what the role that restores may not; None where that creates everything.

    Returns:
        A finding per object that is missing, extra or different; and how many objects were compared.

    Raises:
        OpsError: a tool failed.
    """

    def schema_of(target: ConnectionTarget, file: str, archived: Callable[[], Schema]) -> Schema:
        schema = schema_of_archive(tools, _dump_schema(tools, target, encoding, folder / file), folder)
        with (
            translated_errors(target, "Reading the schema"),
            connect(target, application_name="hackorda_ops drill") as connection,
        ):
            return with_built_in(schema, read_built_in(connection), archived())

    # Both wait for one small program after the other, so they do it side by side.
    with ThreadPoolExecutor(1, "schema") as beside:
        reading = beside.submit(schema_of_archive, tools, archive, folder)
        observed = schema_of(restored, "restored.dump", reading.result)
    archived = expected = reading.result()
    findings = list(object_list_findings(expected, observed))
    suspects = differing(expected, observed)
    if suspects:
        twin = new_twin()
        _restore_schema(tools, archive, twin, folder, administrator)
        expected = schema_of(twin, "twin.dump", lambda: archived)
        # An object that even the twin lacks, or has as an extra, is among the findings already.
        findings += [
            text_finding(key, expected[key], observed[key])
            for key in suspects
            if key in expected and expected[key] != observed[key]
        ]
    return tuple(findings), len(observed)


def schema_of_archive(tools: Clients, archive: Path, folder: Path) -> Schema:
    """The schema's objects in an archive, whose data need not be there.

    Args:
        tools: of the major version that wrote the archive, or later.
        archive: the dump.
        folder: an existing private folder; nothing is left in it.

    Raises:
        ToolFailed: pg_restore can't read it.
    """
    with _script(tools, archive, folder) as script:
        # Decoded without loss and without touching line ends, which may be inside of a function's body.
        return objects_of(script.read_bytes().decode("utf-8", "backslashreplace"))


@contextmanager
def _script(
    tools: Clients, archive: Path, folder: Path, without: Collection[ArchiveEntry] = ()
) -> Iterator[Path]:
    """An archive's schema as SQL in a file, for as long as the block lasts."""
    # Of a name of its own: two of them may be read at a time.
    script, chosen = (folder / f"{archive.name}.{suffix}" for suffix in ("sql", "list"))
    entries = restorable(list_entries(tools, archive))
    write_list([entry for entry in entries if entry not in without], chosen)
    finished = child.run(
        [tools.pg_restore, *_SAME_FOR_ALL, f"--use-list={chosen}", f"--file={script}", archive],
        environment=for_an_archive(),
        deadline_seconds=_DEADLINE_SECONDS,
    )
    if finished.returncode != 0:
        raise ToolFailed(
            f"pg_restore could not write the schema of {archive}:\n{without_rows(finished.stderr_tail)}",
            meaning="The schema could not be compared.",
            next_step="Look at the message; if the archive is at fault, use another artifact.",
        )
    try:
        yield script
    finally:
        # It contains user mappings with their passwords: it is deleted as soon as it is read.
        script.unlink()


def _dump_schema(tools: Clients, target: ConnectionTarget, encoding: str, file: Path) -> Path:
    _run(
        "pg_dump",
        f"reading the schema of {target.describe()}",
        [
            tools.pg_dump,
            "--format=custom",
            f"--encoding={client_encoding(encoding)}",
            *_SAME_FOR_ALL,
            "--no-password",
            f"--file={file}",
            KEEPALIVES,
        ],
        target,
    )
    return file


def _restore_schema(
    tools: Clients,
    archive: Path,
    target: ConnectionTarget,
    folder: Path,
    administrator: ConnectionTarget | None,
) -> None:
    special: tuple[by_administrator.Reserved, ...] = ()
    if administrator is not None:
        entries = restorable(list_entries(tools, archive))
        special = by_administrator.reserved(entries, clients=tools, archive=archive)
    # By psql: a pg_restore that alters what it restores would alter the twin the same way, and so hide it.
    with _script(tools, archive, folder, {each.entry for each in special}) as script:
        _run(
            "psql",
            f"restoring the schema into {target.describe()}",
            [
                tools.psql,
                "--no-psqlrc",
                "--quiet",
                "--output=/dev/null",
                "--set=ON_ERROR_STOP=1",
                "--no-password",
                f"--file={script}",
                KEEPALIVES,
            ],
            target,
        )
    if administrator is not None:
        by_administrator.create(with_database(administrator, target.database), special)


def _run(tool: str, doing: str, arguments: list[str | Path], target: ConnectionTarget) -> None:
    output = ToolOutput()
    finished = child.run(
        arguments,
        environment=environment(target, settings=RESTORE_SETTINGS, base=os.environ),
        secret_files=secret_files(target),
        on_stderr_line=output.hear,
        redact=lambda text: redact(text, target),
        deadline_seconds=_DEADLINE_SECONDS,
    )
    require_success(tool, doing, returncode=finished.returncode, complaints=output.complaints)
