"""A project that `create-dagster` made, with an asset of its own, and this product in it as docs/embedding.md says."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import yaml

from hackorda_ops.artifacts import catalog
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.orchestration.protected import fill

PAGE = Path(__file__).parents[2] / "docs" / "embedding.md"
COMPONENT = "hackorda_ops.component.ProtectedDatabases"
THEIRS = """
import dagster as dg


@dg.asset
def orders() -> None:
    pass
"""


@dataclass(frozen=True)
class Project:
    """The project.

    Attributes:
        folder: where it is.
        environ: what its commands run in.
    """

    folder: Path
    environ: Mapping[str, str]

    def type(self, *words: str) -> str:
        """Runs a command in it; gives what it printed."""
        done = subprocess.run(
            [Path(sys.executable).with_name(words[0]), *words[1:]],
            cwd=self.folder,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def define(self, attributes: Mapping[str, object]) -> None:
        """Writes the component's defs.yaml."""
        path = self.folder / "src" / "warehouse" / "defs" / "databases" / "defs.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump({"type": COMPONENT, "attributes": dict(attributes)}))

    def listed(self) -> dict[str, set[str]]:
        """What `dg list defs` shows, by kind."""
        shown = json.loads(self.type("dg", "list", "defs", "--json"))
        return {
            kind: {each.get("asset_key") or each["name"] for each in found} for kind, found in shown.items()
        }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("theirs")
    home = folder / "home"
    home.mkdir()
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "DAGSTER_HOME": str(home),
        "DG_CLI_CONFIG": str(home / "dg.toml"),
        "VIRTUAL_ENV": str(Path(sys.executable).parents[1]),
        "PYTHONPATH": "src",  # in place of `pip install --editable .`
    }
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    (home / "dg.toml").write_text("[cli.telemetry]\nenabled = false\n")
    Project(folder, environ).type("create-dagster", "project", "--no-uv-sync", "warehouse")
    made = Project(folder / "warehouse", environ)
    (made.folder / "src" / "warehouse" / "defs" / "orders.py").write_text(THEIRS)
    return made


def test_the_component_is_listed_and_scaffolds_what_loads_at_once(project: Project) -> None:
    listed = json.loads(project.type("dg", "list", "components", "--json"))
    assert COMPONENT in {each["key"] for each in listed["items"]}

    project.type("dg", "scaffold", "defs", COMPONENT, "databases")

    project.type("dg", "check", "yaml")
    shown = project.listed()
    assert {"orders", "my_database/nightly_dump", "readiness"} <= shown["assets"]
    assert "my_database_night" in shown["jobs"]


def test_a_night_is_taken_in_it_below_a_prefix_and_the_commands_find_it(
    project: Project, new_database: str
) -> None:
    with psycopg.connect(new_database) as connection:
        fill(connection)
    databases = {"shop": {"source": {"url_env": "SHOP_URL", "tls": "disable"}, "store": "backups"}}
    (project.folder / "databases.yaml").write_text(yaml.safe_dump({"databases": databases}))
    project.define({"file": "databases.yaml", "prefix": "ops"})
    project = Project(project.folder, {**project.environ, "SHOP_URL": new_database})

    project.type("dg", "check", "yaml")
    shown = project.listed()
    assert {"orders", "ops/shop/nightly_dump", "ops/readiness"} <= shown["assets"]
    assert all(name.startswith("ops_") for kind in ("jobs", "schedules", "sensors") for name in shown[kind])
    tonight = datetime.now(UTC).date().isoformat()
    project.type("dg", "launch", "--assets", "ops/shop/nightly_dump", "--partition", tonight)

    [artifact] = catalog.read(FolderStore(project.folder / "backups"), "shop").artifacts
    assert artifact.sound
    assert artifact.artifact_id in project.type("hackorda-ops", "backups", "shop")


def test_a_defs_yaml_that_says_too_little_or_too_much_is_refused(project: Project) -> None:
    from hackorda_ops.orchestration.component import Attributes

    for wrong, why in (
        ({}, "needs at least one"),
        ({"file": "databases.yaml", "databases": {"shop": {}}}, "write them in one of the two"),
        ({"databases": {"shop": {}}, "prefix": "a-b"}, "letters, digits and underscores"),
        ({"databases": {"shop": {"sorce": {}}}}, "sorce"),
    ):
        with pytest.raises(ValueError, match=why):
            Attributes.model_validate(wrong)


def test_the_page_shows_attributes_that_are_right() -> None:
    from hackorda_ops.orchestration.component import Attributes

    blocks = [each.split("```")[0] for each in PAGE.read_text().split("```yaml\n")[1:]]
    shown = [yaml.safe_load(block) for block in blocks]

    assert [each["type"] for each in shown] == [COMPONENT] * len(shown)
    assert len(shown) == 2
    for each in shown:
        Attributes.model_validate(each["attributes"])
