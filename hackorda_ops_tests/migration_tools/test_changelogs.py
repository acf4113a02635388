"""Liquibase's changelogs: what they include, what has conditions, and what is none."""

import json
from pathlib import Path

import pytest

from hackorda_ops.migrations import measure
from hackorda_ops.migrations.files import find_folders
from hackorda_ops_tests.migration_tools.real.projects import write
from hackorda_ops_tests.migration_tools.states import only, state

SQL_CHANGES = """--liquibase formatted sql

--changeset "ann b":one splitStatements:false
CREATE TABLE a ();
--rollback DROP TABLE a;
-- changeset ben:two context:test
SELECT 1;
--changeset ben:three
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 SELECT 1
SELECT 1;
"""
XML = """<?xml version="1.0"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">
  <include file="changes/a.sql" relativeToChangelogFile="true"/>
  <include file="classpath:db/changes/b.yaml"/>
  <changeSet id="four" author="cy"><sql>SELECT 1</sql></changeSet>
  <changeSet id="five" author="cy" dbms="oracle"><sql>SELECT 1</sql></changeSet>
</databaseChangeLog>
"""
YAML = """databaseChangeLog:
- changeSet:
    id: 6
    author: dee
    changes: []
"""


def test_liquibase_follows_what_a_changelog_includes_and_knows_conditions(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "res/db/changelog-master.xml": XML,
            "res/db/changes/a.sql": SQL_CHANGES,
            "res/db/changes/b.yaml": YAML,
            "res/db/changes/not_one.sql": "SELECT 1;",
        },
    )
    folder = only(tmp_path, "liquibase")
    assert folder.pending(state("liquibase")) == (
        "a.sql::one::ann b",
        "b.yaml::6::dee",
        "changelog-master.xml::four::cy",
    )
    done = state("liquibase", "one::ann b::a.sql", "6::dee::b.yaml", "four::cy::changelog-master.xml")
    assert folder.pending(done) == ()
    assert [reason.partition(" has conditions")[0] for reason in folder.unclear(done)] == [
        "a.sql::two::ben",
        "a.sql::three::ben",
        "changelog-master.xml::five::cy",
    ]
    assert measure.pending((done,), (folder,)) is None
    rest = ("two::ben::a.sql", "three::ben::a.sql", "five::cy::changelog-master.xml")
    assert measure.pending((state("liquibase", *done.applied, *rest),), (folder,)) == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("changelog.xml", "<databaseChangeLog><changeSet id='1'"),
        ("changelog.xml", "<databaseChangeLog><changeSet id='1'/></databaseChangeLog>"),
        ("changelog.xml", "<!DOCTYPE x [<!ENTITY a 'a'>]><databaseChangeLog>&a;</databaseChangeLog>"),
        ("changelog.yaml", "databaseChangeLog: [{changeSet: 1}, 2]"),
        ("changelog.yaml", "databaseChangeLog: !!python/object/apply:os.system [true]"),
        ("changelog.json", '{"databaseChangeLog": "none"}'),
        ("changelog.json", '{"databaseChangeLog":' + "[" * 100_000),
    ],
)
def test_a_changelog_that_cannot_be_parsed_is_no_migration(tmp_path: Path, name: str, content: str) -> None:
    write(tmp_path, {name: content})
    assert [each for each in find_folders(tmp_path) if each.tool == "liquibase" and each.files] == []


def test_liquibase_says_which_include_is_missing_or_not_plain(tmp_path: Path) -> None:
    names = ("gone.sql", "code.groovy", "../../../../../../../../etc\0")
    changelog = json.dumps({"databaseChangeLog": [{"include": {"file": name}} for name in names]})
    write(tmp_path, {"changelog.json": changelog, "code.groovy": "databaseChangeLog {}"})
    [gone, groovy, nowhere] = only(tmp_path, "liquibase").unclear(state("liquibase"))
    assert gone.endswith("includes gone.sql, which isn't there")
    assert groovy.endswith("includes code.groovy, whose change sets can't be told from its text")
    assert "which isn't there" in nowhere
