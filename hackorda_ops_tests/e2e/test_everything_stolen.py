"""What is left when a key, a machine, a provider or an identity is lost: the database, row for row, or a warning.

Each scene is played on real servers with the commands that an operator types, and ends with every row compared, or with
the sentence that had said beforehand that nothing would be left.
"""

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.drill.turns import in_turn
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, running_s3
from hackorda_ops_tests.e2e.stolen import (
    Machine,
    Rows,
    bucket_of,
    destroy,
    filled_database,
    hide,
    machine,
    read_only,
    rows,
)
from hackorda_ops_tests.sealing.keys import keygen

pytestmark = pytest.mark.server
LOCK = {"mode": "compliance", "days": 30}


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    """The database by a role that can only read it."""
    return read_only(postgres_server, filled_database(postgres_server))


@pytest.fixture(scope="module")
def before(url: str) -> Rows:
    """Its rows."""
    return rows(url)


@pytest.fixture(scope="module")
def night(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store after a night."""
    folder = tmp_path_factory.mktemp("night")
    machine(folder, url, {}).run("dump", "shop")
    return folder / "backups"


@dataclass(frozen=True)
class Scene:
    """A machine's folder with a night in its store, and where the database is to come back.

    Attributes:
        folder: the machine's.
        url: of the source.
        before: its rows.
        empty: an empty database on a server that no thief knows.
    """

    folder: Path
    url: str
    before: Rows
    empty: str

    def is_back(self, here: Machine, *options: str) -> bool:
        """Restores, and compares every row with the source's."""
        here.run("restore", "shop", *options, restore_url=self.empty)
        return rows(self.empty) == self.before


@pytest.fixture
def scene(
    url: str, before: Rows, night: Path, scratch_server: PostgresServer, tmp_path: Path
) -> Iterator[Scene]:
    """One that is over with its test."""
    shutil.copytree(night, tmp_path / "backups")
    name = f"back {secrets.token_hex(3)}"
    yield Scene(tmp_path, url, before, create_database(scratch_server, name))
    with psycopg.connect(scratch_server.url(), autocommit=True) as session:
        session.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def test_a_locked_bucket_emptied_by_its_own_credentials_gives_the_database_back(
    seaweed_server: S3Server, scene: Scene
) -> None:
    here = machine(scene.folder, scene.url, {"vault": (seaweed_server, {"lock": LOCK})})
    here.run("copy", "shop")
    said = here.says("blast-radius", "shop")
    assert "A copy that is 0 days old would survive the theft of this machine (offsite)" in said

    assert destroy(seaweed_server, bucket_of(here)) > 0
    here = here.without_its_disk()

    assert "hidden" in here.says("backups", "shop", code=None)
    assert "1 artifact brought back" in here.says("undelete", "shop")
    assert scene.is_back(here)


def test_an_unlocked_bucket_emptied_by_its_own_credentials_had_been_warned_of_and_another_copy_is_left(
    s3_server: S3Server, seaweed_server: S3Server, scene: Scene
) -> None:
    here = machine(scene.folder, scene.url, {"open": (s3_server, {}), "other": (seaweed_server, {})})
    here.run("copy", "shop")
    said = here.says("blast-radius", "shop", code=1)
    bucket = bucket_of(here, "open")
    assert (
        f"open (s3://{bucket}): 1 artifact, 1 day of nights, would be gone; 0 would survive, because the key can "
        "delete or overwrite files, and no versions are kept, and nothing is locked."
    ) in said
    assert "Whoever owns this machine could destroy every copy" in said

    assert destroy(s3_server, bucket) == 0
    here = here.without_its_disk()

    assert "NoSuchBucket" in here.says("restore", "shop", "--from", "open", code=3, restore_url=scene.empty)
    assert scene.is_back(here)


def test_a_laptop_with_the_daemons_keys_is_survived_by_the_locked_copy_alone(
    s3_server: S3Server, seaweed_server: S3Server, scene: Scene
) -> None:
    here = machine(
        scene.folder,
        scene.url,
        {"open": (s3_server, {"versions": True}), "vault": (seaweed_server, {"lock": LOCK})},
    )
    here.run("copy", "shop")
    foretold = json.loads(here.run("blast-radius", "shop", "--json").stdout)
    assert foretold["sentence"] == (
        "A copy that is 0 days old would survive the theft of this machine (vault)"
    )
    assert {each["place"]: each["survives"] for each in foretold["places"]} == {
        "store": 0,
        "open": 0,
        "vault": 1,
    }
    role = foretold["role"]
    assert (role["superuser"], role["owns"], role["writes"], role["powers"]) == (False, 0, 0, [])

    # The product's own commands first, then everything else that its keys allow.
    here.run("prune", "shop", "--delete")
    assert destroy(s3_server, bucket_of(here, "open")) == 0
    assert destroy(seaweed_server, bucket_of(here, "vault")) > 0
    here = here.without_its_disk()
    for statement in (
        "DROP TABLE users",
        "DELETE FROM orders",
        "TRUNCATE users CASCADE",
        "DROP SCHEMA public CASCADE",
    ):
        with psycopg.connect(scene.url) as thief, pytest.raises(psycopg.errors.InsufficientPrivilege):
            thief.execute(statement)
    name = psycopg.conninfo.conninfo_to_dict(scene.url)["dbname"]
    with (
        psycopg.connect(scene.url, dbname="postgres", autocommit=True) as thief,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        thief.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(str(name))))

    here.run("undelete", "shop", "--from", "vault")
    assert scene.is_back(here)
    # Nor was the source harmed, which that role could only read.
    assert rows(scene.url) == scene.before


def test_when_a_provider_is_gone_for_good_everything_goes_on_with_the_other(
    s3_server: S3Server,
    scratch_server: PostgresServer,
    scene: Scene,
) -> None:
    # The one that this quarter's drill would restore.
    gone, left = in_turn(datetime.now(UTC).date(), ["lyon", "oslo"])
    with ExitStack() as provider:
        going = provider.enter_context(running_s3())
        here = machine(
            scene.folder,
            scene.url,
            {gone: (going, {}), left: (s3_server, {})},
            scratch={"server": {"superuser": "postgres"}},
        )
        here = Machine(here.folder, {**here.environ, "SCRATCH_ADMIN_URL": scratch_server.url()})
        here.run("copy", "shop")

    here.run("dump", "shop")
    copied = here.says("copy", "shop", code=None)
    assert f"{left}" in copied
    here.run("prune", "shop", "--delete")
    drilled = json.loads(here.run("drill", "shop", "--json").stdout)["result"]
    assert drilled["verdict"] == "PASS"
    assert bucket_of(here, left) in drilled["artifact"]["location"]
    status = json.loads(here.run("status", "--json", code=None).stdout)
    assert any(gone in each for each in status[0]["standing"]["problems"])
    assert scene.is_back(here.without_its_disk())


def test_a_wrong_identity_is_found_as_what_it_is_and_the_right_one_brings_the_database_back(
    s3_server: S3Server,
    scratch_server: PostgresServer,
    scene: Scene,
) -> None:
    right, wrong = scene.folder / "right.txt", scene.folder / "wrong.txt"
    keygen(wrong)
    here = machine(
        scene.folder,
        scene.url,
        {"vault": (s3_server, {})},
        encrypt_to=[keygen(right)],
        identity={"file": str(wrong)},
        scratch={"server": {"superuser": "postgres"}},
    )
    here = Machine(here.folder, {**here.environ, "SCRATCH_ADMIN_URL": scratch_server.url()})
    here.run("dump", "shop")
    here.run("copy", "shop")

    here = here.without_its_disk()
    for command in ("prove", "drill"):
        said = here.says(command, "shop", code=1)
        assert "the identity does not open the artifact" in said
        assert "identity refused" in said
    assert "its key is for other recipients" in here.says("restore", "shop", code=3, restore_url=scene.empty)

    assert scene.is_back(here, "--identity", str(right))


def test_a_delete_marker_on_every_key_is_found_and_taken_away_again(
    s3_server: S3Server, scene: Scene
) -> None:
    here = machine(scene.folder, scene.url, {"vault": (s3_server, {"versions": True})})
    here.run("copy", "shop")

    assert hide(s3_server, bucket_of(here)) > 0
    here = here.without_its_disk()

    assert "hidden behind delete markers since" in here.says("backups", "shop")
    assert "offsite hides 1 artifact that should be there" in here.says("status", code=None)
    assert "1 artifact behind delete markers" in here.says("restore", "shop", code=3, restore_url=scene.empty)
    assert "1 artifact brought back" in here.says("undelete", "shop")
    assert scene.is_back(here)
