"""A database of 5,000 tables comes back whole."""

from pathlib import Path

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.forms import also_long
from hackorda_ops_tests.zoo.conftest import Servers, make
from hackorda_ops_tests.zoo.crowds import THOUSANDS
from hackorda_ops_tests.zoo.test_zoo import fill

pytestmark = pytest.mark.server


@pytest.mark.parametrize("servers", also_long(THOUSANDS.majors, short=(17,)), indirect=True)
def test_5000_tables_come_back_whole(servers: Servers, tmp_path: Path) -> None:
    url = make(servers.source, THOUSANDS.name)
    fill(url, THOUSANDS.animals)
    database = Policy.model_validate(
        {"store": str(tmp_path / "store"), "source": {"client_folders": [str(servers.source.bin_dir)]}}
    )

    night = take_night(Protected("zoo", database, {**PROGRAMS, "DATABASE_URL": url}))
    brought = bring_back(
        restoring(tmp_path / "work", PROGRAMS, jobs=2, client_folders=[servers.scratch.bin_dir]),
        FolderStore(tmp_path / "store"),
        night.manifest,
        parse(make(servers.scratch, THOUSANDS.name), origin="the test"),
        source=parse(url, origin="the test"),
        on_progress=ignore,
    )

    assert (brought.verdict, brought.tables, brought.findings) == ("PASS", 5000, ())
