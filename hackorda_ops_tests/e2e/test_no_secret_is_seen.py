"""Every secret that is used, searched for wherever something is kept, shown or handed on: nothing.

The embedded stack as the demo has it: a night, a week, a drill, an exercise and two failures, told to a webhook, to
apprise and to an outside monitor.
"""

import os
import secrets
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.calendar import partitions as calendar
from hackorda_ops.config import file as config_file
from hackorda_ops.config.file import CONFIG_VARIABLE
from hackorda_ops.local.dagster import running_dagster, storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import delete_server
from hackorda_ops.local.stack import OFFSITE_BUCKET, Stack, running_stack
from hackorda_ops_tests.alerts.sink import Sink, running_sink
from hackorda_ops_tests.e2e.lookout import Lookout, looking_out
from hackorda_ops_tests.e2e.processes import ENVIRONMENT, PATIENCE_SECONDS, until

pytestmark = [pytest.mark.server, pytest.mark.e2e]

# Dagster's processes and our commands are given the environment by whoever starts them, and the team's migrate
# command its URL by us. (Python's `platform` asks the program `file` what this Python is.) No other has a secret.
GIVEN_SECRETS = ("dagster", "multiprocessing", "hackorda_ops.cli", "hackorda_ops.local.migrate", "file -b ")
# Each client tool runs by way of this, because a quick one could slip by the lookout.
WRAPPER = """#!/bin/sh
cat /proc/$$/environ > '{records}/{tool}-'$$
stat -c ' %a' "$PGPASSFILE" >> '{records}/{tool}-'$$ 2>/dev/null
exec '{bin_dir}/{tool}' "$@"
"""
TOOLS = ("pg_dump", "pg_restore", "psql")


@dataclass(frozen=True)
class Seen:
    """All that there was to be seen when everything had run.

    Attributes:
        secrets: what each is, and its value.
        places: what a place is, and its text.
        lookout: at the processes, meanwhile.
        tools: the environments that client tools were given, each with the mode of its password file at the end.
        alarms: where the alarms went.
    """

    secrets: Mapping[str, str]
    places: Mapping[str, str]
    lookout: Lookout
    tools: Mapping[str, str]
    alarms: Sink


@pytest.fixture(scope="module")
def seen(server_folder: Path) -> Iterator[Seen]:
    folder = server_folder / "no secret is seen"
    folder.mkdir()
    folder.chmod(0o711)
    said: list[str] = []
    with (
        looking_out() as lookout,
        running_sink() as alarms,
        running_stack(folder / "stack", scale=0.05) as stack,
    ):
        hidden, environ = _secrets_of(stack, alarms)
        config = _configuration(folder, stack.postgres.bin_dir)
        with running_dagster(
            folder / "dagster",
            config=config,
            storage=storage_variables(stack.dagster_url),
            environ=environ,
            on_line=said.append,
        ) as dagster:
            _everything_runs(dagster, config, stack)
            until(lambda: _is_told(alarms, hidden), "both channels are told of both failures")
            said.append(_commands(config, environ))
        places = {
            "output": "\n".join(said),
            **dict(_event_log(stack.dagster_url)),
            **dict(_files(folder)),
            **dict(_objects(stack)),
        }
        tools = {path.name: path.read_text() for path in (folder / "records").iterdir()}
        yield Seen(hidden, places, lookout, tools, alarms)
    delete_server(folder / "stack" / "postgres")


def _secrets_of(stack: Stack, alarms: Sink) -> tuple[dict[str, str], dict[str, str]]:
    # The example's migrate command is `python -m …`: it must be this Python.
    path = os.pathsep.join((str(Path(sys.executable).parent), ENVIRONMENT["PATH"]))
    secret_key, webhook, channel, monitor = (secrets.token_urlsafe(24) for _ in range(4))
    hidden = {
        "the source's password": str(conninfo_to_dict(stack.hackorda_url)["password"]),
        "the password of Dagster's storage": str(conninfo_to_dict(stack.dagster_url)["password"]),
        "the superuser's password": stack.postgres.password,
        "Neon's API key": stack.neon.api_key,
        "the bucket's secret key": secret_key,
        "the webhook's path": webhook,
        "apprise's path": channel,
        "the monitor's path": monitor,
    }
    environ = {
        **ENVIRONMENT,
        "PATH": path,
        **stack.environment(),
        "OFFSITE_SECRET_ACCESS_KEY": secret_key,
        "ALERT_WEBHOOK_URL": f"{alarms.url}/{webhook}",
        "ALERT_URLS": f"{alarms.apprise_url}/{channel}",
        "PING_URL": f"{alarms.url}/{monitor}",
    }
    return hidden, environ


def _configuration(folder: Path, bin_dir: Path) -> Path:
    for made in ("records", "clients"):
        (folder / made).mkdir()
    for tool in TOOLS:
        wrapper = folder / "clients" / tool
        wrapper.write_text(WRAPPER.format(records=folder / "records", tool=tool, bin_dir=bin_dir))
        wrapper.chmod(0o755)
    configuration = yaml.safe_load(example_file("databases.yaml").read_text())
    configuration["databases"]["hackorda"]["heartbeats"] = dict.fromkeys(
        ("night_env", "week_env", "quarter_env", "year_env"), "PING_URL"
    )
    configuration["databases"]["hackorda"]["source"]["client_folders"] = [str(folder / "clients")]
    config = folder / "databases.yaml"
    config.write_text(yaml.safe_dump(configuration))
    return config


def _everything_runs(dagster: RunningDagster, config: Path, stack: Stack) -> None:
    night = calendar.night_of(datetime.now(UTC), config_file.load(config).databases["hackorda"].schedule)
    partitions = {
        "nightly_dump": night,
        "offsite_copy": calendar.week_of(night),
        "restore_drill": calendar.quarter_of(night),
        "recovery_exercise": calendar.year_of(night),
    }
    for asset, partition in partitions.items():
        run = dagster.materialize(f"hackorda/{asset}", str(partition))
        assert dagster.end_of(run) == "SUCCESS", dagster.messages(run)
    # What fails says most. A week whose nights are gone, and a source that refuses the password:
    runs = [
        dagster.materialize("hackorda/offsite_copy", str(calendar.week_of(night.replace(day=1, month=1))))
    ]
    with psycopg.connect(stack.postgres.url(), autocommit=True) as connection:
        connection.execute("ALTER ROLE hackorda PASSWORD 'another'")
    runs.append(dagster.materialize("hackorda/nightly_dump", str(night)))
    assert [dagster.end_of(run) for run in runs] == ["FAILURE", "FAILURE"]


def _is_told(alarms: Sink, hidden: Mapping[str, str]) -> bool:
    return all(
        any(path in call.path and f"FAILED: hackorda, {kind} of" in call.body for call in alarms.calls)
        for path in (hidden["the webhook's path"], hidden["apprise's path"])
        for kind in ("week", "night")
    )


def _commands(config: Path, environ: Mapping[str, str]) -> str:
    """What an operator's commands say, wrong password and all."""
    return "\n".join(
        subprocess.run(
            [sys.executable, "-m", "hackorda_ops.cli", *command],
            env={**environ, CONFIG_VARIABLE: str(config)},
            cwd=config.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        ).stdout
        for command in (["backups"], ["preflight"], ["dump"])
    )


def _event_log(url: str) -> Iterator[tuple[str, str]]:
    """Every table of Dagster's storage, with what it keeps compressed."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall()
            yield f"table {table}", "\n".join(_as_text(value) for row in rows for value in row)


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        with suppress(zlib.error):
            value = zlib.decompress(value)
        return value.decode(errors="replace")
    return str(value)


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """Everything on disk, but for the files of the servers themselves."""
    for path in folder.rglob("*"):
        if path.is_file() and folder / "stack" not in path.parents:
            yield str(path.relative_to(folder)), path.read_bytes().decode(errors="replace")


def _objects(stack: Stack) -> Iterator[tuple[str, str]]:
    client = stack.s3.client()
    for listed in client.list_objects_v2(Bucket=OFFSITE_BUCKET)["Contents"]:
        body = client.get_object(Bucket=OFFSITE_BUCKET, Key=listed["Key"])["Body"].read()
        yield f"s3://{OFFSITE_BUCKET}/{listed['Key']}", body.decode(errors="replace")


def test_no_secret_is_kept_or_shown_anywhere(seen: Seen) -> None:
    leaks = [
        f"{what} in {place}"
        for place, text in seen.places.items()
        for what, secret in seen.secrets.items()
        if secret in text
    ]

    assert leaks == []
    for place in ("output", "table event_logs", "table runs", "table snapshots"):
        assert seen.places[place], place
    for name in ("manifest.json", "RESTORE.md", "report.html", "report.json", "report.md"):
        assert any(place.endswith(f"/{name}") for place in seen.places), name


def test_no_secret_is_in_an_alarm(seen: Seen) -> None:
    for call in seen.alarms.calls:
        for what, secret in seen.secrets.items():
            assert secret not in call.body, what


def test_no_secret_is_on_a_command_line(seen: Seen) -> None:
    lines = seen.lookout.environments.keys()
    assert any("supervisor.py" in line for line in lines)
    for what, secret in seen.secrets.items():
        assert not [line for line in lines if secret in line], what


def test_no_secret_is_in_the_environment_of_a_client_tool_and_its_password_file_is_private(
    seen: Seen,
) -> None:
    for tool in ("pg_dump", "pg_restore"):
        given = [text for name, text in seen.tools.items() if name.startswith(f"{tool}-")]
        assert any("PGPASSFILE=" in text and text.endswith(" 600\n") for text in given), tool
    for name, text in seen.tools.items():
        assert "PGPASSWORD" not in text
        for what, secret in seen.secrets.items():
            assert secret not in text, f"{what}: {name}"


def test_no_secret_is_in_the_environment_of_any_other_child(seen: Seen) -> None:
    # The lookout does see what is there.
    dagsters = [
        text for line, texts in seen.lookout.environments.items() if "dagster" in line for text in texts
    ]
    assert any(seen.secrets["Neon's API key"] in text for text in dagsters)
    assert any("supervisor.py" in line for line in seen.lookout.environments)

    for line, environments in seen.lookout.environments.items():
        if not any(given in line for given in GIVEN_SECRETS):
            for what, secret in seen.secrets.items():
                assert not any(secret in environment for environment in environments), f"{what}: {line}"
