"""Versioned JSON in a store, whatever somebody has put in its place."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import Advice, Document
from hackorda_ops.errors import ArtifactDamaged


@dataclass(frozen=True)
class Note:
    text: str
    version: int = 2


NOTE = Document(
    "note", TypeAdapter(Note), "version", 2, unreadable=Advice("It is lost.", "Look."), other_version=None
)


def test_what_was_written_is_read_and_what_is_not_known_is_passed_over() -> None:
    assert NOTE.from_bytes(NOTE.to_bytes(Note("ä")), origin="here") == Note("ä")
    assert NOTE.from_bytes(b'{"version": 2, "text": "a", "later": 1}', origin="here") == Note("a")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b'{"version": 2}', b'{"version": 2, "text": ' + b"[" * 100_000]
)
def test_what_is_no_such_document_is_damage_however_it_is_broken(data: bytes) -> None:
    with pytest.raises(ArtifactDamaged, match="The note here is not readable") as caught:
        NOTE.from_bytes(data, origin="here")
    assert (caught.value.meaning, caught.value.next_step) == ("It is lost.", "Look.")


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"version": 3, "text": "a"}', b'{"version": "2"}'])
def test_another_version_is_not_guessed_at(data: bytes) -> None:
    with pytest.raises(ArtifactDamaged, match="but this release reads 2"):
        NOTE.from_bytes(data, origin="here")


@pytest.mark.parametrize(("written", "counts"), [(datetime(2026, 11, 1, tzinfo=UTC), True), (None, False)])
def test_a_time_without_a_time_zone_is_damage(written: datetime | None, counts: bool) -> None:
    naive = datetime(2026, 11, 1)  # noqa: DTZ001
    dated = replace(NOTE, moments=lambda _: (written or naive,))
    data = NOTE.to_bytes(Note("a"))
    if counts:
        assert dated.from_bytes(data, origin="here") == Note("a")
        return
    with pytest.raises(ArtifactDamaged, match="The note here has times without a time zone"):
        dated.from_bytes(data, origin="here")
