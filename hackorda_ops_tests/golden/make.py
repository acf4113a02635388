"""Makes a golden artifact: `python -m hackorda_ops_tests.golden.make postgres-17 --major 17`.

It takes a night of a tiny database on a server of that version, drills it, and keeps the artifact with its drill's
report in `hackorda_ops_tests/golden/NAME/`. Make one when the format of manifests or reports changes, and with each new
version of Postgres. One that is there is never made again: it stands for what a release wrote.

Two were made of this `SCHEMA` by releases themselves, each in its own checkout: `oldest-17` by 759bfe5, the first whose
manifests are still read, and `before-engines-17` by 0ba8b25.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.drill import run_drill
from hackorda_ops.drill.report.json_form import to_bytes
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import create_database, running_postgres
from hackorda_ops.local.s3 import create_bucket, running_s3
from hackorda_ops.night.night import take_night
from hackorda_ops.week import week
from hackorda_ops_tests.zoo.servers import programs_of

HERE = Path(__file__).parent
DATABASE = "golden"
SCHEMA = """
CREATE TYPE mood AS ENUM ('calm', 'stormy');
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, feels mood DEFAULT 'calm');
INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 40) n;
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id int NOT NULL REFERENCES users,
    cents int NOT NULL CHECK (cents > 0),
    taxed int GENERATED ALWAYS AS (cents * 119 / 100) STORED
);
INSERT INTO orders (user_id, cents) SELECT 1 + n % 40, n * 7 FROM generate_series(1, 100) n;
CREATE TABLE visits (day date NOT NULL, path text) PARTITION BY RANGE (day);
CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO visits SELECT '2026-03-01'::date + n, '/page/' || n FROM generate_series(1, 30) n;
CREATE TABLE nothing (id int);
CREATE VIEW spenders AS SELECT user_id, sum(cents) AS cents FROM orders GROUP BY user_id;
CREATE SEQUENCE tickets; SELECT setval('tickets', 4711);
SELECT lo_from_bytea(20001, 'a photo'), lo_from_bytea(20002, '');
"""


def main() -> None:
    """Makes one."""
    parser = argparse.ArgumentParser(description="Makes a golden artifact.")
    parser.add_argument("name", help="of the folder")
    parser.add_argument("--major", type=int, default=17, help="the version of Postgres")
    parser.add_argument("--encrypt-to", help="a recipient of age; its identity is golden/identity.txt")
    given = parser.parse_args()
    target = HERE / given.name
    if target.exists():
        sys.exit(f"{target} is there: it stands for what a release wrote, and isn't made again.")
    work = Path(tempfile.mkdtemp(prefix="golden-"))
    work.chmod(0o711)
    try:
        _make(target, work, given.major, given.encrypt_to)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(target, sum(path.stat().st_size for path in target.rglob("*") if path.is_file()), "bytes")


def _make(target: Path, work: Path, major: int, encrypt_to: str | None) -> None:
    programs = programs_of(major)
    policy: dict[str, Any] = {
        "store": str(work / "store"),
        "dump": {"work_folder": str(work / "work")},
        "offsite": {"bucket": DATABASE},
        "scratch": {"server": {}},
    }
    if encrypt_to:
        policy |= {"encrypt_to": [encrypt_to], "identity": {"file": str(HERE / "identity.txt")}}
    with (
        running_postgres(work / "source", bin_dir=programs) as source,
        running_postgres(work / "scratch", bin_dir=programs) as scratch,
        running_s3() as s3,
    ):
        url = create_database(source, "golden source")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(SCHEMA.encode())
        create_bucket(s3, DATABASE)
        environ = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(work),
            "DATABASE_URL": url,
            "SCRATCH_ADMIN_URL": scratch.url(),
            "OFFSITE_ENDPOINT_URL": s3.endpoint_url,
            "OFFSITE_REGION": s3.region,
            "OFFSITE_ACCESS_KEY_ID": s3.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": s3.secret_access_key,
        }
        protected = Protected(DATABASE, Policy.model_validate(policy), environ)
        take_night(protected)
        [stored] = catalog.read(protected.store, DATABASE).artifacts
        week.ship(protected, stored)
        result = run_drill(protected)
    if result.verdict != "PASS":
        sys.exit(f"The drill said {result.verdict}: {result.findings}")
    shutil.copytree(work / "store" / stored.prefix, target / stored.prefix)
    (target / "report.json").write_bytes(to_bytes(result))


if __name__ == "__main__":
    main()
