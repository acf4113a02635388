"""The one parser of what others may have written, and that nothing else parses it."""

import ast
import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

import hackorda_ops
from hackorda_ops import untrusted
from hackorda_ops.untrusted import MOST_BYTES, Reader, Unreadable, parsed, within_limits

PACKAGE = Path(hackorda_ops.__file__).parent

HOSTILE = {
    "nothing": b"",
    "half": b'{"a": ',
    "no text at all": b"\xff\xfe\x00",
    "NaN": b'{"a": NaN}',
    "infinity": b"[-Infinity]",
    "a key twice": b'{"a": 1, "a": 2}',
    "half of a pair": b'["\\ud800"]',
    "NUL": b'["a\\u0000b"]',
    "NUL in a key": b'{"\\u0000": 1}',
    "a raw NUL": b'["\x00"]',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep in objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "a number without end": b"9" * 1_000_000,
    "many values": b"[" + b"0," * 5_000_000 + b"0]",
    "many lists": b"[" + b"[]" * 4_000_000,
    "blanks": b" " * (MOST_BYTES + 1),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_this_product_never_writes_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        parsed(data)
    assert 0 < len(str(caught.value)) < 100


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=10,
    )
)
def test_what_json_says_is_what_is_read(value: object) -> None:
    text = json.dumps(value)
    if "\\u0000" not in text:
        assert parsed(text.encode()) == value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=60))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    with suppress(Unreadable):
        parsed(data)


def test_a_text_that_only_looks_like_nul_is_read() -> None:
    assert parsed(b'["\\\\u0000"]') == ["\\u0000"]


@pytest.mark.parametrize(
    "value", ["1969-12-31T23:59:59Z", "9000-01-02T00:00:00Z", 1e15, "2026-01-01T00:00:00"]
)
def test_times_outside_of_the_calendar_are_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        Reader(TypeAdapter(list[datetime])).read(json.dumps([value]).encode())


def test_what_is_refused_is_not_repeated() -> None:
    with pytest.raises(Unreadable) as caught:
        Reader(TypeAdapter(dict[str, int])).read(b'{"pass word\\u001b[2J": "shhh"}')
    assert "pass" not in str(caught.value)
    assert "shhh" not in str(caught.value)


@pytest.mark.parametrize("seconds", [-1e300, -1.0, 1e300, float("inf")])
def test_a_time_that_a_disk_tells_is_within_the_calendar(seconds: float) -> None:
    assert untrusted.EARLIEST <= within_limits(seconds) <= untrusted.LATEST


def test_a_time_that_a_disk_tells_stays_what_it_is() -> None:
    now = time.time()
    assert within_limits(now) == datetime.fromtimestamp(now, UTC)


# Who else parses, and of whom it comes. Nobody of them reads from a store.
_OTHERS = {
    "untrusted.py": "the one parser",
    "receipts/verify.py": "lies beside the receipts and needs no package: it has limits and one form of its own",
    "processes/supervisor.py": "its own parent's order",
    "processes/worker.py": "its own parent's order",
    "processes/workers.py": "its own child's answers",
    "postgres/access/access_lists.py": "one value of our own query",
    "migration_tools/drizzle.py": "the team's own repository",
    "migration_tools/reading/changelogs.py": "the team's own repository",
    "preflight/migrations.py": "the team's own repository",
    "setup/application.py": "the team's own repository",
    "histories/barman/catalog.py": "what barman prints, on this machine",
    "neon/client.py": "Neon's answers",
    "neon/transport.py": "Neon's answers",
    "dagster_home/looking.py": "dagster.yaml",
    "orchestration/component.py": "our own schema",
    "orchestration/sensors/command_line.py": "a cursor in Dagster's database",
    "orchestration/sensors/alarms.py": "state in Dagster's database",
    "orchestration/upkeep/keeping.py": "a cursor in Dagster's database",
    "config/": "databases.yaml",
    "cli/": "the command line, as a configuration",
    "local/": "the embedded stack",
}
_PARSERS = {
    "json.load",
    "loads",
    "safe_load",
    "model_validate",
    "model_validate_json",
    "validate_json",
    "validate_python",
    "from_json",
}


def parsers_in(text: str) -> set[str]:
    """Those that a module calls, by the end of what it calls them."""
    if not any(each.rpartition(".")[2] in text for each in _PARSERS):
        return set()  # which is quicker than to read all of its syntax
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    return {each for each in _PARSERS if any(f".{name}".endswith(f".{each}") for name in called)}


def test_nothing_else_parses_what_lies_in_a_store() -> None:
    names = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    found = {name for name, path in names.items() if parsers_in(path.read_text())}
    folders = tuple(each for each in _OTHERS if each.endswith("/"))
    assert {each for each in found if not each.startswith(folders)} - _OTHERS.keys() == set()
    # Whoever no longer parses is struck off.
    assert _OTHERS.keys() - set(folders) - found == set()
