"""The command that writes the auditor's page: evidence."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import ConfigPath, DatabaseName, choose_database
from hackorda_ops.stores.disk_errors import disk_errors

_DAYS = ["%Y-%m-%d"]


def evidence(
    first: Annotated[
        datetime, typer.Option("--from", formats=_DAYS, metavar="DATE", help="The first day, as 2026-01-01.")
    ],
    last: Annotated[datetime, typer.Option("--to", formats=_DAYS, metavar="DATE", help="The last day.")],
    database: DatabaseName = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="Where the page goes; by default into this folder."),
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", metavar="FILE", help="A public key that you trust, as for `receipts`."),
    ] = None,
    config: ConfigPath = None,
) -> None:
    """Write an auditor's page of a period: every night, copy and drill by its receipt, gaps and failures with the rest.

    One HTML file without scripts, which a browser prints as a PDF. It holds the result of checking the whole chain, the
    head, and how to check it oneself. Exit code 1: the chain is broken, or a place could not be read; the page says so.
    """
    from hackorda_ops.audit.evidence import gather  # noqa: PLC0415  # what these load takes a second
    from hackorda_ops.audit.page import page  # noqa: PLC0415
    from hackorda_ops.receipts import reading  # noqa: PLC0415
    from hackorda_ops.receipts.keys import trusted_ids  # noqa: PLC0415

    protected, now = choose_database(config, database), datetime.now(UTC)
    trusted = trusted_ids(protected.policy.receipts, key or ())
    with terminal.progress_shown() as on_progress:
        checked = reading.check(protected, trusted=trusted, on_progress=on_progress)
    found = gather(protected.policy, checked, first=first.date(), last=last.date(), now=now)
    path = out or Path(f"evidence-{protected.name}-{first:%Y-%m-%d}-{last:%Y-%m-%d}.html")
    with disk_errors(f"write the page {path}"):
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(page(found), encoding="utf-8")
    lines = [f"Written: {path}", *(f"  {line}" for line in "\n".join(checked.told).split("\n"))]
    lines += [f"{len(found.gaps)} without a receipt, {len(found.failures)} FAIL or ERROR in the period."]
    for line in lines:
        terminal.out.print(line, markup=False, soft_wrap=True)
    raise typer.Exit(0 if checked.whole else 1)
