"""Large objects of an archive and of a live database: the same bytes give the same figure, on both sides."""

from pathlib import Path

import pytest
import xxhash

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.archives.large_objects import (
    LargeObject,
    archived,
    digest_of,
    listed,
    read_archived,
    read_stored,
)
from hackorda_ops_tests.postgres.awkward import execute, session, target_of
from hackorda_ops_tests.postgres.dumping import clients_of, take_dump

MEBIBYTE = 1024 * 1024
# What a piece of reading may stumble over: nothing, less than a piece, exactly one, one byte more, several.
LENGTHS = [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE, 3 * MEBIBYTE + 17]


def content(length: int) -> bytes:
    return (b"%d any bytes, \x00 and \xff among them; " % length * (length // 30 + 1))[:length]


def stored(url: str) -> tuple[list[LargeObject], int]:
    told: list[int] = []
    with session(url) as connection:
        objects = list(read_stored(connection, on_bytes=told.append))
    return sorted(objects, key=lambda each: each.oid), sum(told)


def test_every_byte_of_every_object_counts_on_both_sides(
    each_url: str, each_server: PostgresServer, tmp_path: Path
) -> None:
    with session(each_url) as connection:
        for number, length in enumerate(LENGTHS):
            connection.execute("SELECT lo_from_bytea(%s, %s)", (30000 + number, content(length)))
        connection.execute("SELECT lo_put(lo_create(40000), 5000, 'after a hole')")
    dumped = take_dump(target_of(each_url), clients_of(each_server), tmp_path / "dump")

    contents = {30000 + number: content(length) for number, length in enumerate(LENGTHS)}
    contents[40000] = bytes(5000) + b"after a hole"
    expected = [
        LargeObject(oid, len(data), xxhash.xxh3_128_hexdigest(data)) for oid, data in contents.items()
    ]
    assert stored(each_url) == (expected, sum(map(len, contents.values())))
    assert sorted(archived(dumped.files), key=lambda each: each.oid) == expected
    assert digest_of(read_archived(tmp_path / "dump")) == digest_of(expected)
    assert listed(tmp_path / "dump") == contents.keys()


def test_many_objects_come_in_one_stream(new_database: str) -> None:
    execute(new_database, "SELECT lo_from_bytea(0, n::text::bytea) FROM generate_series(1, 5000) n")
    objects, _ = stored(new_database)
    assert len(objects) == 5000
    digest = digest_of(objects)
    assert (digest.objects, digest.size_bytes) == (5000, 9 + 180 + 2700 + 16004)


def test_a_database_without_any_has_a_figure_too(new_database: str) -> None:
    assert digest_of(stored(new_database)[0]) == digest_of(())


def test_the_figure_depends_on_numbers_and_bytes_and_not_on_the_order() -> None:
    one, other = LargeObject(1, 3, "a" * 32), LargeObject(2, 3, "b" * 32)
    assert digest_of([one, other]) == digest_of([other, one])
    swapped = [LargeObject(1, 3, "b" * 32), LargeObject(2, 3, "a" * 32)]
    assert digest_of(swapped) != digest_of([one, other])
    assert digest_of([one, one]) != digest_of([one])
    assert digest_of([one, one]) != digest_of([other, other])


def test_lists_of_every_release_are_read(tmp_path: Path) -> None:
    assert listed(tmp_path) == frozenset()
    (tmp_path / "blobs.toc").write_text("16401 blob_16401.dat\n")
    (tmp_path / "blobs_17.toc").write_text("5 blob_5.dat\n4294967295 blob_4294967295.dat\n")
    assert listed(tmp_path) == {16401, 5, 4294967295}


@pytest.mark.parametrize("text", [b"16401\n", b"16401 blob_2.dat\n", b"\n", b"1 blob_1.d", b"\xff\n"])
def test_a_list_of_another_form_is_damage_that_names_it(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "blobs_7.toc").write_bytes(text)
    with pytest.raises(ArtifactDamaged, match=r"blobs_7\.toc"):
        listed(tmp_path)
