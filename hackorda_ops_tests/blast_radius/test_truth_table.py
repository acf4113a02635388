"""The truth table of bucket policies and roles: locks are enforced by a server, policies by a proxy before it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from hackorda_ops.blast_radius.measure import BlastRadius, measure
from hackorda_ops.blast_radius.radius import CopyAtRisk, of_place, reach_of
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.stores.canary import CANARY_FOLDER, CanaryAnswers
from hackorda_ops.stores.locks import FileLock, ObjectLock
from hackorda_ops_tests.retention.places import NOW, artifact, put_artifact
from hackorda_ops_tests.stores.examples import store_on
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, proxied, refusal

pytestmark = pytest.mark.server

DAY = timedelta(days=1)
NIGHTS = 3


def actions_of(request: Request) -> set[str]:
    """The rights that S3 asks for, for what a request does to an object."""
    headers = {name.lower() for name in request.headers}
    found = {"s3:BypassGovernanceRetention"} if "x-amz-bypass-governance-retention" in headers else set()
    query = urlsplit(request.path).query
    if request.method == "PUT":
        found.add("s3:PutObjectRetention" if "retention" in query else "s3:PutObject")
    if request.method == "DELETE":
        found.add("s3:DeleteObjectVersion" if "versionId" in query else "s3:DeleteObject")
    return found


@contextmanager
def denying(server: S3Server, *denied: str) -> Iterator[S3Server]:
    """The server, as a key sees it that is denied these actions."""

    def enforced(request: Request, forward: Forward) -> Reply:
        return refusal(403, "AccessDenied") if actions_of(request) & set(denied) else forward(request)

    with proxied(server, enforced) as proxy:
        yield proxy


@dataclass(frozen=True)
class Row:
    """A row of the table: a bucket, what its policy denies, and the answer."""

    name: str
    versioned: bool
    mode: str | None
    denied: tuple[str, ...]
    reach: str
    survive: int


TABLE = (
    Row("every right", True, None, (), "everything", 0),
    Row("no versions", False, None, (), "everything", 0),
    Row("no versions, only overwriting", False, None, ("s3:DeleteObject",), "everything", 0),
    Row("hiding alone", True, None, ("s3:DeleteObjectVersion",), "nothing", NIGHTS),
    Row("compliance", True, "compliance", (), "what isn't locked", NIGHTS),
    Row("governance with bypass", True, "governance", (), "everything", 0),
    Row(
        "governance without",
        True,
        "governance",
        ("s3:BypassGovernanceRetention",),
        "what isn't locked",
        NIGHTS,
    ),
    Row(
        "reading alone",
        True,
        None,
        ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
        "unknown",
        0,
    ),
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_eight_bucket_policies_give_the_answers_of_the_table(
    seaweed_server: S3Server, tmp_path: Path, row: Row
) -> None:
    bucket = "radius-" + "".join(c if c.isalnum() else "-" for c in row.name)
    create_bucket(seaweed_server, bucket, object_lock=row.mode is not None)
    client = seaweed_server.client()
    if row.versioned:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    lock = ObjectLock(row.mode, 20) if row.mode else None  # type: ignore[arg-type]
    for age in range(NIGHTS):
        put_artifact(store_on(seaweed_server, bucket, lock=lock), artifact(age + 1))
    before = everything_in(client, bucket)

    with denying(seaweed_server, *row.denied) as seen:
        found = measure(protected_by(seen, bucket, tmp_path, row.mode), now=datetime.now(UTC) + 2 * DAY)

    [place] = [each for each in found.places if each.place == "offsite"]
    assert (place.reach, place.survives, place.lost) == (row.reach, row.survive, NIGHTS - row.survive), (
        place.why
    )
    assert bool(place.remedies) is (row.survive == 0)
    assert place.lost_days == (0 if row.survive else NIGHTS)
    assert bool(found.survivors) is bool(row.survive)
    # Only canaries were touched.
    after = everything_in(client, bucket)
    assert {key for key in after if CANARY_FOLDER not in key[0]} == before


def everything_in(client: Any, bucket: str) -> set[tuple[str, str]]:
    """Every version that a bucket keeps."""
    listed = client.list_object_versions(Bucket=bucket)
    return {
        (each["Key"], each["VersionId"])
        for each in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))
    }


def protected_by(server: S3Server, bucket: str, folder: Path, mode: str | None) -> Protected:
    """A database whose off-site bucket this is; its nightly store is empty, and its source away."""
    offsite: dict[str, Any] = {"bucket": bucket}
    if mode:
        offsite["lock"] = {"mode": mode, "days": 20}
    policy = Policy.model_validate(
        {"store": str(folder / "store"), "offsite": offsite, "dump": {"work_folder": str(folder / "work")}}
    )
    return Protected(
        "hackorda",
        policy,
        {
            "OFFSITE_ENDPOINT_URL": server.endpoint_url,
            "OFFSITE_REGION": server.region,
            "OFFSITE_ACCESS_KEY_ID": server.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": server.secret_access_key,
        },
    )


@pytest.mark.parametrize(
    ("kind", "statements", "reach"),
    [
        ("reader", ["GRANT pg_read_all_data TO {role}"], "reads"),
        (
            "writer",
            ["GRANT USAGE ON SCHEMA app TO {role}", "GRANT INSERT, DELETE ON app.users TO {role}"],
            "writes",
        ),
        ("owner", ["ALTER TABLE app.users OWNER TO {role}"], "drops"),
        ("root", ["ALTER ROLE {role} SUPERUSER"], "everything"),
        ("member of an owner", ["GRANT app_owner TO {role}", "ALTER ROLE {role} NOINHERIT"], "drops"),
        ("writes by a predefined role", ["GRANT pg_write_all_data TO {role}"], "writes"),
        ("makes roles", ["ALTER ROLE {role} CREATEROLE"], "drops"),
        ("runs programs", ["GRANT pg_execute_server_program TO {role}"], "everything"),
    ],
)
def test_kinds_of_role_give_the_answers_of_the_table(
    postgres_server: PostgresServer, tmp_path: Path, kind: str, statements: list[str], reach: str
) -> None:
    role = f"radius_{kind.replace(' ', '_')}"
    url = create_database(postgres_server, f"radius {kind}")
    with psycopg.connect(url, autocommit=True) as session:
        for statement in (
            f"CREATE ROLE {role} LOGIN PASSWORD 'pw'",
            "CREATE SCHEMA app",
            "CREATE TABLE app.users (id int)",
            "DO $$ BEGIN CREATE ROLE app_owner; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            "GRANT ALL ON TABLE app.users TO app_owner",
            "CREATE TABLE app.theirs (id int)",
            "ALTER TABLE app.theirs OWNER TO app_owner",
            *(each.format(role=role) for each in statements),
        ):
            session.execute(statement)
    try:
        found = asked(url, role, tmp_path)
    finally:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(f"DROP OWNED BY {role}")
            session.execute(f"DROP ROLE {role}")

    assert found.role is not None
    assert found.role.reach == reach, found.role
    assert role in found.role.sentence
    assert bool(found.role_remedies) is (reach != "reads")


def asked(url: str, role: str, folder: Path) -> BlastRadius:
    """What is found where the source is read by this role."""
    parts = urlsplit(url)
    as_role = parts._replace(netloc=f"{role}:pw@{parts.hostname}:{parts.port}").geturl()
    policy = Policy.model_validate(
        {"store": str(folder / "store"), "dump": {"work_folder": str(folder / "work")}}
    )
    return measure(Protected("hackorda", policy, {"DATABASE_URL": as_role}))


def test_what_is_locked_survives_and_what_was_there_before_the_lock_does_not() -> None:
    copies = [
        CopyAtRisk("old", NOW - 20 * DAY, FileLock()),
        CopyAtRisk("ended", NOW - 10 * DAY, FileLock(NOW - DAY, "compliance")),
        CopyAtRisk("locked", NOW - 2 * DAY, FileLock(NOW + 9 * DAY, "compliance")),
        CopyAtRisk("held", NOW - DAY, FileLock(held=True)),
    ]

    found = of_place("offsite", "s3://b", ("what isn't locked", "so"), copies, remedies=("lock",), now=NOW)

    assert (found.lost, found.lost_days, found.survives) == (2, 11, 2)
    assert (found.newest_survivor, found.survives_until) == (NOW - DAY, NOW + 9 * DAY)
    assert found.holds(NOW)
    assert not replace(found, survives_until=NOW + 6 * DAY).holds(NOW)


def test_what_is_not_measured_counts_as_lost() -> None:
    answers = CanaryAnswers(True, "can", "can", "can", "not measured")

    assert reach_of(answers, asked=None)[0] == "unknown"
    assert reach_of(answers, asked="compliance")[0] == "what isn't locked"
    assert (
        of_place(
            "offsite", "b", ("unknown", "so"), [CopyAtRisk("a", NOW, FileLock())], remedies=(), now=NOW
        ).lost
        == 1
    )
