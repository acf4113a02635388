"""The list of commands, which is written without loading any."""

import subprocess
import sys

import pytest
from typer.main import get_command

from hackorda_ops.cli import app
from hackorda_ops.cli.commands import LISTED, ListedCommand, loaded


@pytest.mark.parametrize("listed", LISTED, ids=lambda each: each.name)
def test_a_command_is_listed_with_the_first_sentence_of_its_documentation(listed: ListedCommand) -> None:
    documentation = loaded(listed).help

    assert " ".join(documentation.split("\n\n")[0].split()) == listed.help


def test_help_lists_every_command_without_loading_what_they_need() -> None:
    heavy = "boto3", "botocore", "dagster", "httpx", "pandas", "psycopg", "pydantic", "jinja2", "apprise"
    program = (
        "import atexit, sys; from hackorda_ops.cli import app; "
        f"atexit.register(lambda: print('loaded', [each for each in {heavy} if each in sys.modules])); app(['--help'])"
    )

    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert "loaded []" in shown
    assert all(f" {each.name} " in shown for each in LISTED)


def test_what_is_listed_is_what_can_be_called() -> None:
    root = get_command(app)

    assert list(root.commands) == [each.name for each in LISTED]  # type: ignore[attr-defined]
