"""The commands about the history of a source: history check, receive, backup, end."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_database, choose_databases
from hackorda_ops.cli.printing import print_json
from hackorda_ops.environment import Protected
from hackorda_ops.exercise.history_check import check_history, check_kept, checks_of
from hackorda_ops.histories import registry
from hackorda_ops.histories.kind import Keeper
from hackorda_ops.proof.check import Check, title_of
from hackorda_ops.words import duration, size

app = typer.Typer(
    help="The history of a source, which copies of it are made of: checked, and for a server of your own kept here.",
    no_args_is_help=True,
)
# A thread that waits for its child must not keep the others from being asked.
_LOOK_AGAIN_SECONDS = 1.0


@app.command()
def check(
    database: DatabaseName = None,
    kept: Annotated[
        bool,
        typer.Option(
            "--kept",
            help="Only look whether it is kept well, of every database that is meant; no copy is made.",
        ),
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Check that the history window is as long as the policy says, and open one copy near its far end.

    The copy must hold exactly the rows recorded in a past artifact's manifest; it's deleted
    afterwards. A history that somebody has to look after must be kept well, too. Exit code 1: one of these is not so.
    """
    if kept:
        _check_kept(choose_databases(config, database), as_json=as_json)
        return
    protected = choose_database(config, database)
    checked = check_history(protected)
    if as_json:
        print_json({"database": protected.name, **asdict(checked)})
    else:
        traits = registry.traits_of(protected)
        terminal.table(
            f"{protected.name}, the history that {traits.keeper} keeps",
            ("check", "outcome", "what it saw"),
            [(title_of(each.name, checks_of(traits)), each.outcome, each.summary) for each in checked.checks],
        )
    _exit_by(checked.checks)


def _check_kept(chosen: Sequence[Protected], *, as_json: bool) -> None:
    looked_after = [
        each for each in chosen if (kind := registry.kind_of(each.policy)) and kind.traits.looked_after
    ]
    # Where nobody has to look after any, the first one says why.
    made = {each.name: check_kept(each) for each in looked_after or chosen[:1]}
    if as_json:
        print_json([{"database": name, "kept_well": asdict(each)} for name, each in made.items()])
    else:
        terminal.table(
            "Whether histories are kept well",
            ("database", "outcome", "what it saw"),
            [(name, each.outcome, each.summary) for name, each in made.items()],
        )
    _exit_by(tuple(made.values()))


def _exit_by(made: Sequence[Check]) -> NoReturn:
    raise typer.Exit(1 if any(each.outcome == "failed" for each in made) else 0)


@app.command()
def receive(database: DatabaseName = None, config: ConfigPath = None) -> None:
    """Receive the WAL of a server of your own, until stopped: run it as a service.

    Of every database whose history is kept here (history.barman.run), or of one. It makes a replication slot on
    the source, and begins again by itself whenever reception ends; `hackorda-ops history check`, preflight and an
    alarm show that. deploy/ has a service for systemd, and one for Docker Compose.
    """
    chosen = choose_databases(config, database)
    keepers = {each.name: keeper for each in chosen if (keeper := registry.keeper_of(each))}
    if not keepers:
        registry.require_keeper(chosen[0])
    for keeper in keepers.values():
        keeper.prepare()
    _receive_all(keepers)


def _receive_all(keepers: Mapping[str, Keeper]) -> None:
    stopped = threading.Event()
    with ThreadPoolExecutor(len(keepers)) as pool:
        working = [
            pool.submit(keeper.receive, say=_sayer(name), stopped=stopped) for name, keeper in keepers.items()
        ]
        try:
            # In steps, so that a signal is noticed.
            while not (ended := wait(working, _LOOK_AGAIN_SECONDS, return_when=FIRST_EXCEPTION)).done:
                pass
        finally:
            stopped.set()
    for each in ended.done:
        each.result()


def _sayer(name: str) -> Callable[[str], None]:
    return lambda line: print(f"{name}: {line}", flush=True)


@app.command()
def backup(database: DatabaseName = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Take a base backup now: recoveries to any later moment begin with it.

    Only where the history is kept here, and `hackorda-ops history receive` is running. Dagster does it by itself, as
    history.barman.run.base_backup says.
    """
    protected = choose_database(config, database)
    taken = registry.require_keeper(protected).base_backup()
    if as_json:
        print_json({"database": protected.name, **asdict(taken)})
        return
    room = f", {size(taken.size_bytes)}" if taken.size_bytes is not None else ""
    terminal.out.print(
        f"The base backup {taken.backup_id} of {protected.name} took {duration(taken.seconds)}{room}. Recoveries to "
        f"any moment after {taken.ended_at:%Y-%m-%d %H:%M:%S} UTC can begin with it.",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def end(database: DatabaseName = None, config: ConfigPath = None) -> None:
    """Stop keeping a history here for good: drop the replication slot, which would go on holding WAL on the source.

    What was received stays where it is. Stop `hackorda-ops history receive` first.
    """
    terminal.out.print(
        registry.require_keeper(choose_database(config, database)).end(), markup=False, soft_wrap=True
    )
