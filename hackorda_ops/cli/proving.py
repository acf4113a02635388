"""The command that proves an artifact as each night is proven: prove."""

from datetime import date, datetime
from typing import Annotated

import typer
from rich.text import Text

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import (
    ArtifactId,
    AsJson,
    ConfigPath,
    DatabaseName,
    IdentityFile,
    choose_database,
)
from hackorda_ops.cli.printing import print_json
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.night_proof.prove import Proved, in_a_sentence
from hackorda_ops.night_proof.prove import prove as prove_night


def prove(
    database: DatabaseName = None,
    artifact: ArtifactId = None,
    night: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Prove the newest sound artifact of this night instead."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Repeat the choices of an earlier proof's self-test; its check names the seed."),
    ] = None,
    identity: IdentityFile = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Restore an artifact on this machine or on scratch, compare every row, take it down, remember the verdict.

    Takes the artifact that `restore` would take, from the place that it would fetch it from, and needs nothing but the
    server's programs of that major version: a server is started for it, which nobody else reaches. Where that can't
    be, it restores where drills do; proof.where in databases.yaml says which. Dagster does the same after each night.
    Exit code 0: PASS. 1: FAIL, the backup is not what it must be. 3: ERROR, it could not judge.
    """
    protected = choose_database(config, database, None, identity)
    with terminal.progress_shown() as on_progress:
        proved = prove_night(
            protected,
            night=_day(night),
            artifact_id=artifact,
            seed=seed,
            on_progress=on_progress,
        )
    if as_json:
        print_json({"proof": proved.proof, "not_stored": proved.not_stored})
    else:
        _show(proved)
    raise typer.Exit({"PASS": 0, "FAIL": 1, "ERROR": 3}[proved.proof.verdict])


def _day(night: datetime | None) -> date | None:
    return None if night is None else night.date()


def _show(proved: Proved) -> None:
    proof = proved.proof
    terminal.table(
        f"{proof.database}, proof of {proof.artifact.artifact_id}, night of {proof.night}",
        ("check", "outcome", "what it saw"),
        [(check.name, check.outcome, check.summary) for check in proof.checks],
    )
    terminal.findings(proof.findings)
    for note in (*proof.warnings, *proved.not_stored):
        terminal.out.print(Text(f"  note: {note}"), soft_wrap=True)
    sentence = in_a_sentence(proof)
    if proof.verdict == "FAIL":
        follows = consequence_of(proof)
        sentence = f"{sentence}\n  What it means: {follows.meaning}\n  Next step: {follows.next_step}"
        terminal.verdict(proof.verdict, sentence, about=follows.headline, ground=follows.colour)
        return
    if proof.error is not None:
        sentence += f"\n  What it means: {proof.error.meaning}\n  Next step: {proof.error.next_step}"
    terminal.verdict(proof.verdict, sentence)
