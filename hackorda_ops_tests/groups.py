"""Which tests one worker runs one after the other (pytest-xdist's groups), and which groups begin first."""

from typing import Final

import pytest

# A group that begins last and takes minutes leaves the other workers idle, so those that take longest (on two cores;
# `python -m hackorda_ops_tests.timings` shows how long) begin first, in this order. All others follow by file.
LONGEST_FIRST: Final = (
    "e2e: stacks of their own",
    "e2e: the shop",
    "zoo on 15",
    "zoo on 16",
    "zoo on 17",
    "zoo on 18",
    "gallery: in the artifact off-site",
    "gallery: in the restored copy",
    "gallery: by the tool that restores",
    "gallery: by the tool that dumps",
    "migration tools themselves",
    "histories",
    "hackorda_ops_tests/engines/postgres/night/test_night_from_a_branch.py",
    "hackorda_ops_tests/cli/test_cli.py",
    "hackorda_ops_tests/exercise/test_exercise.py",
    "hackorda_ops_tests/drill/test_drill_on_neon.py",
    "hackorda_ops_tests/drill/test_faults_of_neon.py",
    "hackorda_ops_tests/drill/test_drill_killed_anywhere.py",
    "hackorda_ops_tests/engines/postgres/night/test_in_nobodys_way.py",
    "hackorda_ops_tests/engines/postgres/night/test_many_tables.py",
    "hackorda_ops_tests/zoo/test_thousands_of_tables.py",
)


def put_in_order(items: list[pytest.Item]) -> None:
    """Gives each test its group, and sorts the groups; within a group the order stays."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(_group_of(item), len(places)))


def _group_of(item: pytest.Item) -> str:
    marked = item.get_closest_marker("xdist_group")
    if marked is not None:
        return str(marked.args[0])
    # A file's tests share its servers, so one worker runs them all; and of whole Dagsters two at a time are enough.
    name = item.path.relative_to(item.config.rootpath).as_posix()
    if "/e2e/" in name:
        over_the_shop = "shop" in getattr(item, "fixturenames", ())
        name = "e2e: the shop" if over_the_shop else "e2e: stacks of their own"
    item.add_marker(pytest.mark.xdist_group(name))
    return name
