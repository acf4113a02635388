"""What somebody who can write to a store may put in a manifest's place, beside artifacts that are sound."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

Change = Callable[[bytes], bytes]


def _with(**changes: Any) -> Change:
    return lambda data: json.dumps(json.loads(data) | changes).encode()


def _first_file(**changes: Any) -> Change:
    def change(data: bytes) -> bytes:
        content = json.loads(data)
        content["files"][0] |= changes
        return json.dumps(content).encode()

    return change


def _path_inside_a_file(data: bytes) -> bytes:
    return _first_file(path=json.loads(data)["files"][1]["path"] + "/x")(data)


def _without_end(data: bytes) -> bytes:
    return data.rstrip()[:-1] + b', "x": '


# Each is one damaged artifact, and nothing else.
MANIFESTS: Final[Mapping[str, Change]] = {
    "nothing": lambda _: b"",
    "no text": lambda _: b"\xff\xfe\x00",
    "half of it": lambda data: data[: len(data) // 2],
    "deep lists": lambda data: _without_end(data) + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep objects": lambda data: _without_end(data) + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    "NaN": lambda data: _without_end(data) + b"NaN}",
    "infinite seconds": lambda data: data.replace(
        b'"timings_seconds": {', b'"timings_seconds": {"x": 1e999,'
    ),
    "a year before all": _with(captured_at="0001-01-01T00:00:00+14:00"),
    "a year after all": _with(captured_at="9999-12-31T23:59:59-14:00"),
    "a night after all": _with(night="9999-12-31"),
    "no time zone": _with(captured_at="2026-11-01T00:00:00"),
    "a huge number": _with(evidence={"tables": 10**4000}),
    "a key twice": lambda data: _without_end(data) + b'1, "x": 2}',
    "half of a pair": lambda data: _without_end(data) + b'"\\ud800"}',
    "NUL": lambda data: _without_end(data) + b'"\\u0000"}',
    "a million blanks and nothing": lambda _: b" " * 1_000_000,
    "five million values": lambda data: _without_end(data) + b"[" + b"0," * 5_000_000 + b"0]}",
    "a name of 300 characters": _first_file(path="dump/" + "x" * 300),
    "a name with an escape": _first_file(path="dump/\x1b[2Jx"),
    "a path of 1,000 folders": _first_file(path="x/" * 1000 + "x"),
    "a path outside": _first_file(path="../../../tmp/x"),
    "an absolute path": _first_file(path="/tmp/x"),
    "a path inside a file": _path_inside_a_file,
    "a size below zero": _first_file(size_bytes=-1),
    "another format": _with(format_version=3),
    "a format that is true": _with(format_version=True),
    "an engine with an escape": _with(engine="\x1b[2J" * 1000),
    "a database elsewhere": _with(database="../../etc"),
    "an id elsewhere": _with(artifact_id="../../etc"),
    "counts of what can't be counted": _with(evidence={"parts.__class__": -1, "tables": 10**9}),
    "a list": lambda _: b"[]",
    "a text": lambda _: b'"manifest"',
}

# What may lie beside the artifacts, whatever is read of it.
BESIDE: Final = (
    b"",
    b"[" * 100_000,
    b'{"verification_version": 1, "pin_version": 1, "result_version": NaN}',
    b'{"event_version": 1, "kind": "night", "at": "0001-01-01T00:00:00+14:00", "outcome": "PASS", "subject": "\\u0000",'
    b' "detail": "\\u001b[2J"}',
    b'{"result_version": 2, "started_at": "9999-12-31T23:59:59-14:00"}',
)

# Names that lead nowhere: none of them is read, and none is in anybody's way.
KEYS: Final = (
    "{database}/line\nbreak/manifest.json",
    "{database}/\x1b[2Jcleared/manifest.json",
    "{database}/\u202egnp.exe/manifest.json",
    "{database}/" + "x" * 200 + "/manifest.json",
    "{database}/not an artifact/manifest.json",
    "{database}/{artifact}/dump/\x1b[2J.dat",
    "{database}/operations/x/20261101T000000Z-night-aaaaaa.json",
    "{database}/operations/99999999T999999Z-night-aaaaaa.json",
    "{database}/verifications/20261101T000000Z-aaaaaa/x\n.json",
    "{database}/pins/20261101T000000Z-aaaaaa\n.json",
    "{database}/drills/20261101T000000Z-aaaaaa/report.json",
    "{database}/receipts/99999999.json",
)
