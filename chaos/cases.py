"""One case: a command with one fault, and everything that must hold after it."""

import hashlib
import itertools
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from chaos import invariants
from chaos.commands import EVERY, Command, make_state
from chaos.faults import Fault, Position
from chaos.invariants import Before
from chaos.world import Ran, World

_TRIES: Final = 3
_TWO_DAYS_SECONDS: Final = 2 * 86_400
# No case may take longer, whatever was done to its calls; each wait of the product has a bound well below it.
LONGEST_SECONDS: Final = 400.0


@dataclass(frozen=True)
class Case:
    """A fault at a position of a command.

    Attributes:
        command: its name.
        fault: what is done, and where; None only to list the positions.
        kill_after_seconds: kills the command after so long, instead of a fault.
    """

    command: str
    fault: Fault | None = None
    kill_after_seconds: float | None = None

    @property
    def name(self) -> str:
        """As `--case` takes it."""
        if self.kill_after_seconds is not None:
            return f"{self.command}/kill/{self.kill_after_seconds:.3f}"
        if self.fault is None:
            return self.command
        at = self.fault.position
        return f"{self.command}/{at.boundary}/{at.occurrence}/{self.fault.kind}/{at.label}"


def parsed(name: str) -> Case:
    """A case by its name."""
    command, boundary, rest = name.split("/", 2)
    if boundary == "kill":
        return Case(command, None, float(rest))
    occurrence, kind, label = rest.split("/", 2)
    return Case(command, Fault(Position(boundary, label, int(occurrence)), kind))


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        case: which.
        code: how the command ended.
        wrong: what didn't hold.
        reached: whether the fault was met.
        seconds: of the command itself.
        output: what the command printed, where something didn't hold.
    """

    case: Case
    code: int | None
    wrong: tuple[str, ...]
    reached: bool
    seconds: float
    output: str = field(default="", repr=False)


def positions(world: World, command: Command) -> tuple[list[Position], list[str]]:
    """Every call of a command without a fault, and what doesn't hold when it runs, and runs again."""
    make_state(world, command.starts_from)
    world.back_to(command.starts_from)
    command.prepare(world)
    was = invariants.before(world, command)
    ran = world.run(command.arguments)
    wrong = [] if ran.code == 0 else [f"it ended with {ran.code}:\n{ran.output}"]
    wrong += [*invariants.after_a_fault(world, command, ran, was, "none"), *invariants.leftovers(world)]
    there = invariants.artifacts(world, command.of)
    again = world.run(command.arguments)
    if again.code != (2 if command.refused_again else 0) and not (command.refused_again and again.code == 3):
        wrong.append(f"run twice, it ends with {again.code}:\n{again.output}")
    wrong += _changed(there, invariants.artifacts(world, command.of))
    return ran.meeting.met, wrong


_Artifacts = dict[tuple[str, str], invariants.Artifact]


def _changed(there: _Artifacts, now: _Artifacts) -> list[str]:
    return [
        f"run twice, it changes the artifact {key[1]} in the {key[0]}"
        for key in there
        if now.get(key) != there[key]
    ]


def run(world: World, case: Case) -> Outcome:
    """Runs a case, and looks at everything afterwards; again where a call wasn't made, as some are by time."""
    for _ in range(_TRIES - 1):
        outcome = _run_once(world, case)
        if outcome.reached:
            return outcome
    return _run_once(world, case)


def _run_once(world: World, case: Case) -> Outcome:
    command = EVERY[case.command]
    make_state(world, command.starts_from)
    world.back_to(command.starts_from)
    command.prepare(world)
    was = invariants.before(world, command)
    began = time.monotonic()
    ran = world.run(
        command.arguments,
        case.fault,
        within_seconds=LONGEST_SECONDS,
        kill_after_seconds=case.kill_after_seconds,
    )
    seconds = time.monotonic() - began
    kind = case.fault.kind if case.fault else "kill"
    wrong = [*invariants.after_a_fault(world, command, ran, was, kind)]
    wrong += _a_day_later(world, command, was)
    reached = ran.meeting.fired or case.fault is None
    return Outcome(case, ran.code, tuple(wrong), reached, seconds, ran.output if wrong else "")


def _a_day_later(world: World, command: Command, was: Before) -> Iterator[str]:
    """The command again without a fault, and the sweep: nothing is left of the fault."""
    _age(world)
    if command.name == "restore" and world.run(command.arguments).code != 0:
        # What is half restored is refused; the operator makes the database anew.
        world.empty_scratch()
        yield from _must_pass(world, command, was)
    elif command.name != "restore":
        yield from _must_pass(world, command, was)
    if command.name != "sweep":
        swept = world.run(("sweep",))
        if swept.code != 0:
            yield f"the sweep ends with {swept.code}: {_last(swept)}"
    left = [*invariants.leftovers(world)]
    if any(each.startswith(("the file", "the upload")) for each in left):
        # What only retention removes.
        _age(world)
        pruned = world.run(("prune", "--delete"))
        if pruned.code != 0:
            yield f"prune ends with {pruned.code}: {_last(pruned)}"
        left = [*invariants.leftovers(world)]
    yield from (f"a day later there still is {each}" for each in left)


def _must_pass(world: World, command: Command, was: Before) -> Iterator[str]:
    again = world.run(command.arguments)
    if again.code != 0:
        yield f"without a fault, it then ends with {again.code}: {_last(again)}"
        return
    yield from (f"then: {each}" for each in invariants.after_a_fault(world, command, again, was, "none"))


def _age(world: World) -> None:
    """Makes whatever lies in the folders two days old."""
    moment = time.time() - _TWO_DAYS_SECONDS
    for folder in ("tmp", "work", "store/.staging"):
        for path in [*(world.case / folder).rglob("*"), world.case / folder]:
            if path.exists():
                os.utime(path, (moment, moment))


def _last(ran: Ran) -> str:
    return " / ".join(line.strip() for line in ran.output.strip().splitlines()[-4:])


def sampled(cases: Sequence[Case], count: int | None) -> list[Case]:
    """A share of all cases, as many of each command, and the same ones each time, also where others are added."""
    if count is None or count >= len(cases):
        return list(cases)
    by_command: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda each: hashlib.sha256(each.name.encode()).digest()):
        by_command.setdefault(case.command, []).append(case)
    turns = itertools.zip_longest(*by_command.values())
    return [case for turn in turns for case in turn if case is not None][:count]
