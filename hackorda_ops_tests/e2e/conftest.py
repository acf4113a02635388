"""One Dagster for all tests that need a running one, because it takes seconds to start; and a browser."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from hackorda_ops.local.dagster import running_dagster, storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.e2e.processes import ENVIRONMENT
from hackorda_ops_tests.e2e.shop import Shop, protected_shop


# It ends with these tests and not with all: an idle Dagster takes a part of a processor.
@pytest.fixture(scope="package")
def shop(
    postgres_server: PostgresServer,
    scratch_server: PostgresServer,
    s3_server: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:
    """A protected database."""
    with protected_shop(tmp_path_factory.mktemp("shop"), postgres_server, scratch_server, s3_server) as made:
        yield made


@pytest.fixture(scope="package")
def dagster(
    shop: Shop, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDagster]:
    """Web server, daemon and code server over the shop; the same for all tests."""
    with running_dagster(
        tmp_path_factory.mktemp("dagster") / "home",
        config=shop.config_file,
        storage=storage_variables(create_database(postgres_server, "dagster storage")),
        environ={**ENVIRONMENT, **shop.environ},
    ) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's own Chromium, which calls nobody."""
    executable = shutil.which("chromium")
    if executable is None:
        message = "no chromium on PATH (apt install chromium)"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    flags = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
    quiet = ("--disable-background-networking", "--disable-component-update")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*flags, *quiet])
        yield browser
        browser.close()
