"""What is wrong with the text of databases.yaml: said with its line, and with what to write."""

import errno
from pathlib import Path

import pytest

from hackorda_ops.config import file
from hackorda_ops.config.text.written import read
from hackorda_ops.errors import ConfigError, LocalTrouble
from hackorda_ops_tests.config.test_models import load, problems


def refused(tmp_path: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return caught.value


@pytest.mark.parametrize(
    ("name", "taken_for"),
    [("no", "a yes or no"), ("on", "a yes or no"), ("2026", "a number"), ("1e3", "a"), ("~", "nothing")],
)
def test_a_name_that_yaml_takes_for_something_else_is_to_be_quoted(
    tmp_path: Path, name: str, taken_for: str
) -> None:
    if name == "1e3":  # YAML 1.1 wants a dot in it: this one is text
        assert "1e3" in load(tmp_path, f"databases:\n  {name}: {{}}\n").databases
        return

    said = problems(tmp_path, f"databases:\n  {name}:\n    store: backups\n")

    assert f"line 2: YAML reads the key {name} as {taken_for}" in said
    assert f'"{name}":' in said
    if name != "~":
        assert "problem(s)" in said
        assert said.count("\n") == 1  # and nothing that only follows from it
        assert name in load(tmp_path, f'databases:\n  "{name}": {{}}\n').databases


@pytest.mark.parametrize(
    ("text", "line", "what", "remedy"),
    [
        ("a:\n  night: * * * * *\n", "2, column 11", "an asterisk at the beginning", '"* * * * *"'),
        ("a:\n  volatile: [*_log]\n", "2, column 14", "an asterisk at the beginning", "quotes"),
        ("a:\n  volatile: [*]\n", "2,", "an asterisk at the beginning", "quotes"),
        ("databases:\n\tone: {}\n", "2, column 1", "indented with a tab", "spaces"),
        ("a:\n  one: {}\n  \ttwo: {}\n", "3,", "indented with a tab", "spaces"),
        ("a:\n  one: {}\n   two: {}\n", "3,", "indented by 3 spaces", "same number of spaces"),
        ("a:\n    b: 1\n  c: 2\n", "3,", "begins on line 1 with 0", "same number of spaces"),
        ("a:\n  b: x\n    c: 2\n", "3,", "the line above it already has a value", "Indent"),
        ("a:b\nc: 1\n", "2,", "no space after its colon", "key: value"),
        ("a: b: c\n", "1,", "a colon followed by a space", "quotes"),
        ("a: 'x\nb: 1\n", "", "the quote that opens on line 1", "Close it"),
        ("a: [1, 2\nb: 1\n", "2,", "the bracket that opens on line 1", "commas"),
        ("a: {b: 1\nc: 2\n", "2,", "the brace that opens on line 1", "commas"),
        ('a: "\\d"\n', "1,", "a backslash in double quotes", "single quotes"),
        ("a: {{ x }}\n", "1,", "a key is itself a mapping", "quotes"),
        ("a: !ENV X\n", "1,", "an exclamation mark", "_env"),
        ("a: 1\n---\nb: 2\n", "2,", "a second document", "remove the line"),
        ("a: @x\n", "1,", "may not begin with this character", "quotes"),
        ("a: \x01\n", "1:", "a control character", "Delete it"),
        ("a: 1\nb: 2\na: 3\n", "3,", "the key 'a' is given twice, first on line 1", "Keep one"),
        ("a: 2026-02-30\n", "", "can't read", "quotes"),
        ("a: &a [*a]\n", "", "", ""),
        ("[" * 5000, "", "nested too deeply", ""),
    ],
)
def test_what_is_not_yaml_is_said_with_its_line_and_with_what_to_write(
    tmp_path: Path, text: str, line: str, what: str, remedy: str
) -> None:
    error = refused(tmp_path, text)

    assert f"line {line}" in error.what or not line
    assert what in error.what
    assert remedy in error.next_step
    assert error.exit_code == 2


def test_no_value_of_a_broken_file_is_repeated(tmp_path: Path) -> None:
    for text in ("a: *hunter2\n", "a: 'hunter2\n", "a: x: hunter2\n", "a: !hunter2 x\n", "a: [hunter2\n"):
        assert "hunter2" not in str(refused(tmp_path, text))


def test_a_text_in_another_encoding_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("databases: {caf\u00e9: }".encode("latin-1"))

    with pytest.raises(ConfigError, match="not a UTF-8 text"):
        read(path)


def test_a_database_beside_databases_is_to_be_indented(tmp_path: Path) -> None:
    said = problems(tmp_path, "databases:\nhackorda:\n  store: backups\n")

    assert "line 1: databases: needs keys of its own below it, each indented by two spaces more" in said
    assert "line 2: hackorda: unknown key; a database belongs below databases, indented by two spaces" in said


def test_a_databases_keys_beside_its_name_are_to_be_indented(tmp_path: Path) -> None:
    said = problems(tmp_path, "databases:\n  hackorda:\n  source:\n    url_env: X\n  store: backups\n")

    assert "line 3: databases.source: this is the place of a database's name" in said
    assert "line 5: databases.store: this is the place of a database's name" in said
    assert "line 1: schedule: unknown key; schedule belongs below a database: databases.NAME.schedule" in (
        problems(tmp_path, "schedule: {}\ndatabases: {x: }\n")
    )


def test_a_value_that_yaml_does_not_take_for_text_is_to_be_quoted_and_is_not_repeated(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        "databases:\n  x:\n    offsite:\n      bucket: 20261127\n      region: no\n    key_tables:\n      - off\n",
    )

    assert "line 4: databases.x.offsite.bucket: YAML reads this value as a number" in said
    assert "line 5: databases.x.offsite.region: YAML reads this value as a yes or no" in said
    assert "20261127" not in said
    assert "line 7: databases.x.key_tables.0" in said


def test_each_problem_has_the_line_of_its_key_also_below_a_merge_key(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        "databases:\n  one: &one\n    source: {url_env: A}\n    dump: {job: 2}\n  two:\n    <<: *one\n",
    )

    assert "line 4: databases.one.dump.job: unknown key; did you mean jobs?" in said
    assert "line 4: databases.two.dump.job: unknown key" in said


def test_a_disk_that_fails_is_no_fault_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Path, **__: object) -> str:
        raise OSError(errno.EIO, "Input/output error", "databases.yaml")

    monkeypatch.setattr(Path, "read_bytes", fails)
    monkeypatch.setattr(Path, "read_text", fails)
    with pytest.raises(LocalTrouble, match=r"Input/output error at databases\.yaml"):
        file.load(tmp_path / "databases.yaml")
