"""Versioned JSON in a store, whatever somebody has put in its place."""

import json
import re
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Dated:
    at: datetime
    seconds: float = 0.0
    version: int = 2


DATED = Document("note", TypeAdapter(Dated), "version", 2, unreadable=Advice("It is lost.", "Look."))


def test_a_time_in_its_zone_is_read() -> None:
    written = Dated(datetime(2026, 11, 1, tzinfo=UTC), 1.5)
    assert DATED.from_bytes(DATED.to_bytes(written), origin="here") == written


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"at": "2026-11-01T00:00:00"}, "at: a time without a time zone"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at: Input should be greater than"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "at: Input should be less than"),
        ({"seconds": 1e300}, "seconds: Input should be less than"),
        ({"version": True}, "has format version True"),
        ({"version": 2.0}, "has format version 2.0"),
        ({"version": "\u001b[2J" + "x" * 500}, "has format version '"),
        ({"\u001b[2J": "\0"}, "a NUL character in a text"),
    ],
)
def test_what_nothing_here_would_have_written_is_damage(changes: dict[str, object], says: str) -> None:
    data = json.dumps({"at": "2026-11-01T00:00:00Z", "version": 2} | changes).encode()
    with pytest.raises(ArtifactDamaged, match=re.escape(says)) as caught:
        DATED.from_bytes(data, origin="here\x1b[2J")
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 300
