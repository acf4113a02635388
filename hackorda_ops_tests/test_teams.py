"""docs/teams: each example loads, and each page names only commands, assets, checks and keys that there are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hackorda_ops.cli.commands import LISTED, loaded
from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Policy
from hackorda_ops.config.text.problems import known_keys
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops_tests.e2e.teams import EXAMPLES, TEAMS, in_one_file

PAGES = tuple(path for path in sorted(TEAMS.glob("*.md")) if path.stem != "README")
# Keys of a mapping whose parts have names of their own.
PROVIDERS = {"scratch.neon", "scratch.server"}


def rows(page: Path) -> Iterator[tuple[str, str, str]]:
    """The rows of a page's tables: what the document says, what does it, and how."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| Their document"):
            said, by, how = (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|")))
            yield said, by, how


def commands() -> set[str]:
    """Every command, as it is typed."""
    found = set()
    for listed in LISTED:
        parts = getattr(loaded(listed), "commands", {})
        found |= {f"hackorda-ops {listed.name}"} | {f"hackorda-ops {listed.name} {part}" for part in parts}
    return found


def is_key(name: str) -> bool:
    """Whether databases.yaml has such a key, in a database's own section."""
    *path, last = name.split(".")
    return last in known_keys(Policy, path) or name in PROVIDERS


def test_each_team_has_a_page_and_an_example() -> None:
    assert {page.stem for page in PAGES} == {example.stem for example in EXAMPLES}
    assert len(PAGES) == 4


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_teams_example_loads_by_itself(example: Path) -> None:
    config = config_file.load(example)

    assert len([each for each in config.databases.values() if each.beside is None]) == 1
    build_defs(config)


def test_the_examples_go_together_in_one_file(tmp_path: Path) -> None:
    # Amanat has two: its Redis beside its Postgres.
    assert len(config_file.load(in_one_file(tmp_path)).databases) == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_names_nothing_that_is_not_there(page: Path) -> None:
    config = config_file.load(page.with_suffix(".yaml"))
    graph = build_defs(config).resolve_asset_graph()
    assets = {each.path[-1] for each in graph.get_all_asset_keys()}
    known = assets | {each.name for each in graph.asset_check_keys} | commands()

    wrong = []
    for said, by, how in rows(page):
        names = re.findall(r"`([^`]+)`", by)
        assert names or by == "not ours", f"{said}: neither done by anything nor somebody else's"
        wrong += [(said, each) for each in names if each not in known and not is_key(each)]
        wrong += [
            (said, each)
            for each in re.findall(r"`(hackorda-ops (?:(?:cutover|maintenance) )?[a-z]+)", how)
            if each not in known
        ]
    assert wrong == []


def test_the_index_links_every_page_and_example() -> None:
    text = (TEAMS / "README.md").read_text(encoding="utf-8")

    for path in (*PAGES, *EXAMPLES):
        assert f"({path.name})" in text
