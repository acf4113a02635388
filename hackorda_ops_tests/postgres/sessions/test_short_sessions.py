"""Sessions on a live database end what takes too long by themselves."""

import ast
from pathlib import Path

import psycopg
import pytest

import hackorda_ops
from hackorda_ops.errors import SourceBusy
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops_tests.postgres.awkward import execute, target_of

PACKAGE = Path(hackorda_ops.__file__).parent
# What they connect to is a copy: a scratch, a branch, a database that is restored into.
ON_COPIES = {
    "engines/postgres/recovery/target.py",
    "engines/postgres/night/branch.py",
    "engines/postgres/drill/branch_migrations.py",
    "engines/postgres/drill/comparisons/branch.py",
    "exercise/application.py",
    "exercise/destroy.py",
    "exercise/state.py",
    "exercise/history_check.py",
    "scratch/neon/preflight.py",
    "engines/postgres/drill/comparisons/schema.py",
    "scratch/server/preflight.py",
    "scratch/server/scratch.py",
    "postgres/restoring/target.py",
    "postgres/archives/table_digest.py",
    "postgres/archives/copied_by_psql.py",
    "scratch/local/scratch.py",
}


def without_settings(path: Path) -> list[str]:
    """What is connected to under the settings that end nothing."""
    tree = ast.parse(path.read_text())
    if not any(
        isinstance(node, ast.ImportFrom)
        and node.module == "hackorda_ops.postgres.sessions.session"
        and any(name.name == "connect" for name in node.names)
        for node in ast.walk(tree)
    ):
        return []
    return [
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "connect"
        and not any(keyword.arg == "settings" for keyword in node.keywords)
    ]


def test_every_session_on_a_source_has_its_limits() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): targets
        for path in PACKAGE.rglob("*.py")
        if (targets := without_settings(path))
    }

    assert set(found) - ON_COPIES == set()
    assert not any("source" in target for targets in found.values() for target in targets)


@pytest.mark.server
def test_a_short_session_waits_for_no_lock_and_leaves_no_transaction_open(each_url: str) -> None:
    execute(each_url, "CREATE TABLE users (id int)")
    target = target_of(each_url)
    with (
        psycopg.connect(each_url) as migration,
        connect(target, application_name="test", settings=SHORT_SETTINGS) as short,
    ):
        migration.execute("LOCK TABLE users")
        with pytest.raises(SourceBusy, match="lock timeout"), translated_errors(target, "Looking"):
            short.execute("SELECT FROM public.users")
        shown = {
            name: short.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("statement_timeout", "idle_in_transaction_session_timeout")
        }
    assert shown == {"statement_timeout": ("1min",), "idle_in_transaction_session_timeout": ("1min",)}
