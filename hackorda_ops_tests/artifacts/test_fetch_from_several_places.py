"""Fetching from a place that dies in the middle, by real servers: the rest is taken from the next that has it."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.twins import Fetched, Twin, Twins
from hackorda_ops.errors import ArtifactDamaged, StoreUnreachable
from hackorda_ops.local.s3 import S3Server, create_bucket, running_s3
from hackorda_ops.progress import Progress, ignore
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import Store
from hackorda_ops_tests.artifacts.nights import of_night
from hackorda_ops_tests.stores.examples import CONTENTS, FILES, put, store_on
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, proxied, refusal

ARTIFACT: Manifest = replace(of_night(18), files=FILES)
_numbers = itertools.count(1)


def filled(store: Store) -> Store:
    for path, data in CONTENTS.items():
        put(store, f"{ARTIFACT.prefix}/{path}", data)
    return store


@dataclass
class Link:
    """A link to a server that breaks when a test says so; it says what was asked for."""

    broken: bool = False
    breaks_after: int = 2
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Request, forward: Forward) -> Reply | None:
        if request.method != "GET":
            return forward(request)
        self.asked.append(request.path)
        if self.broken:
            return None
        self.broken = len(self.asked) > self.breaks_after
        reply = forward(request)
        # The headers promise all of it.
        return replace(reply, body=reply.body[: len(reply.body) // 2]) if self.broken else reply


@pytest.fixture
def link() -> Link:
    return Link()


@pytest.fixture
def bucket(s3_server: S3Server, link: Link) -> Iterator[Store]:
    name = f"breaking-link-{next(_numbers)}"
    create_bucket(s3_server, name)
    filled(store_on(s3_server, name))
    with proxied(s3_server, link) as behind:
        yield store_on(behind, name)


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return filled(FolderStore(tmp_path / "other"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fetched"
    made.mkdir(mode=0o700)
    return made


def twins_in(*stores: Store) -> Twins:
    return {
        each.sha256: [Twin(store, f"{ARTIFACT.prefix}/{each.path}") for store in stores] for each in FILES
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in CONTENTS}


def test_a_server_that_is_killed_in_the_middle_of_a_file_is_replaced_by_the_next_place(
    other: Store, folder: Path
) -> None:
    told, once = list[Progress](), threading.Lock()
    with ExitStack() as stack:
        server = stack.enter_context(running_s3())
        create_bucket(server, "dies")
        dying = filled(store_on(server, "dies"))

        def on_progress(progress: Progress) -> None:
            told.append(progress)
            if once.acquire(blocking=False):
                stack.close()

        fetched = Fetched()
        fetch_artifact(
            dying, ARTIFACT, folder, on_progress=on_progress, twins=twins_in(dying, other), fetched=fetched
        )

    assert contents(folder) == CONTENTS
    assert list(fetched.given_up) == ["s3://dies"]
    assert {each.store.describe() for each in fetched.taken.values()} == {other.describe()}
    # It is no damage: nothing is known against what lies there.
    assert fetched.damaged == []
    assert [each.stage for each in told if "without" in each.stage] == ["fetch, now without s3://dies"]
    assert [each.done for each in told if each.stage == "fetch"][-1] <= ARTIFACT.size_bytes
    [sentence] = fetched.told(dying, ARTIFACT.prefix)
    assert sentence.startswith(
        f"s3://dies could not be read any more, and was given up; taken instead: {len(fetched.taken)} file"
    )


def test_a_place_whose_link_cuts_is_not_asked_for_every_file_again(
    bucket: Store, link: Link, other: Store, folder: Path
) -> None:
    link.breaks_after = 0
    fetched = Fetched()

    fetch_artifact(
        bucket, ARTIFACT, folder, on_progress=ignore, twins=twins_in(bucket, other), fetched=fetched
    )

    assert contents(folder) == CONTENTS
    # Four files at a time, each of them twice, and the one whose answer was cut once more; then no other.
    assert len(link.asked) <= 4 * 2 + 1
    assert len(fetched.given_up) == 1


def test_a_place_that_refuses_is_left_as_well(
    s3_server: S3Server, bucket: Store, other: Store, folder: Path
) -> None:
    with proxied(s3_server, lambda _request, _forward: refusal(403, "AccessDenied")) as closed:
        shut = store_on(closed, "closed-account")
        fetch_artifact(shut, ARTIFACT, folder, on_progress=ignore, twins=twins_in(shut, other))
    assert contents(folder) == CONTENTS


def test_what_no_other_place_has_is_asked_for_once_more_where_it_lies(
    s3_server: S3Server, bucket: Store, tmp_path: Path, folder: Path
) -> None:
    asked = list[str]()

    def recovers(request: Request, forward: Forward) -> Reply | None:
        asked.append(request.path)
        # Down for as long as somebody in haste asks for a file.
        return None if asked.count(request.path) <= 2 else forward(request)

    with proxied(s3_server, recovers) as flapping:
        place = store_on(flapping, bucket.location().container, attempts=4)
        empty = FolderStore(tmp_path / "empty")
        fetch_artifact(place, ARTIFACT, folder, on_progress=ignore, twins=twins_in(place, empty))

    assert contents(folder) == CONTENTS


def test_where_every_place_is_gone_the_first_one_says_why(bucket: Store, link: Link, folder: Path) -> None:
    link.breaks_after = 0
    with pytest.raises(StoreUnreachable) as caught:
        fetch_artifact(bucket, ARTIFACT, folder, on_progress=ignore, twins=twins_in(bucket))
    assert bucket.describe() in caught.value.what


def test_a_copy_stands_in_for_a_place_that_is_gone_and_never_for_a_damaged_file(
    bucket: Store, link: Link, other: Store, folder: Path, tmp_path: Path
) -> None:
    # As a drill does, which judges the copies as they are.
    fetched = Fetched()
    fetch_artifact(bucket, ARTIFACT, folder, on_progress=ignore, copies=[other], fetched=fetched)
    assert contents(folder) == CONTENTS
    assert len(fetched.given_up) == 1

    longer = CONTENTS["RESTORE.md"] + b"?"
    put(other, f"{ARTIFACT.prefix}/RESTORE.md", longer)
    damaged, again = Fetched(), tmp_path / "again"
    again.mkdir(mode=0o700)
    with pytest.raises(ArtifactDamaged, match=r"other/.*RESTORE\.md is longer"):
        fetch_artifact(bucket, ARTIFACT, again, on_progress=ignore, copies=[other], fetched=damaged)
    assert damaged.damaged == ["RESTORE.md"]
    assert damaged.taken["RESTORE.md"].store is other
