"""What databases share is written once: YAML's own merge keys, and `defaults`."""

from pathlib import Path

import pytest

from hackorda_ops.config.places import S3, Folder
from hackorda_ops_tests.config.test_models import load, problems

SHARED = """
defaults:
  schedule: {timezone: Asia/Almaty, night: "30 1 * * *"}
  offsite: {bucket: nights, endpoint_url: "https://s3.example", max_parts: 1000}
  scratch: {server: {admin_url_env: SCRATCH}}
  store: s3://near/prefix
  key_tables: [users, issues]
  source: {variables: DB, tls: verify}
databases:
  one:
  two:
    schedule: {night: "0 3 * * *"}
    offsite: {bucket: others}
    key_tables: [orders]
    source: {variables: {database: TWO_NAME}}
  three: {source: {url_env: THREE_URL}, scratch: {neon: {}}, store: backups, retention: {store: null}}
"""


def test_databases_share_what_stands_in_defaults_and_their_own_keys_go_first(tmp_path: Path) -> None:
    one, two, three = load(tmp_path, SHARED).databases.values()

    assert [each.schedule.timezone for each in (one, two, three)] == ["Asia/Almaty"] * 3
    assert (one.schedule.night, two.schedule.night) == ("30 1 * * *", "0 3 * * *")
    assert (one.offsite.bucket, two.offsite.bucket, two.offsite.max_parts) == ("nights", "others", 1000)
    assert [key.table for key in one.key_tables] == ["users", "issues"]
    assert [key.table for key in two.key_tables] == ["orders"]  # a list is not added to
    assert one.source.variables
    assert two.source.variables
    assert (one.source.variables.database, two.source.variables.database) == ("DB_NAME", "TWO_NAME")
    assert two.source.variables.host == "DB_HOST"


def test_a_section_of_another_kind_takes_the_place_of_the_default(tmp_path: Path) -> None:
    one, _, three = load(tmp_path, SHARED).databases.values()

    assert (one.scratch.provider, three.scratch.provider) == ("server", "neon")
    assert isinstance(one.store, S3)
    assert three.store == Folder(folder=tmp_path / "backups")
    assert (three.source.variables, three.source.url_env, three.source.tls) == (None, "THREE_URL", "verify")
    assert three.retention.store is None


def test_a_problem_in_the_defaults_is_reported_once_and_there(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        """
        defaults: {schedule: {nigth: "0 2 * * *", timezone: Mars/Olympus}, colour: red}
        databases:
          one: {source: {url_env: A}}
          two: {source: {url_env: B}, schedule: {timezone: Moon/Base}}
        """,
    )

    assert said.splitlines()[1:] == [
        '  line 5: databases.two.schedule.timezone: needs an IANA time zone name, such as "Asia/Almaty" or "UTC"',
        '  line 2: defaults.schedule.timezone: needs an IANA time zone name, such as "Asia/Almaty" or "UTC"',
        "  line 2: defaults.schedule.nigth: unknown key; did you mean night?",
        next(line for line in said.splitlines() if "defaults.colour: unknown key" in line),
    ]
    assert "4 problem(s)" in said


def test_what_fits_in_neither_place_alone_is_reported_for_the_database(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        "defaults: {dump_from: branch}\ndatabases: {one: {scratch: {server: {}}}}",
    )

    assert "databases.one: dump_from: branch needs a history: scratch.neon" in said
    also = problems(tmp_path, "databases: {one: {scratch: {server: {}}, migrate: {also_on_branch: true}}}")
    assert "databases.one: migrate.also_on_branch needs a history: scratch.neon" in also


@pytest.mark.parametrize("defaults", ["[]", "words", "{databases: {}}"])
def test_defaults_that_are_none_are_refused(tmp_path: Path, defaults: str) -> None:
    assert "defaults" in problems(tmp_path, f"defaults: {defaults}\ndatabases: {{one: }}")


def test_the_merge_keys_of_yaml_work_and_own_keys_go_first(tmp_path: Path) -> None:
    one, two, three = load(
        tmp_path,
        """
        databases:
          one: &one
            source: {url_env: A}
            schedule: &times {timezone: Asia/Almaty, night: "30 1 * * *"}
          two: {<<: *one, source: {url_env: B}}
          three:
            <<: *one
            source: {url_env: C}
            schedule:
              <<: *times
              night: "0 3 * * *"
        """,
    ).databases.values()

    assert [each.source.url_env for each in (one, two, three)] == ["A", "B", "C"]
    assert two.schedule == one.schedule
    assert (three.schedule.timezone, three.schedule.night) == ("Asia/Almaty", "0 3 * * *")


def test_a_key_given_twice_beside_a_merge_key_is_still_refused(tmp_path: Path) -> None:
    text = "databases:\n  one: &one {source: {url_env: A}}\n  two: {<<: *one, store: a, store: b}\n"

    said = problems(tmp_path, text)

    assert "line 3" in said
    assert "'store' is given twice" in said
