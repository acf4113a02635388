"""Simulated years: what the product decides, against a source, places and clocks that are simulated.

    python -m hackorda_ops_tests.years                        a hundred years
    python -m hackorda_ops_tests.years --years 5000 --seed 7  as many as that, from this seed on
    python -m hackorda_ops_tests.years --eventful             stories of a few months in which much happens
    python -m hackorda_ops_tests.years --story 17             one story again, as the report of a failure says

Each seed is a story, which a commit tells the same way each time. Where one breaks a rule, the smallest story that
breaks it is printed, and the command ends with 1.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from hackorda_ops_tests.years.run import Told, tell
from hackorda_ops_tests.years.shrinking import shrunk
from hackorda_ops_tests.years.story import eventful, told


def _of_seed(seed: int) -> Told:
    return tell(told(seed))


def _eventful(seed: int) -> Told:
    return tell(eventful(seed))


def _stories(seeds: Sequence[int], jobs: int, *, much_happens: bool) -> Iterator[Told]:
    of_seed = _eventful if much_happens else _of_seed
    if jobs == 1:
        yield from map(of_seed, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(of_seed, seeds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Tells the stories; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m hackorda_ops_tests.years",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--years", type=int, default=100, help="how many, at least")
    parser.add_argument("--seed", type=int, default=0, help="of the first story")
    parser.add_argument("--story", type=int, help="tells this one alone")
    parser.add_argument(
        "--eventful", action="store_true", help="stories of a few months in which much happens"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="stories at a time")
    given = parser.parse_args(arguments)
    days = (eventful(0) if given.eventful else told(0)).days
    number = 1 if given.story is not None else -(-given.years * 365 // days)
    first = given.seed if given.story is None else given.story
    seeds = range(first, first + number)
    began, broken = time.monotonic(), list[Told]()
    counted: Counter[str] = Counter()
    for done, each in enumerate(
        _stories(seeds, 1 if number == 1 else given.jobs, much_happens=given.eventful), start=1
    ):
        counted.update(days=each.at, looks=each.looks, nights=each.nights, alarms=each.alarms)
        if each.broken is not None:
            broken.append(each)
            print(f"story {each.story.seed}, day {each.at}: {each.rule}", flush=True)
        if done % 25 == 0:
            print(f"{done} of {number} stories, {counted['days'] / 365:,.0f} years", flush=True)
    print(
        f"{counted['days'] / 365:,.1f} years in {time.monotonic() - began:.0f} s: {number} stories, "
        f"{counted['nights']:,} nights, {counted['looks']:,} looks, {counted['alarms']:,} messages, "
        f"{len(broken)} broken."
    )
    rules = {each.rule: each for each in reversed(broken)}
    for each in rules.values():
        smallest = shrunk(each)
        print(f"\n{smallest.broken}\n{smallest.story}")
        how = "--eventful " if given.eventful else ""
        print(f"Again: make years ARGS='{how}--story {each.story.seed}'")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
