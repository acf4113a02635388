"""The README, as somebody follows it: every block as printed, in order, in one shell, on servers of the test's own."""

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml

from hackorda_ops.cli.commands import LISTED
from hackorda_ops.config import file as config_file
from hackorda_ops.local.dagster import storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops_tests.e2e.processes import ENVIRONMENT, PATIENCE_SECONDS, descendants, is_alive, until

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
# What the test's own environment stands in for: a stranger's clone, and what pip fetches.
_INSTALLS = ("python3 -m venv", "~/hackorda-ops/bin/pip install")
_FIVE_MINUTES = "Protect your own database in five minutes"
_THREE_IN_THE_MORNING = "At three in the morning"


@dataclass(frozen=True)
class Block:
    """A fenced block of the README."""

    section: str
    language: str
    text: str


def blocks() -> tuple[Block, ...]:
    """The README's blocks, in order."""
    found = []
    for section in re.split(r"^## ", README.read_text(encoding="utf-8"), flags=re.MULTILINE):
        title = section.splitlines()[0]
        for indent, language, text in _BLOCK.findall(section):
            found.append(Block(title, language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)))
    return tuple(found)


def of(section: str) -> tuple[Block, ...]:
    return tuple(each for each in blocks() if each.section == section)


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """The lines of a block with a value for each ellipsis: NAME=… and NAME='…'."""
    return re.sub(
        r"\b(\w+)=('?)[^'\s]*…\2", lambda found: f"{found[1]}={shlex.quote(values[found[1]])}", text
    )


@dataclass(frozen=True)
class Shell:
    """A shell that stays open: the folder, the variables and PATH go from one block to the next.

    Attributes:
        folder: that it begins in.
        home: where it keeps them.
    """

    folder: Path
    home: Path

    def _script(self, text: str) -> list[str]:
        state = self.home / ".state"
        before = f". {state}" if state.exists() else f"cd {self.folder}"
        return ["bash", "-euc", f'{before}\n{text}\n{{ export -p; echo "cd $PWD"; }} > {state}\n']

    def start(self, text: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._script(text),
            env={**ENVIRONMENT, "HOME": str(self.home), "TZ": "Europe/Berlin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A process group of its own, as a terminal gives it: Ctrl-C goes to all of the group.
            start_new_session=True,
        )

    def run(self, text: str) -> str:
        """Runs a block to its end, which has to be a good one; returns what it printed."""
        with self.start(text) as process:
            said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, f"{text}\n{said}"
        return said


@pytest.fixture
def values(
    postgres_server: PostgresServer, scratch_server: PostgresServer, s3_server: S3Server, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """What somebody has at hand who follows the README."""
    url = create_database(postgres_server, "shop")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("CREATE TABLE users (id int PRIMARY KEY, created_at timestamptz DEFAULT now())")
        session.execute("INSERT INTO users SELECT generate_series(1, 100)")
    create_bucket(s3_server, "readme")
    with psycopg.connect(scratch_server.url(), autocommit=True) as session:
        session.execute("CREATE ROLE readme_drills LOGIN CREATEDB CREATEROLE PASSWORD 'as the README says'")
    yield {
        "DATABASE_URL": url,
        "OFFSITE_BUCKET": "readme",
        "OFFSITE_ENDPOINT_URL": s3_server.endpoint_url,
        "OFFSITE_REGION": s3_server.region,
        "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
        "SCRATCH_ADMIN_URL": scratch_server.url(user="readme_drills", password="as the README says"),
        "RESTORE_URL": create_database(scratch_server, "shop restored"),
        "DAGSTER_HOME": str(tmp_path / "home" / "protected"),
        **storage_variables(create_database(scratch_server, "readme dagster")),
    }
    for server, name in (
        (postgres_server, "shop"),
        (scratch_server, "shop restored"),
        (scratch_server, "readme dagster"),
    ):
        with psycopg.connect(server.url(), autocommit=True) as session:
            session.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    with psycopg.connect(scratch_server.url(), autocommit=True) as session:
        session.execute("DROP ROLE readme_drills")


def installed(home: Path, install: Block, folder: Path) -> Shell:
    """A shell on a machine where the product was installed as the README says."""
    home.mkdir()
    # What the lines make that are left out, in the place where the README has it.
    (home / "hackorda-ops").symlink_to(sys.prefix)
    shell = Shell(folder, home)
    shell.run("\n".join(line for line in install.text.splitlines() if not line.startswith(_INSTALLS)))
    return shell


def fill_in_the_list(path: Path, printed: str, values: Mapping[str, str]) -> None:
    """Sets in .env what the README says; each variable has to be there already, set to nothing."""
    text = path.read_text()
    for name in re.findall(r"^(\w+)=", printed, re.MULTILINE):
        text, times = re.subn(
            rf"^(# )?{name}=$",
            f"{name}={shlex.quote(values[name])}".replace("\\", r"\\"),
            text,
            flags=re.MULTILINE,
        )
        assert times == 1, f"{name} is not in .env.example, or more than once:\n{text}"
    left = re.findall(r"^(\w+)=$", text, re.MULTILINE)
    assert left == [], "these have to be set, and the README does not say so"
    path.write_text(text)


def runs_until_interrupted(shell: Shell, text: str) -> list[str]:
    """Runs `dg dev` until Dagster has loaded the definitions, and presses Ctrl-C; returns what it printed."""
    said: list[str] = []
    family: dict[int, str] = {}
    with shell.start(text) as process:
        deadline = threading.Timer(PATIENCE_SECONDS, process.kill)
        deadline.start()
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            served = re.search(r"Serving dagster-webserver on http://127\.0\.0\.1:(\d+)", line)
            if served is not None:
                port = int(served[1])
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                    until(RunningDagster(port, client).loaded, "Dagster loads the definitions")
                family = descendants(process.pid)
                os.killpg(process.pid, signal.SIGINT)
        process.wait()
        deadline.cancel()
    assert any("dagster_webserver" in arguments for arguments in family.values()), "".join(said)
    until(lambda: not any(map(is_alive, family)), "Dagster and all below it have ended")
    return said


@pytest.mark.server
def test_the_five_minutes_can_be_followed_to_the_letter(tmp_path: Path, values: dict[str, str]) -> None:
    folder = tmp_path / "home" / "protected"
    install, first, example, copy, variables, prove, run = of(_FIVE_MINUTES)
    assert all(line in install.text for line in _INSTALLS)

    shell = installed(tmp_path / "home", install, README.parent)
    looked = shell.run(filled_in(first.text, values))
    assert "A night can be taken now" in looked
    assert yaml.safe_load((folder / "databases.yaml").read_text()) == yaml.safe_load(example.text)

    shell.run(copy.text)
    fill_in_the_list(folder / ".env", variables.text, values)
    proven = shell.run(prove.text)
    assert "0 problem(s) would stop a night, 0 a copy off-site, 0 a drill" in proven
    assert re.search(r"^PASS  s3://readme/", proven, re.MULTILINE), proven

    said = "".join(runs_until_interrupted(shell, run.text))
    assert "superseded" not in said

    # Another machine, with only the product.
    [restore] = of(_THREE_IN_THE_MORNING)
    elsewhere = installed(tmp_path / "elsewhere", install, tmp_path / "elsewhere")
    printed = filled_in(restore.text, values).replace("BUCKET/PREFIX", values["OFFSITE_BUCKET"])
    assert re.search("^PASS", elsewhere.run(printed), re.MULTILINE)
    with psycopg.connect(values["RESTORE_URL"]) as session:
        assert session.execute("SELECT count(*) FROM users").fetchone() == (100,)


@pytest.mark.parametrize(
    "block",
    [each for each in blocks() if each.language == "yaml"],
    ids=lambda block: block.section.lower().replace(" ", "-"),
)
def test_each_configuration_of_the_readme_is_sound(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "databases.yaml"
    path.write_text(block.text, encoding="utf-8")

    assert config_file.load(path).databases


def test_every_command_has_its_line_in_the_readme() -> None:
    [commands] = of("Commands")
    printed = re.findall(r"^hackorda-ops ([a-z-]+)", commands.text, re.MULTILINE)

    assert {each.name for each in LISTED} == set(printed)
