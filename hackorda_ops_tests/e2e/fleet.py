"""Ten databases, whose nights run on two Celery workers that share no disk.

What they share is what two machines would: Dagster's Postgres, Redis, the source's server and the bucket.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config import file as config_file
from hackorda_ops.config.file import CONFIG_VARIABLE
from hackorda_ops.environment import Protected
from hackorda_ops.local.dagster import running_dagster, storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.processes import child
from hackorda_ops_tests.e2e.processes import ENVIRONMENT, until
from hackorda_ops_tests.e2e.redis import running_redis

NAMES = tuple(f"db{number}" for number in range(10))
BUCKET = "ten-nights"
# As an operator puts the two together, but for how soon a lost worker is noticed.
SETTINGS = (
    example_file("dagster.yaml")
    .read_text(encoding="utf-8")
    .replace("poll_interval_seconds: 30", "poll_interval_seconds: 1")
) + (Path(__file__).parents[2] / "deploy" / "celery.yaml").read_text(encoding="utf-8")
# A run that waits in Redis has begun for Dagster, which gives up on it in time: so there are as many slots as
# dagster.yaml has runs.
_SLOTS_PER_WORKER = 2


@dataclass(frozen=True)
class Worker:
    """One machine's worth of Celery.

    Attributes:
        folder: all that is its own: home, $DAGSTER_HOME, temporary files, configuration, work folder.
        said: its output so far, line by line.
    """

    folder: Path
    said: list[str]

    @property
    def dagster_home(self) -> Path:
        """Its $DAGSTER_HOME."""
        return self.folder / "dagster"


@dataclass(frozen=True)
class Fleet:
    """Dagster, and the workers that its runs are on.

    Attributes:
        dagster: web server, daemon and code location.
        dagster_home: their $DAGSTER_HOME.
        workers: which share nothing with it, or with each other.
        config_file: the databases.yaml that each of them has a copy of.
        environ: what that names, the same everywhere.
        storage_url: of Dagster's own database.
    """

    dagster: RunningDagster
    dagster_home: Path
    workers: tuple[Worker, ...]
    config_file: Path
    environ: Mapping[str, str]
    storage_url: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may see."""
        return (
            str(conninfo_to_dict(self.storage_url)["password"]),
            self.environ["OFFSITE_SECRET_ACCESS_KEY"],
            self.environ["CELERY_BROKER_URL"].partition("@")[0].rpartition(":")[2],
        )

    def artifacts(self, name: str) -> tuple[Manifest, ...]:
        """What the bucket holds of a database."""
        policy = config_file.load(self.config_file).databases[name]
        found = catalog.read(Protected(name, policy, self.environ).store, name)
        assert not found.damaged
        return found.artifacts

    def worker_of(self, run: str) -> Worker:
        """The one worker that has a run's output on its disk."""
        [worker] = [worker for worker in self.workers if (worker.dagster_home / "storage" / run).exists()]
        return worker


@contextmanager
def running_fleet(folder: Path, postgres: PostgresServer, s3: S3Server) -> Iterator[Fleet]:
    """Runs all of it, but for the two servers given, for as long as the block lasts."""
    create_bucket(s3, BUCKET)
    urls = {f"{name.upper()}_URL": create_database(postgres, name) for name in NAMES}
    for number, url in enumerate(urls.values()):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE users AS SELECT generate_series(1, %s) AS id", [number + 1])
    storage_url = create_database(postgres, "storage of the fleet")
    configuration = yaml.safe_dump(_policy(s3))
    config = folder / "databases.yaml"
    config.write_text(configuration)
    with ExitStack() as stack:
        broker = stack.enter_context(running_redis(folder))
        environ = {
            **ENVIRONMENT,
            **urls,
            **storage_variables(storage_url),
            "OFFSITE_ACCESS_KEY_ID": s3.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": s3.secret_access_key,
            "CELERY_BROKER_URL": broker,
            "CELERY_RESULT_BACKEND": broker,
        }
        dagster = stack.enter_context(
            running_dagster(
                folder / "dagster",
                config=config,
                storage=storage_variables(storage_url),
                environ=environ,
                settings=SETTINGS,
            )
        )
        workers = tuple(
            stack.enter_context(_running_worker(folder / name, configuration, environ))
            for name in ("worker-1", "worker-2")
        )
        yield Fleet(dagster, folder / "dagster", workers, config, environ, storage_url)


def _policy(s3: S3Server) -> dict[str, Any]:
    # The daemon runs beside the tests, and starts what is scheduled: nothing is, for half a day.
    far = (datetime.now(UTC).hour + 12) % 24
    bucket = {"bucket": BUCKET, "endpoint_url": s3.endpoint_url, "region": s3.region}
    return {
        "databases": {
            name: {
                "source": {"url_env": f"{name.upper()}_URL", "tls": "disable"},
                "store": {**bucket, "prefix": "nights"},
                "offsite": bucket,
                "scratch": {"server": {"superuser": "postgres"}},
                # The tests count the nights that run at a time.
                "proof": {"every": "off"},
                "schedule": {
                    **dict.fromkeys(("night", "week", "quarter"), f"0 {far} * * *"),
                    "since": datetime.now(UTC).date(),
                },
            }
            for name in NAMES
        }
    }


@contextmanager
def _running_worker(folder: Path, configuration: str, environ: Mapping[str, str]) -> Iterator[Worker]:
    worker = Worker(folder, [])
    for own in (folder / "home", folder / "temporary", worker.dagster_home):
        own.mkdir(parents=True, mode=0o700)
    (folder / "databases.yaml").write_text(configuration)
    (worker.dagster_home / "dagster.yaml").write_text(SETTINGS, encoding="utf-8")
    process = child.start(
        [
            *(Path(sys.executable).with_name("celery"), "--app", "dagster_celery.app", "worker"),
            *("--concurrency", str(_SLOTS_PER_WORKER), "--disable-prefetch"),
            *("--hostname", f"{folder.name}@%h", "--loglevel", "INFO"),
        ],
        environment={
            **environ,
            "HOME": str(folder / "home"),
            "DAGSTER_HOME": str(worker.dagster_home),
            "TMPDIR": str(folder / "temporary"),
            CONFIG_VARIABLE: str(folder / "databases.yaml"),
        },
        working_directory=folder,
        on_stdout_line=worker.said.append,
        on_stderr_line=worker.said.append,
    )
    try:
        until(lambda: any(" ready." in line for line in worker.said), f"{folder.name} is ready")
        yield worker
    finally:
        process.stop()
