"""A restore, a proof and a drill, and pg_restore by itself."""

import os
from pathlib import Path

from bench.variants.given import NAME, TARGET, protected, tool
from hackorda_ops.drill.quarter import hold_drill
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.night_proof.prove import prove
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back


def prove_night(folder: Path) -> None:
    """The proof of a night on a server of its own."""
    proven = prove(protected(folder)).proof
    if proven.verdict != "PASS":
        raise SystemExit(f"The proof ended with {proven.verdict}: {proven.error}")


def bare_restore(folder: Path) -> None:
    """pg_restore by itself."""
    target = connection.parse(os.environ[TARGET], origin=TARGET)
    [dump] = (folder / "store" / NAME).glob("*/dump")
    tool("pg_restore", "--jobs=2", "--exit-on-error", f"--dbname={target.database}", dump, url=TARGET)


def proven_restore(folder: Path) -> None:
    """A restore that compares every row."""
    of = protected(folder)
    brought = bring_back(
        of,
        of.store,
        choose(read_judged({"store": of.store}, NAME), None).candidates[0].manifest,
        connection.parse(os.environ[TARGET], origin=TARGET),
        source=None,
        on_progress=ignore,
    )
    if brought.findings:
        raise SystemExit(f"The restore differs: {brought.findings}")


def drill(folder: Path) -> None:
    """A whole drill."""
    held = hold_drill(protected(folder))
    if held.result.verdict != "PASS":
        raise SystemExit(
            f"The drill ended with {held.result.verdict}: {held.result.findings} {held.result.error}"
        )
