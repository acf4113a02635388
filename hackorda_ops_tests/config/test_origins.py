"""Where each value comes from: the file, its defaults, the product, or another key; and whether variables are set."""

from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.config import file as config_file
from hackorda_ops.config.reference.origins import Comes, ValueOrigin, origins

TEXT = """\
defaults:
  schedule: {timezone: Asia/Almaty}
  store: s3://near/prefix
  source: {variables: DB}
  migrate: {command: npm run migrate}
  scratch:
    server: {admin_url_env: SCRATCH}
databases:
  one:
    schedule:
      night: "0 3 * * *"
    key_tables:
      - users
      - table: issues
        timestamp: made_at
  two:
    source: {url_env: TWO_URL}
    store: nights
    scratch: {neon: {project_id: calm-river}}
    migrate: null
  three:
    copies: nightly
    source: {variables: {database: THREE_NAME}}
    offsite: s3://far/p
alerts:
  channels_env: [FIRST, SECOND]
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ValueOrigin]:
    path = tmp_path_factory.mktemp("origins") / "databases.yaml"
    path.write_text(TEXT)
    environ = {"SCRATCH": "postgresql://me:hunter2@x/y", "SECOND": "slack://hunter2", "DB_HOST": " "}
    return {each.key: each for each in origins(*config_file.checked(path), environ)}


@pytest.mark.parametrize(
    ("key", "value", "comes", "line"),
    [
        ("one.schedule.timezone", "Asia/Almaty", "defaults", 2),
        ("one.schedule.night", "0 3 * * *", "file", 11),
        ("one.schedule.week", "0 4 * * 0", "product", None),
        ("one.store.bucket", "near", "defaults", 3),
        ("one.store.prefix", "prefix", "defaults", 3),
        ("one.store.region", None, "product", None),
        ("one.source.variables.host", "DB_HOST", "defaults", 4),
        ("one.migrate.command", "npm run migrate", "defaults", 5),
        ("one.migrate.variables.host", "DB_HOST", "another key", None),
        ("one.scratch.server.admin_url_env", "SCRATCH", "defaults", 7),
        ("one.key_tables.0.table", "users", "file", 13),
        ("one.key_tables.0.timestamp", "created_at", "product", None),
        ("one.key_tables.1.timestamp", "made_at", "file", 15),
        ("two.source.url_env", "TWO_URL", "file", 17),
        ("two.source.variables", None, "product", None),
        ("two.scratch.neon.project_id", "calm-river", "file", 19),
        ("two.migrate", None, "file", 20),
        ("three.store.bucket", "far", "another key", None),
        ("three.source.variables.database", "THREE_NAME", "file", 23),
        ("three.source.variables.host", "DB_HOST", "another key", None),
        ("three.offsite.bucket", "far", "file", 24),
    ],
)
def test_each_value_comes_from_somewhere(
    found: dict[str, ValueOrigin], key: str, value: Any, comes: Comes, line: int | None
) -> None:
    origin = found[f"databases.{key}"]

    assert (origin.value, origin.comes, origin.line) == (value, comes, line)


def test_a_folder_of_the_file_is_shown_where_it_is(found: dict[str, ValueOrigin]) -> None:
    assert Path(found["databases.two.store.folder"].value).is_absolute()
    assert found["databases.two.store.folder"].line == 18


def test_a_variable_is_set_or_not_and_its_value_is_nowhere(found: dict[str, ValueOrigin]) -> None:
    assert found["databases.one.scratch.server.admin_url_env"].variables == {"SCRATCH": True}
    assert found["alerts.channels_env"].variables == {"FIRST": False, "SECOND": True}
    assert found["databases.one.source.variables.host"].variables == {"DB_HOST": False}  # blank
    assert found["databases.one.source.variables.family"].variables == {}
    assert "hunter2" not in repr(found)


def test_every_key_of_every_database_is_there_once(found: dict[str, ValueOrigin]) -> None:
    assert {"databases.one.copies", "databases.two.retention.offsite", "metrics_file"} <= set(found)
    assert not any(key.startswith("defaults") for key in found)
