"""How two artifacts differ, or one and the live database: every difference is named, and no row is shown."""

import json
import threading
from datetime import UTC, datetime

import psycopg
import pytest

from hackorda_ops.engines.contents import Definition, PartSeen
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.errors import ArtifactDamaged, SourceBusy
from hackorda_ops.inspection.difference import Side, difference
from hackorda_ops.progress import ignore
from hackorda_ops.sealing.opening import OpenArtifact
from hackorda_ops_tests.inspection.conftest import Run, TwoNights, execute

NOW = datetime(2026, 11, 8, tzinfo=UTC)


def side(parts: dict[str, PartSeen], definitions: dict[str, Definition] | None = None, **unread: str) -> Side:
    return Side("a side", NOW, parts, definitions, unread)


def test_a_table_is_added_removed_or_changed_and_equal_ones_are_only_counted() -> None:
    found = difference(
        side({"same": PartSeen(1, "a"), "gone": PartSeen(2, "b"), "less": PartSeen(5, "c"), "other": PartSeen(3, "d")}),
        side({"same": PartSeen(1, "a"), "new": PartSeen(0, "0"), "less": PartSeen(4, "e"), "other": PartSeen(3, "f")}),
    )  # fmt: skip
    assert [(each.name, each.change, each.sentence) for each in found.parts] == [
        ("gone", "removed", "2 rows"),
        ("less", "changed", "5 → 4 rows (-1)"),
        ("new", "added", "0 rows"),
        ("other", "changed", "3 rows on both sides, with other contents"),
    ]
    assert (found.equal_parts, found.anything, found.complete) == (1, True, False)


def test_what_could_not_be_read_is_neither_equal_nor_different() -> None:
    found = difference(side({"a": PartSeen(1, "x")}, {}), side({}, {}, a="it is locked"))
    assert (found.parts, found.equal_parts, found.not_compared) == ((), 0, {"a": "it is locked"})
    assert not found.complete


def test_a_definition_that_differs_only_in_a_secret_is_reported_without_it() -> None:
    found = difference(
        side({}, {"SERVER s": Definition("OPTIONS ('…')", "1")}),
        side({}, {"SERVER s": Definition("OPTIONS ('…')", "2")}),
    )
    assert found.definitions is not None
    [only] = found.definitions
    assert only.lines == ("a value that isn't shown, because it may be secret",)
    assert found.complete


def test_two_nights_differ_in_rows_contents_tables_and_definitions(run: Run, nights: TwoNights) -> None:
    done = run("diff", nights.first.artifact_id, nights.second.artifact_id, "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert {
        each["name"]: (each["change"], each["before"]["rows"], each["after"]["rows"])
        for each in found["parts"]
    } == {
        "public.fresh": ("added", None, 1),
        "public.old": ("removed", 0, None),
        "public.orders": ("changed", 40, 40),
        "public.users": ("changed", 300, 290),
    }  # fmt: skip
    assert {(each["name"], each["change"]) for each in found["definitions"]} == {
        ("TABLE public.fresh", "added"),
        ("TABLE public.old", "removed"),
        ("TABLE public.orders", "changed"),
    }
    assert (found["equal_parts"], found["complete"]) == (1, True)
    shown = run("diff", nights.first.artifact_id, nights.second.artifact_id)
    assert "300 → 290 rows (-10)" in shown.stdout
    assert "+    CONSTRAINT orders_price_check CHECK ((price > (0)::numeric))" in shown.stdout


def test_an_artifact_does_not_differ_from_itself(run: Run, nights: TwoNights) -> None:
    done = run("diff", nights.second.artifact_id, nights.second.artifact_id)
    assert done.returncode == 0, done.stderr
    assert "4 tables equal, 0 different, 0 not compared; 0 definitions differ." in done.stdout


def test_the_live_database_is_compared_with_an_artifact(run: Run, nights: TwoNights) -> None:
    done = run("diff", nights.second.artifact_id, "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert {each["name"]: each["change"] for each in found["parts"]} == {
        "public.fresh": "removed",
        "public.users": "changed",
    }
    assert {(each["name"], each["change"]) for each in found["definitions"]} == {
        ("TABLE public.fresh", "removed"),
        ("INDEX public.by_name", "added"),
    }
    assert (found["equal_parts"], found["complete"]) == (2, True)


def test_a_locked_table_of_the_live_database_is_not_compared_and_nobody_waits(
    run: Run, nights: TwoNights, source: str
) -> None:
    with psycopg.connect(source) as holder:
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        done = run("diff", nights.second.artifact_id, "--json")
    # The schema can't be read either while a table is locked: the command gives up, and says so.
    assert done.returncode == 3
    assert "users" in done.stderr


def test_reading_the_live_database_gives_way_to_a_schema_change(
    nights: TwoNights, source: str, tmp_path: object
) -> None:
    changed: list[bool] = []

    def change() -> None:
        execute(source, "ALTER TABLE quiet ADD note text; ALTER TABLE quiet DROP note")
        changed.append(True)

    with psycopg.connect(source) as reader:
        reader.execute("SELECT FROM quiet")  # what the change waits for, until it is rolled back
        changing = threading.Thread(target=change)
        changing.start()
        try:
            live = engine_that_wrote(nights.second).live(
                nights.protected, nights.second, private_folder=tmp_path, limit_seconds=60, on_progress=ignore
            )  # type: ignore[arg-type]
        except SourceBusy:
            pass
        else:
            assert "public.quiet" in live.unread
    changing.join()
    assert changed


def test_no_table_is_read_for_longer_than_was_allowed(nights: TwoNights, tmp_path: object) -> None:
    live = engine_that_wrote(nights.second).live(
        nights.protected, nights.second, private_folder=tmp_path, limit_seconds=0, on_progress=ignore
    )  # type: ignore[arg-type]
    assert live.parts == {}
    assert set(live.unread.values()) == {"there was no time left for it"}


def test_a_table_of_contents_that_was_changed_is_not_compared(nights: TwoNights, tmp_path: object) -> None:
    path = nights.store.root / nights.first.prefix / "dump/toc.dat"
    before = path.read_bytes()
    path.write_bytes(before[:-1] + b"!")
    try:
        with pytest.raises(ArtifactDamaged, match=r"toc\.dat is not what the manifest says"):
            engine_that_wrote(nights.first).definitions(
                nights.protected,
                nights.store,
                OpenArtifact(nights.first, nights.first),
                private_folder=tmp_path,
            )  # type: ignore[arg-type]
    finally:
        path.write_bytes(before)


def test_more_than_two_artifacts_or_one_database_is_a_mistake(run: Run, nights: TwoNights) -> None:
    for words in ((nights.first.artifact_id,) * 3, ("shop", "shed")):
        done = run("diff", *words)
        assert done.returncode == 2
        assert "is more than this command takes" in done.stderr
