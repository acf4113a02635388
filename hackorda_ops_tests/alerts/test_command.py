"""`hackorda-ops alerts test`, and the heartbeats of what is done by hand: as an operator runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hackorda_ops_tests.alerts.sink import free_port, running_mail_sink, running_sink

PROGRAM = Path(sys.executable).with_name("hackorda-ops")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def runs(
        *arguments: str, config: str = "databases: {shop: }", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "databases.yaml").write_text(config, encoding="utf-8")
        done = subprocess.run(
            [PROGRAM, *arguments],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "hunter2" not in done.stdout + done.stderr
        return done

    return runs


def test_a_test_message_arrives_on_every_channel(run: Run) -> None:
    with running_sink() as webhook, running_sink() as service, running_mail_sink() as mail:
        done = run(
            "alerts",
            "test",
            ALERT_WEBHOOK_URL=webhook.url,
            ALERT_URLS=f"{service.apprise_url} {mail.url}",
        )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("delivered") == 3
    assert "not delivered" not in done.stdout
    for texts in (webhook.texts, service.texts):
        [text] = texts
        assert text.startswith("TEST: hackorda_ops can reach you here\nSent by hand from ")
    assert [each["Subject"] for each in mail.mails] == ["TEST: hackorda_ops can reach you here"]


def test_a_channel_that_does_not_take_it_is_named_and_the_others_get_it(run: Run) -> None:
    with running_sink() as webhook, running_sink() as service:
        service.status = 403
        done = run(
            "alerts",
            "test",
            "--json",
            config="databases: {shop: }\nalerts: {channels_env: [ON_CALL, TEAM]}",
            ALERT_WEBHOOK_URL=webhook.url,
            ON_CALL=service.apprise_url,
            TEAM=f"json://user:hunter2@127.0.0.1:{free_port()} hunter2",
        )

    assert done.returncode == 1
    told = {each["channel"]: each for each in json.loads(done.stdout)}
    assert told["ALERT_WEBHOOK_URL"] == {"channel": "ALERT_WEBHOOK_URL", "delivered": True, "problem": None}
    assert "status 403" in told["ON_CALL 1"]["problem"]
    assert "could not be reached" in told["TEAM 1"]["problem"]
    assert "does not understand" in told["TEAM 2"]["problem"]
    assert len(webhook.texts) == 1


def test_without_a_channel_it_says_which_variables_are_looked_at(run: Run) -> None:
    done = run("alerts", "test")

    assert done.returncode == 2
    assert "ALERT_WEBHOOK_URL, ALERT_URLS" in done.stderr


def test_its_help_says_what_to_set(run: Run) -> None:
    said = " ".join(run("alerts", "test", "--help").stdout.split())

    for words in ("ALERT_URLS", "mailto://", "Exit code 1", "2: no channel is configured"):
        assert words in said


@pytest.mark.server
def test_a_dump_by_hand_is_a_heartbeat_too(run: Run, new_database: str) -> None:
    with psycopg.connect(new_database) as connection:
        connection.execute("CREATE TABLE users AS SELECT n AS id FROM generate_series(1, 500) n")
    config = "databases: {shop: {heartbeats: {night_env: NIGHT_HEARTBEAT}}}"
    with running_sink() as sink:
        sound = run("dump", config=config, DATABASE_URL=new_database, NIGHT_HEARTBEAT=sink.url)
        with psycopg.connect(new_database) as connection:
            connection.execute("TRUNCATE users")
        unsound = run("dump", config=config, DATABASE_URL=new_database, NIGHT_HEARTBEAT=sink.url)
        sink.status = 500
        unheard = run("dump", config=config, DATABASE_URL=new_database, NIGHT_HEARTBEAT=sink.url)

    assert (sound.returncode, unsound.returncode, unheard.returncode) == (0, 1, 0), unheard.stderr
    ends = [call.path.removeprefix("/hooks/hunter2-is-a-secret") for call in sink.taken]
    assert ends == ["/start", "", "/start", "/fail"]
    assert "The monitor of $NIGHT_HEARTBEAT was not reached" in unheard.stderr
