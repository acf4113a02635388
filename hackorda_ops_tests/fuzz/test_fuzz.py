"""Every reader of what lies in a store, on real files with something wrong: a documented error, or what is there.

Never another exception, a hang, memory without end, or a damaged file that counts as the whole one. The files are the
golden artifacts'. HACKORDA_OPS_FUZZ says how many mutations of each are tried (`make fuzz`).
"""

import gzip
import itertools
import random
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hackorda_ops.age.identities import parse_identities
from hackorda_ops.age.streams import NotOpened, decrypt_file, decrypt_small
from hackorda_ops.artifacts import verifications
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, from_bytes
from hackorda_ops.artifacts.verifications import verification_of
from hackorda_ops.drill.report import json_form
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.evidence.archive import toc_findings
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.postgres.archives.large_objects import listed
from hackorda_ops.postgres.archives.reader import ArchivedFile, read_file
from hackorda_ops.postgres.archives.row_digest import PythonRowDigest, new_digest
from hackorda_ops.postgres.archives.toc import parse_toc, read_toc
from hackorda_ops.receipts import verify
from hackorda_ops.safekeeping import pins
from hackorda_ops_tests.fuzz.mutations import ROUNDS, mutated
from hackorda_ops_tests.golden.make import DATABASE, HERE

_HANGS_AFTER_SECONDS = 60
_MOST_MEGABYTES = 500

MANIFESTS = sorted(HERE.glob(f"*/{DATABASE}/*/{MANIFEST_NAME}"))
TOCS = sorted(HERE.glob(f"*/{DATABASE}/*/dump/toc.dat"))
LISTS = sorted(HERE.glob(f"*/{DATABASE}/*/dump/blobs*.toc"))
TABLES = sorted(HERE.glob(f"postgres-17/{DATABASE}/*/dump/[0-9]*.dat.zst"))
REPORTS = sorted(HERE.glob("*/report.json"))
CIPHERTEXTS = sorted(HERE.glob(f"encrypted-*/{DATABASE}/*/**/*.age"))


def _hangs(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise AssertionError("it hangs")


@pytest.fixture(autouse=True)
def ends_in_flat_memory() -> Iterator[None]:
    """Whatever the files are, reading them ends, and takes no memory to speak of."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.signal(signal.SIGALRM, _hangs)
    yield
    signal.alarm(0)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < _MOST_MEGABYTES


@contextmanager
def answered() -> Iterator[None]:
    """A documented error is an answer; anything else isn't."""
    signal.alarm(_HANGS_AFTER_SECONDS)
    with suppress(ArtifactDamaged, NotOpened):
        yield
    signal.alarm(0)


def name_of(path: Path) -> str:
    return f"{path.relative_to(HERE).parts[0]}-{path.name}"


@pytest.mark.parametrize("path", MANIFESTS, ids=name_of)
def test_manifests(path: Path) -> None:
    data = path.read_bytes()
    whole = from_bytes(data, origin="here")
    for changed in mutated(data, path.name):
        with answered():
            found = from_bytes(changed, origin="here")
            _require_harmless(found)
            # What lists and judgements ask of it.
            assert found.contents
            assert len(found.paths) <= len(found.files)
            # Files that it lists are the whole one's only where it lists each with the same hash.
            same = {(each.path, each.sha256) for each in found.files} == {
                (each.path, each.sha256) for each in whole.files
            }
            assert same or found.files_sha256 != whole.files_sha256


def _require_harmless(found: Manifest) -> None:
    for entry in found.files:
        path = Path("/fetched") / entry.path
        assert path.resolve() == path
        assert entry.size_bytes >= 0


@pytest.mark.parametrize("path", TOCS, ids=name_of)
def test_tables_of_contents(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    manifest = of_postgres(from_bytes((path.parents[1] / MANIFEST_NAME).read_bytes(), origin="here"))
    whole = parse_toc(data)
    assert whole is not None
    for changed in mutated(data, path.name):
        (tmp_path / "toc.dat").write_bytes(changed)
        with answered():
            found = read_toc(tmp_path)
            # Where nothing is found wrong with it, it has what the whole one has.
            if found is not None and manifest.schema_objects and not toc_findings(manifest, found):
                assert {each.digest for each in found} == {each.digest for each in whole}


@pytest.mark.parametrize("path", LISTS, ids=name_of)
def test_lists_of_large_objects(path: Path, tmp_path: Path) -> None:
    for changed in mutated(path.read_bytes(), path.name):
        (tmp_path / path.name).write_bytes(changed)
        with answered():
            assert all(0 <= each < 10**10 for each in listed(tmp_path))


@pytest.mark.parametrize("form", [".zst", ".gz", ""])
@pytest.mark.parametrize("path", TABLES, ids=name_of)
def test_tables_data(path: Path, form: str, tmp_path: Path) -> None:
    text = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    data = {".zst": path.read_bytes(), ".gz": gzip.compress(text, mtime=0), "": text}[form]
    name = f"1.dat{form}"
    whole = _read(tmp_path, name, data)
    for changed in mutated(data, (path.name, form)):
        with answered():
            found = _read(tmp_path, name, changed)
            assert found.sha256 != whole.sha256
            # The same rows by their digest are the same rows, whatever bytes they were in.
            if (found.rows, found.digest) == (whole.rows, whole.digest):
                assert sorted(_text(changed, form).split(b"\n")) == sorted(text.split(b"\n"))


def _read(folder: Path, name: str, data: bytes) -> ArchivedFile:
    (folder / name).write_bytes(data)
    return read_file(folder, name, on_bytes=lambda _: None, most_rows=10_000_000)


def _text(data: bytes, form: str) -> bytes:
    if form == ".zst":
        return zstandard.ZstdDecompressor().decompressobj(read_across_frames=True).decompress(data)
    return gzip.decompress(data) if form == ".gz" else data


@pytest.mark.parametrize("path", REPORTS, ids=name_of)
def test_reports(path: Path) -> None:
    for changed in mutated(path.read_bytes(), path):
        with answered():
            json_form.to_bytes(json_form.from_bytes(changed, origin="here"))


def test_records_beside_artifacts() -> None:
    manifest = from_bytes(MANIFESTS[0].read_bytes(), origin="here")
    now = datetime(2026, 11, 1, tzinfo=UTC)
    pin = pins.Pin("shop", manifest.artifact_id, "an audit", now, now)
    verification = verification_of(manifest, "here", by="copy", began_at=now)
    for document, content in ((pins._DOCUMENT, pin), (verifications._DOCUMENT, verification)):
        data = document.to_bytes(content)  # type: ignore[attr-defined]
        for changed in mutated(data, document, 10 * ROUNDS):
            with answered():
                document.from_bytes(changed, origin="here")  # type: ignore[attr-defined]


def test_receipts() -> None:
    statement = {
        "_type": verify.STATEMENT_TYPE,
        "predicateType": verify.PREDICATE_TYPE,
        "predicate": {"kind": "night", "database": "shop", "sequence": 1, "previous": None},
        "subject": [],
    }
    data = verify.envelope_bytes(verify.canonical(statement), [("0" * 64, b"s" * 64)])
    assert verify.read_receipt(data).statement == statement
    for changed in mutated(data, "receipts", 20 * ROUNDS):
        try:
            found = verify.read_receipt(changed)
        except ValueError:
            continue
        # One text is one receipt: another text is another.
        assert (found.payload, found.key_id, found.signature) != (
            verify.canonical(statement),
            "0" * 64,
            b"s" * 64,
        )


@pytest.mark.parametrize("path", CIPHERTEXTS, ids=name_of)
def test_ciphertexts(path: Path, tmp_path: Path) -> None:
    identities = parse_identities((HERE / "identity.txt").read_text(), origin="here")
    data = path.read_bytes()
    whole = None
    # The others are encrypted to the artifact's own key: their headers are read, and nothing is opened.
    with suppress(NotOpened):
        whole = decrypt_small(data, identities.keys)
    assert (whole is not None) == path.name.startswith("key-")
    for number, changed in enumerate(mutated(data, path.name)):
        with answered():
            assert decrypt_small(changed, identities.keys) == whole
        source, target = tmp_path / "source", tmp_path / f"target-{number}"
        source.write_bytes(changed)
        with answered():
            decrypt_file(source, target, identities.keys)
            assert target.read_bytes() == whole
        assert whole is not None or not target.exists()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_the_digest_in_c_is_the_one_in_python_wherever_blocks_end(data: bytes, cuts: list[int]) -> None:
    text = data.replace(b"\x00", b"\n")
    one, other = new_digest(), PythonRowDigest()
    ends = [0, *sorted(cut for cut in cuts if cut <= len(text)), len(text)]
    for begin, end in itertools.pairwise(ends):
        one.update(text[begin:end])
    other.update(text)
    assert (one.rows, one.hexdigest(), one.in_mid_row) == (other.rows, other.hexdigest(), other.in_mid_row)


def test_the_digest_in_c_is_the_one_in_python_for_long_rows() -> None:
    chance = random.Random(1)
    for _ in range(ROUNDS):
        text = b"\n".join(chance.randbytes(chance.choice((0, 1, 240, 241, 1024, 70_000))) for _ in range(4))
        one, other = new_digest(), PythonRowDigest()
        cut = chance.randrange(len(text) + 1)
        for piece in (text[:cut], text[cut:]):
            one.update(piece)
        other.update(text)
        assert (one.rows, one.hexdigest()) == (other.rows, other.hexdigest())
