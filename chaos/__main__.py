"""A fault at every call of the commands, on real servers, and what must hold after each.

    python -m chaos                     every position of every command with every fault: many hours
    python -m chaos --cases 500         so many of them, evenly of all commands
    python -m chaos --short             a few, in minutes
    python -m chaos --command night     of one command
    python -m chaos --boundary s3       at one boundary
    python -m chaos --case NAME         one case again, by the name that it was reported with
    python -m chaos --kills 1000        SIGKILL at random moments instead

Fails where anything didn't hold, and where a position wasn't reached.
"""

import argparse
import queue
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from chaos import cases as running
from chaos import page
from chaos.cases import Case, Outcome
from chaos.commands import COMMANDS, EVERY, chosen, make_state
from chaos.faults import Fault
from chaos.world import World, compiled, running_world

_SHORT = 24


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--command", action="append", choices=[*EVERY], default=[], help="only this command")
    parser.add_argument("--boundary", help="only positions whose boundary begins with this")
    parser.add_argument("--fault", help="only this kind of fault")
    parser.add_argument("--cases", type=int, help="so many cases, evenly of all commands")
    parser.add_argument("--case", action="append", default=[], help="this case alone")
    parser.add_argument("--kills", type=int, help="so many SIGKILLs at random moments instead of faults")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the moments of SIGKILLs, and of the order (1)"
    )
    parser.add_argument(
        "--workers", type=int, default=4, help="cases at a time, each on servers of its own (4)"
    )
    parser.add_argument(
        "--short",
        action="store_true",
        help=f"{_SHORT} cases of the commands without Neon and Redis, no hangs",
    )
    parser.add_argument("--write", action="store_true", help="write what was found into docs/reliability.md")
    parser.add_argument("--positions", action="store_true", help="only list the positions")
    return parser.parse_args(arguments)


def listed(world: World, options: argparse.Namespace, console: Console) -> tuple[list[Case], list[str]]:
    """Every case that is asked for, and what didn't hold without any fault."""
    cases: list[Case] = []
    wrong: list[str] = []
    names = options.command or ([each.name for each in COMMANDS] if options.short else [])
    for command in chosen(names):
        began = time.monotonic()
        if options.kills is not None:
            make_state(world, command.starts_from)
            world.back_to(command.starts_from)
            command.prepare(world)
            began = time.monotonic()
            world.run(command.arguments)
            cases.append(Case(command.name, None, time.monotonic() - began))
            continue
        met, found = running.positions(world, command)
        wrong += [f"{command.name}, without a fault: {each}" for each in found]
        wanted = [each for each in met if each.boundary.startswith(options.boundary or "")]
        counts = Counter(each.boundary for each in wanted)
        console.print(f"{command.name}: {len(wanted)} positions {dict(counts)}", highlight=False)
        if options.positions:
            for position in wanted:
                console.print(f"  {position}", highlight=False, markup=False)
        cases += [
            Case(command.name, Fault(position, kind))
            for position in wanted
            for kind in position.faults
            if kind == (options.fault or kind) and not (options.short and kind == "hang")
        ]
    return cases, wrong


def _kills(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    # A case of each command has how long it took: every moment until its end is as likely.
    chance = random.Random(seed)  # noqa: S311  # moments, not secrets
    chosen_cases = [cases[number % len(cases)] for number in range(count)]
    return [
        Case(each.command, None, chance.uniform(0, each.kill_after_seconds or 0)) for each in chosen_cases
    ]


def _outcomes(
    folder: Path, library: Path, first: World, cases: Sequence[Case], workers: int
) -> Iterator[Outcome]:
    """Runs cases in as many worlds; the first one is there already."""
    waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
    done: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
    for case in cases:
        waiting.put(case)

    def work(world: World) -> None:
        try:
            while True:
                done.put(running.run(world, waiting.get_nowait()))
        except queue.Empty:
            done.put(None)
        except BaseException as problem:  # noqa: BLE001  # raised again by whoever waits
            done.put(problem)

    def in_a_world(number: int) -> None:
        with running_world(folder / f"world-{number}", library) as world:
            work(world)

    threads = [threading.Thread(target=work, args=(first,))] + [
        threading.Thread(target=in_a_world, args=(number,)) for number in range(1, min(workers, len(cases)))
    ]
    for each in threads:
        each.start()
    ended = 0
    while ended < len(threads):
        outcome = done.get()
        if outcome is None:
            ended += 1
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            yield outcome
    for each in threads:
        each.join()


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what is asked for, prints what was found, and fails where anything didn't hold."""
    options = _parsed(arguments)
    # Ended by somebody, it ends its servers and removes its files.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    console = Console(width=None if sys.stdout.isatty() else 160)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="hackorda-chaos-"))
    # The servers' unprivileged user has to get through.
    folder.chmod(0o711)
    outcomes: list[Outcome] = []
    wrong: list[str] = []
    try:
        library = compiled(folder)
        with running_world(folder / "world-0", library) as world:
            if options.case:
                every = [running.parsed(each) for each in options.case]
            else:
                every, wrong = listed(world, options, console)
            for each in wrong:
                console.print(each, style="red", highlight=False, markup=False)
            wanted = (
                _kills(every, options.kills, options.seed)
                if options.kills is not None
                else running.sampled(every, options.cases or (_SHORT if options.short else None))
            )
            if options.positions:
                return
            random.Random(options.seed).shuffle(wanted)  # noqa: S311  # so that workers share what takes long
            console.print(f"{len(wanted)} of {len(every)} cases", highlight=False)
            for outcome in _outcomes(folder, library, world, wanted, options.workers):
                outcomes.append(outcome)
                _tell(outcome, len(outcomes), len(wanted), console)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - began
    for line in page.summary(outcomes, len(every), seconds):
        console.print(line, highlight=False, markup=False)
    if options.write:
        page.write(outcomes, len(every), seconds, kills=options.kills is not None)
    missed = [each for each in outcomes if not each.reached]
    if wrong or missed or any(each.wrong for each in outcomes):
        sys.exit(1)


def _tell(outcome: Outcome, number: int, of: int, console: Console) -> None:
    if outcome.wrong or not outcome.reached:
        console.print(
            f"[{number}/{of}] {outcome.case.name}: code {outcome.code}", markup=False, highlight=False
        )
        for each in outcome.wrong or ("the position wasn't reached",):
            console.print(f"    {each}", style="red", markup=False, highlight=False)
        for line in outcome.output.strip().splitlines()[-12:]:
            console.print(f"      | {line}", style="dim", markup=False, highlight=False)
    elif number % 25 == 0:
        console.print(f"[{number}/{of}]", markup=False, highlight=False)


if __name__ == "__main__":
    main()
