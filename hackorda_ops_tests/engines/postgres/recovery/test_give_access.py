"""Restoring an artifact with the roles, owners, grants and settings that it tells of."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.cli import app
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, RightsMissing, TargetRefused, UsageError
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import BroughtBack, bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.postgres.access.examples import drop_roles
from hackorda_ops_tests.postgres.dumping import execute

ENVIRON = {"PATH": "/usr/bin:/bin"}
ROLES = ("shop_owner", "shop_reader")
SOURCE = """
CREATE ROLE shop_owner LOGIN PASSWORD 'a secret word';
CREATE ROLE shop_reader LOGIN PASSWORD 'a secret word';
CREATE TABLE orders (id serial PRIMARY KEY, customer text);
INSERT INTO orders (customer) SELECT 'customer ' || n FROM generate_series(1, 50) n;
ALTER TABLE orders OWNER TO shop_owner;
GRANT SELECT ON orders TO shop_reader;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON orders TO shop_reader USING (customer = current_user);
ALTER DATABASE "shop with access" OWNER TO shop_owner;
ALTER DATABASE "shop with access" SET statement_timeout = '15s';
"""


@pytest.fixture(scope="module")
def taken(
    debian_postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FolderStore, Manifest]:
    """A night of a database on a server of its own: the one that takes it has none of the roles."""
    url = create_database(debian_postgres_server, "shop with access")
    store = tmp_path_factory.mktemp("access") / "store"
    try:
        execute(url, SOURCE)
        database = Policy.model_validate({"store": str(store)})
        night = take_night(Protected("shop", database, {**ENVIRON, "DATABASE_URL": url}))
    finally:
        with psycopg.connect(debian_postgres_server.url(), autocommit=True) as admin:
            admin.execute('DROP DATABASE "shop with access" WITH (FORCE)')
            drop_roles(admin, *ROLES)
    return FolderStore(store), night.manifest


@pytest.fixture
def empty(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database on a server without the roles; they are dropped with it."""
    yield create_database(postgres_server, "access target")
    with psycopg.connect(postgres_server.url(), autocommit=True) as admin:
        admin.execute('DROP DATABASE "access target" WITH (FORCE)')
        drop_roles(admin, *ROLES)


def restored(
    taken: tuple[FolderStore, Manifest], target: str, tmp_path: Path, *, with_access: bool
) -> BroughtBack:
    store, manifest = taken
    return bring_back(
        restoring(tmp_path / "work", ENVIRON, jobs=2),
        store,
        manifest,
        connection.parse(target, origin="test"),
        source=None,
        on_progress=ignore,
        with_access=with_access,
    )


def asked(url: str, query: str) -> Any:
    with psycopg.connect(url) as session:
        [row] = session.execute(query.encode()).fetchall()
    return row[0]


def test_owners_grants_and_settings_come_back_on_a_server_without_the_roles(
    taken: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    result = restored(taken, empty, tmp_path, with_access=True)
    assert (result.verdict, result.findings) == ("PASS", ())
    assert not [each for each in result.warnings if "were not applied" in each]
    assert asked(empty, "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'") == "shop_owner"
    assert asked(empty, "SELECT has_table_privilege('shop_reader', 'orders', 'SELECT')")
    assert not asked(empty, "SELECT has_table_privilege('shop_reader', 'orders', 'INSERT')")
    assert asked(empty, "SHOW statement_timeout") == "15s"
    assert asked(
        empty, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    ) == ("shop_owner")
    assert (
        asked(empty, "SELECT count(*) FROM pg_authid WHERE rolname ~ '^shop_' AND rolpassword IS NULL") == 2
    )


def test_a_policys_role_that_the_server_lacks_is_told_before_anything_is_restored(
    taken: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    with pytest.raises(TargetRefused, match="lacks the role") as caught:
        restored(taken, empty, tmp_path, with_access=False)
    assert 'CREATE ROLE "shop_reader";' in caught.value.next_step
    assert "--with-access" in caught.value.next_step
    assert asked(empty, "SELECT count(*) FROM pg_tables WHERE tablename = 'orders'") == 0


def test_without_access_the_rows_come_back_and_what_is_missing_is_said(
    taken: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    execute(empty, "CREATE ROLE shop_reader")
    result = restored(taken, empty, tmp_path, with_access=False)
    assert result.verdict == "PASS"
    assert [each for each in result.warnings if "--with-access" in each]
    assert asked(empty, "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'") == "postgres"
    assert asked(empty, "SHOW statement_timeout") == "0"


def test_a_role_that_may_not_make_roles_is_told_which_before_anything_is_restored(
    taken: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    with (
        awkward.new_role(empty, "shop_guest") as guests_url,
        pytest.raises(RightsMissing, match="shop_guest can't create the missing roles") as caught,
    ):
        restored(taken, guests_url, tmp_path, with_access=True)
    assert "permission denied to create role: DO $hackorda$" in caught.value.what
    assert "roles.sql" in caught.value.next_step
    assert asked(empty, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^shop_(owner|reader)$'") == 0


def test_an_owner_that_can_not_be_given_is_a_finding_with_the_reason(
    taken: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    execute(empty, "CREATE ROLE shop_owner; CREATE ROLE shop_reader; GRANT CREATE ON SCHEMA public TO PUBLIC")
    with awkward.new_role(empty, "shop_guest") as guests_url:
        execute(empty, 'ALTER DATABASE "access target" OWNER TO shop_guest')
        result = restored(taken, guests_url, tmp_path, with_access=True)
        execute(empty, "REASSIGN OWNED BY shop_guest TO postgres")
    assert result.verdict == "FAIL"
    by_subject = {each.subject: each for each in result.findings}
    finding = by_subject['ALTER TABLE public.orders OWNER TO "shop_owner";']
    assert finding.code == "access missing"
    assert finding.observed in (
        'must be able to SET ROLE "shop_owner"',
        'must be member of role "shop_owner"',
    )
    # The owner that there is can make the grants all the same.
    assert 'GRANT SELECT ON TABLE public.orders TO "shop_reader";' not in by_subject


def test_a_changed_roles_file_makes_no_role(
    taken: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    store, manifest = taken
    path = store.root / manifest.prefix / "roles.sql"
    before = path.read_bytes()
    path.write_bytes(before + b"CREATE ROLE shop_reader SUPERUSER;\n")
    try:
        with pytest.raises(ArtifactDamaged, match=r"roles\.sql"):
            restored(taken, empty, tmp_path, with_access=True)
    finally:
        path.write_bytes(before)
    assert asked(empty, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^shop_'") == 0


def test_an_artifact_that_tells_of_no_access_is_refused_with_the_option(
    taken: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    store, manifest = taken
    files = tuple(each for each in manifest.files if not each.path.endswith(".sql"))
    with pytest.raises(UsageError, match="doesn't record roles"):
        restored((store, replace(manifest, files=files)), empty, tmp_path, with_access=True)


def test_the_command_takes_the_option(
    taken: tuple[FolderStore, Manifest],
    empty: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, _ = taken
    written = tmp_path / "databases.yaml"
    written.write_text(json.dumps({"databases": {"shop": {"store": str(store.root)}}}), encoding="utf-8")
    monkeypatch.setenv("RESTORE_URL", empty)
    monkeypatch.setenv("HACKORDA_OPS_CONFIG", str(written))
    ran = CliRunner().invoke(app, ["restore", "shop", "--from", "store", "--with-access", "--json"])
    assert ran.exit_code == 0, ran.output
    assert asked(empty, "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'") == "shop_owner"


def test_neither_the_files_nor_the_recovery_sheet_hold_a_password(
    taken: tuple[FolderStore, Manifest],
) -> None:
    store, manifest = taken
    folder = store.root / manifest.prefix
    for name in ("roles.sql", "access.sql", "RESTORE.md", "manifest.json"):
        text = (folder / name).read_text(encoding="utf-8")
        assert "secret word" not in text
        assert "SCRAM" not in text
    sheet = (folder / "RESTORE.md").read_text(encoding="utf-8")
    assert '\\password "shop_owner"' in sheet
    assert "psql -v ON_ERROR_STOP=1 --dbname=restored --file=access.sql" in sheet
