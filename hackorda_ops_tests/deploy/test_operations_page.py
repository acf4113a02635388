"""docs/operations.md: what it tells somebody to type, to click and to open is there."""

import re
import warnings
from pathlib import Path

import dagster as dg
import typer

from hackorda_ops.cli import app
from hackorda_ops.config import file as config_file
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.sensors import missing_copies

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()


def test_every_command_that_it_tells_to_type_exists() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]

    told = set(re.findall(r"hackorda-ops ([a-z]+)", PAGE))

    assert {"status", "preflight", "prune", "restore"} <= told
    assert told <= commands


def test_every_job_sensor_and_asset_that_it_names_exists() -> None:
    with warnings.catch_warnings(action="ignore", category=dg.PreviewWarning):
        definitions = build_defs(config_file.load(ROOT / "databases.yaml")).get_repository_def()
    names = {
        *definitions.job_names,
        *(sensor.name for sensor in definitions.sensor_defs),
        *(schedule.name for schedule in definitions.schedule_defs),
        *(key.path[-1] for key in definitions.asset_graph.get_all_asset_keys()),
        # With several copies off-site only.
        missing_copies.NAME,
        # Pools.
        *(f"hackorda_{pool}" for pool in ("source", "offsite", "scratch")),
    }

    # What it says of former names isn't there any more.
    page = re.sub(r"\n\| before \|.*?\n\n", "\n", PAGE, flags=re.DOTALL)
    told = {name.replace("NAME", "hackorda") for name in re.findall(r"`(NAME_\w+)`", page)}
    of_the_table = set(re.findall(r"`(\w+)`", PAGE.partition("## What runs when")[2].partition("###")[0]))

    assert told
    assert told <= names
    assert {each.replace("NAME", "hackorda") for each in of_the_table} - {"schedule", "owners"} <= names


def test_every_file_and_picture_that_it_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE)

    assert links
    for link in links:
        assert (ROOT / "docs" / link).is_file(), link
