"""The operator's commands, as an operator runs them: processes, exit codes, what they print."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, from_bytes, to_bytes
from hackorda_ops.doctor.registry import QUESTIONS
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket

PROGRAM = Path(sys.executable).with_name("hackorda-ops")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def source(postgres_server: PostgresServer) -> str:
    url = create_database(postgres_server, "cli source")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "CREATE TABLE users AS SELECT n AS id, 'user ' || n AS name FROM generate_series(1, 321) n"
        )
    return url


@pytest.fixture(scope="module")
def environ(source: str, s3_server: S3Server) -> dict[str, str]:
    create_bucket(s3_server, "cli-offsite")
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "DATABASE_URL": source,
        "OFFSITE_BUCKET": "cli-offsite",
        "OFFSITE_ENDPOINT_URL": s3_server.endpoint_url,
        "OFFSITE_REGION": s3_server.region,
        "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("operator")
    (made / "databases.yaml").write_text("databases: {hackorda: }", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def run(environ: Mapping[str, str], folder: Path) -> Run:
    def runs(
        *arguments: str, without: str = "", within: Path = folder, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in environ.items() if name != without}
        done = subprocess.run(
            [PROGRAM, *arguments],
            env=kept | variables,
            cwd=within,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        for secret in (urlsplit(environ["DATABASE_URL"]).password, environ["OFFSITE_SECRET_ACCESS_KEY"]):
            assert str(secret) not in done.stdout + done.stderr
        return done

    return runs


@pytest.fixture(scope="module")
def dumped(run: Run) -> dict[str, object]:
    """One dump and its copy, which most tests here look at."""
    taken = run("dump", "--json")
    assert taken.returncode == 0, taken.stderr
    copied = run("copy", "--json")
    assert copied.returncode == 0, copied.stderr
    document: dict[str, object] = json.loads(taken.stdout)
    return document


@pytest.fixture
def empty(new_database: str) -> str:
    return new_database


def test_help_names_every_command_and_the_exit_codes(run: Run) -> None:
    said = run("--help").stdout
    for word in (
        "dump",
        "copy",
        "backups",
        "verify",
        "restore",
        "status",
        "demo",
        "1 FAIL",
        "databases.yaml",
    ):
        assert word in said


def test_the_version_is_the_installed_packages(run: Run) -> None:
    assert run("--version").stdout.split() == [version("hackorda-ops")]


def test_no_customer_is_named_in_the_help_of_a_command(run: Run) -> None:
    for command in ("restore", "maintenance run"):
        said = re.sub(r"(?i)hackorda[-_]ops", "", run(*command.split(), "--help").stdout)
        assert not re.search("hackorda|honeydue|amanat|961tech", said, re.IGNORECASE)


def test_a_shell_completes_commands_and_the_databases_of_the_configuration(run: Run, tmp_path: Path) -> None:
    def completed(words: str) -> list[str]:
        at = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return run(within=tmp_path, _HACKORDA_OPS_COMPLETE="complete_bash", **at).stdout.split()

    assert completed("hackorda-ops ver") == ["verify"]
    assert completed("hackorda-ops dump ") == []
    (tmp_path / "databases.yaml").write_text("databases: {shop: }", encoding="utf-8")
    assert completed("hackorda-ops dump s") == ["shop"]
    assert completed("hackorda-ops dump t") == []


def test_preflight_ends_with_0_where_all_is_well_1_where_something_stops_and_2_for_the_configuration(
    run: Run, dumped: object, scratch_server: PostgresServer, tmp_path: Path
) -> None:
    (tmp_path / "databases.yaml").write_text(
        "databases: {hackorda: {scratch: {server: {superuser: postgres}}}}", encoding="utf-8"
    )
    sound = run("preflight", within=tmp_path, SCRATCH_ADMIN_URL=scratch_server.url())
    assert sound.returncode == 0, sound.stdout
    assert "0 problem(s) would stop a night, 0 a copy off-site, 0 a drill" in sound.stdout
    stopped = run("preflight", within=tmp_path, SCRATCH_ADMIN_URL="postgresql://x:y@no-such-host.invalid/z")
    assert stopped.returncode == 1
    assert "stops the drill" in stopped.stdout
    assert "Next step:" in stopped.stdout
    unset = run("preflight", "hackorda", "--json", within=tmp_path)
    assert unset.returncode == 2
    [told] = json.loads(unset.stdout)
    assert (told["database"], told["stops_the_night"], told["stops_the_drill"]) == ("hackorda", False, True)
    [scratch] = [each for each in told["parts"] if each["part"] == "scratch"]
    assert scratch["outcome"] == "problem"
    assert "SCRATCH_ADMIN_URL" in scratch["concerns"][0]["what"]


def test_everything_is_asked_and_what_is_not_met_ends_with_1(
    run: Run,
    dumped: object,
    scratch_server: PostgresServer,
    tmp_path: Path,
) -> None:
    (tmp_path / "databases.yaml").write_text(
        "databases: {hackorda: {scratch: {server: {superuser: postgres}}, dump: {work_folder: work}}}",
        encoding="utf-8",
    )
    done = run("doctor", "--json", within=tmp_path, SCRATCH_ADMIN_URL=scratch_server.url())
    assert done.returncode == 1, done.stderr
    [found] = json.loads(done.stdout)
    checks = {each["check"]: each for each in found["checks"]}
    assert {each.name for each in QUESTIONS if each.name not in ("server", "preflight")} <= checks.keys()
    assert checks["instance"]["outcome"] == "ok"
    assert checks["alarms"]["outcome"] == "problem"
    assert checks["provider's backups"]["outcome"] == "unknown"
    assert checks["leftovers"]["outcome"] == "ok"
    assert all(each["next_step"] for each in found["checks"] if each["outcome"] not in ("ok", "none"))
    assert not (tmp_path / "work").exists()


def test_people_get_a_checklist_with_remedies(
    run: Run, dumped: object, server_folder: Path, folder: Path
) -> None:
    work = server_folder / "reachable work"
    work.mkdir(mode=0o755)
    (server_folder / "databases.yaml").write_text(
        f"databases: {{hackorda: {{store: {folder / 'backups'}, dump: {{work_folder: '{work}'}}}}}}",
        encoding="utf-8",
    )
    open_still = run("doctor", within=server_folder)
    assert "--fix can put 1 right" in open_still.stdout
    assert work.stat().st_mode & 0o777 == 0o755
    done = run("doctor", "--fix", within=server_folder)
    assert f"Fixed: {work} had the mode 755, and has 700 now." in done.stdout
    assert work.stat().st_mode & 0o777 == 0o700
    assert done.returncode == 1
    assert "[x] instance" in done.stdout
    assert "[ ] alarms" in done.stdout
    assert "next step: Set one of them where Dagster runs" in done.stdout
    assert "couldn't be looked at." in done.stdout


def test_a_dump_says_what_it_proved_and_where_it_lies(run: Run, dumped: object) -> None:
    done = run("dump")
    assert done.returncode == 0
    assert "PASS" in done.stdout
    assert "public.users" in done.stdout
    assert "321 rows in 1 table" in done.stdout
    assert "read back" in done.stderr  # progress, where nobody watches a terminal


def test_backups_are_listed_for_people_and_for_scripts(run: Run, dumped: dict[str, object]) -> None:
    listed = json.loads(run("backups", "--json").stdout)
    assert {(each["place"], each["artifact_id"]) for each in listed} >= {
        ("store", dumped["artifact_id"]),
        ("offsite", dumped["artifact_id"]),
    }
    assert str(dumped["artifact_id"]) in run("backups", "hackorda").stdout


def test_times_in_json_are_iso_8601(run: Run, dumped: dict[str, object]) -> None:
    assert datetime.fromisoformat(str(dumped["captured_at"])).tzinfo is not None
    assert "T" in str(dumped["captured_at"])
    assert date.fromisoformat(str(dumped["night"]))


def test_what_a_monitor_did_not_hear_is_told_after_the_error_it_belongs_to(
    run: Run, dumped: object, tmp_path: Path
) -> None:
    (tmp_path / "databases.yaml").write_text(
        "databases: {hackorda: {heartbeats: {night_env: PING_URL}}}", encoding="utf-8"
    )
    done = run(
        "dump", within=tmp_path, PING_URL="not a url",
        DATABASE_URL="postgresql://nobody:wrong@no-such-host.invalid/x",
    )  # fmt: skip
    assert done.returncode == 3
    said = [line.strip() for line in done.stderr.splitlines()]
    # Before it there may be a warning of what was found amiss beside it.
    assert any(line.startswith("ERROR") for line in said[:-2])
    assert all(line.startswith("note: The monitor of $PING_URL") for line in said[-2:])


def test_backups_without_offsite_variables_show_the_store_and_say_so(run: Run, dumped: object) -> None:
    done = run("backups", without="OFFSITE_BUCKET")
    assert done.returncode == 0
    assert "variables are not set" in done.stderr


def test_verify_passes_a_sound_artifact_in_both_places(run: Run, dumped: dict[str, object]) -> None:
    for place in ("store", "offsite"):
        done = run("verify", "--in", place, "--artifact", str(dumped["artifact_id"]), "--json")
        assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "PASS")


def test_verify_fails_a_damaged_artifact_with_exit_code_1(run: Run, dumped: object) -> None:
    damaged = json.loads(run("dump", "--json").stdout)
    [data] = Path(damaged["location"]).glob("dump/*.dat.*")
    data.write_bytes(data.read_bytes()[:-3])
    done = run("verify", "--in", "store", "--artifact", damaged["artifact_id"])
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert data.name in done.stdout


def test_restore_needs_only_the_bucket_and_its_credentials(
    run: Run, dumped: object, empty: str, tmp_path: Path
) -> None:
    done = run(
        "restore", "hackorda", "--offsite", "s3://cli-offsite",
        without="DATABASE_URL", within=tmp_path, RESTORE_URL=empty,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "321 rows in 1 table compared with the manifest" in done.stdout
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT count(*) FROM users").fetchone() == (321,)
    assert list(tmp_path.iterdir()) == []


def test_what_is_dated_after_now_is_listed_last_and_only_taken_when_asked_for(
    run: Run, source: str, empty: str, tmp_path: Path
) -> None:
    (tmp_path / "databases.yaml").write_text("databases: {hackorda: }", encoding="utf-8")
    true = json.loads(run("dump", "--json", within=tmp_path).stdout)
    folder = Path(true["location"])
    manifest = from_bytes((folder / MANIFEST_NAME).read_bytes(), origin="the test")
    captured_at = manifest.captured_at + timedelta(days=3)
    ahead = replace(manifest, artifact_id=f"{captured_at:%Y%m%dT%H%M%SZ}-abcdef", captured_at=captured_at)
    shutil.copytree(folder, folder.with_name(ahead.artifact_id))
    (folder.with_name(ahead.artifact_id) / MANIFEST_NAME).write_bytes(to_bytes(ahead))

    listed = json.loads(run("backups", "--json", within=tmp_path).stdout)
    in_store = [each for each in listed if each["place"] == "store"]
    assert [(each["artifact_id"], each["dated_after_now"]) for each in in_store] == [
        (true["artifact_id"], False),
        (ahead.artifact_id, True),
    ]
    assert (
        f"dated in the future, so never taken for the newest; to be had by its id: {ahead.artifact_id}"
        in (" ".join(run("backups", within=tmp_path).stdout.split()))
    )
    verified = json.loads(run("verify", "--in", "store", "--json", within=tmp_path).stdout)
    restored = run("restore", "--from", "store", "--json", within=tmp_path, RESTORE_URL=empty)
    assert restored.returncode == 0, restored.stderr
    for chosen in (verified, json.loads(restored.stdout)):
        assert (chosen["artifact_id"], chosen["verdict"]) == (true["artifact_id"], "PASS")
    by_id = run("verify", "--in", "store", "--artifact", ahead.artifact_id, "--json", within=tmp_path)
    assert json.loads(by_id.stdout)["artifact_id"] == ahead.artifact_id

    shutil.rmtree(folder)
    none_left = run("restore", "--from", "store", within=tmp_path, RESTORE_URL=empty)
    assert none_left.returncode == 3
    assert ahead.artifact_id in none_left.stderr


def test_restore_refuses_the_source_and_a_database_that_is_not_empty(
    run: Run, dumped: object, source: str, empty: str
) -> None:
    done = run("restore", RESTORE_URL=source)
    assert done.returncode == 3
    assert "is the source itself" in done.stderr
    with psycopg.connect(empty, autocommit=True) as session:
        session.execute("CREATE TABLE precious (id int)")
    done = run("restore", RESTORE_URL=empty)
    assert done.returncode == 3
    assert "not empty" in done.stderr


def test_restore_takes_a_url_without_its_password_only(run: Run, dumped: object, empty: str) -> None:
    done = run("restore", "--to", empty)
    assert done.returncode == 2
    assert "every user of this machine can read" in done.stderr
    parts = urlsplit(empty)
    bare = urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
    done = run("restore", "--to", bare, PGPASSWORD=str(parts.password))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("restore",), "RESTORE_URL"),
        (("dump", "nonesuch"), "Name one of: hackorda"),
        (("dump", "--frobnicate"), "No such option"),
        (("drill", "--quarter", "2026-Q5"), "Write it as year and quarter: 2026-Q4"),
        (("drill",), "set NEON_API_KEY"),
        (("verify", "--config", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_wrong_use_ends_with_exit_code_2_and_the_remedy(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_missing_variables_are_told_all_at_once_with_exit_code_2(run: Run) -> None:
    done = run("copy", without="OFFSITE_BUCKET", OFFSITE_ACCESS_KEY_ID="")
    assert done.returncode == 2
    assert "databases.hackorda.offsite.bucket_env: set OFFSITE_BUCKET" in done.stderr
    assert "databases.hackorda.offsite.access_key_id_env" in done.stderr


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"DATABASE_URL": "postgresql://nobody:wrong@no-such-host.invalid/x"}, "no-such-host.invalid"),
        ({"OFFSITE_BUCKET": "no-such-bucket"}, "no-such-bucket"),
    ],
)
def test_what_cannot_be_done_ends_with_exit_code_3_what_it_means_and_the_next_step(
    run: Run, dumped: object, variables: dict[str, str], says: str
) -> None:
    done = run("dump" if "DATABASE_URL" in variables else "copy", **variables)
    assert done.returncode == 3
    assert says in done.stderr
    assert "What it means:" in done.stderr
    assert "Next step:" in done.stderr


@pytest.mark.parametrize(
    ("migrate", "password", "code", "verdict"),
    [("true", None, 0, "PASS"), ("false", None, 1, "FAIL"), ("true", "wrong", 3, "ERROR")],
)
def test_a_drill_ends_with_its_verdict_as_exit_code_and_a_report(
    run: Run,
    dumped: object,
    *,
    scratch_server: PostgresServer,
    folder: Path,
    migrate: str,
    password: str | None,
    code: int,
    verdict: str,
) -> None:
    config = folder / "drilled.yaml"
    config.write_text(
        f"databases: {{hackorda: {{scratch: {{server: {{superuser: postgres}}}}, migrate: {{command: '{migrate}'}}}}}}"
    )
    admin = scratch_server.url(password=password)

    done = run("drill", "--config", str(config), SCRATCH_ADMIN_URL=admin)

    assert done.returncode == code, done.stderr
    assert re.search(rf"^{verdict}(: [a-z ]+)?  ", done.stdout, re.MULTILINE)
    assert "restored_equals_manifest" in done.stdout
    [page] = re.findall(r"report: (/.*\.html)", done.stdout)
    assert f"<title>{verdict}: restore drill" in Path(page).read_text()
    assert scratch_server.password not in done.stdout + done.stderr


def test_prune_says_why_it_keeps_what_and_deletes_only_when_told(run: Run, dumped: dict[str, object]) -> None:
    shown = run("prune")
    assert shown.returncode == 0, shown.stderr
    assert str(dumped["artifact_id"]) in shown.stdout
    # A sentence goes over several lines of its cell, as many as the table's other columns leave room for.
    sentences = re.sub(r"[│\s]+", " ", shown.stdout)
    assert "younger than 7 days" in sentences
    assert "everything is kept" in sentences
    assert "There is nothing to delete." in shown.stdout

    done = json.loads(run("prune", "--delete", "--json").stdout)

    assert {each["keep"] for each in done["artifacts"]} == {True}
    assert done["done"]["deleted"] == []
    assert [place["place"] for place in done["places"]] == ["store", "offsite"]


def test_a_sweep_says_what_it_removed(run: Run, scratch_server: PostgresServer, folder: Path) -> None:
    name = "hackorda_ops_drill_hackorda_20261108t060000z_dead00_restore"
    label = {"app": "hackorda_ops", "database": "hackorda", "drill": "20261108T060000Z-dead00"}
    with psycopg.connect(scratch_server.url(), autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
        session.execute(f"COMMENT ON DATABASE {name} IS '{json.dumps(label)}'")
    config = folder / "swept.yaml"
    config.write_text("databases: {hackorda: {scratch: {server: {superuser: postgres}}}}")
    command, admin = ("sweep", "--config", str(config)), scratch_server.url()

    removed = run(*command, SCRATCH_ADMIN_URL=admin)
    nothing = run(*command, SCRATCH_ADMIN_URL=admin)
    as_json = run(*command, "--json", SCRATCH_ADMIN_URL=admin)

    assert (removed.returncode, removed.stdout) == (0, f"Removed {name}\n")
    assert (nothing.returncode, nothing.stdout) == (
        0,
        "No killed run of hackorda has left anything behind.\n",
    )
    assert json.loads(as_json.stdout) == {"database": "hackorda", "removed": []}


def test_a_drill_for_scripts_is_one_json_document(
    run: Run, dumped: dict[str, object], scratch_server: PostgresServer, folder: Path
) -> None:
    config = folder / "drilled.yaml"
    config.write_text("databases: {hackorda: {scratch: {server: {superuser: postgres}}}}")

    done = run("drill", "--json", "--config", str(config), SCRATCH_ADMIN_URL=scratch_server.url())

    held = json.loads(done.stdout)
    assert (done.returncode, held["result"]["verdict"]) == (0, "PASS")
    assert held["result"]["artifact"]["artifact_id"] == dumped["artifact_id"]
    assert len(held["pages"]) == 2


def test_a_collapse_is_a_fail_although_the_dump_is_kept(run: Run, dumped: object, source: str) -> None:
    with psycopg.connect(source, autocommit=True) as session:
        session.execute("CREATE TABLE passing AS SELECT n FROM generate_series(1, 500) n")
        assert run("dump").returncode == 0
        session.execute("TRUNCATE passing")
        done = run("dump", "--json")
        session.execute("DROP TABLE passing")
    assert done.returncode == 1
    assert [each["code"] for each in json.loads(done.stdout)["findings"]] == ["table emptied"]
    assert Path(json.loads(done.stdout)["location"], "manifest.json").exists()


@pytest.fixture
def elsewhere(scratch_server: PostgresServer) -> Iterator[str]:
    """A database of the source's name on another server, which is as empty as before afterwards."""
    url = create_database(scratch_server, "cli source")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("CREATE TABLE users AS SELECT n AS id FROM generate_series(1, 321) n")
    yield url
    with psycopg.connect(scratch_server.url(), autocommit=True) as session:
        session.execute('DROP DATABASE "cli source" WITH (FORCE)')


def test_a_dump_of_another_source_is_a_fail_until_it_is_confirmed_and_later_ones_need_no_word(
    run: Run, source: str, elsewhere: str, tmp_path: Path
) -> None:
    (tmp_path / "databases.yaml").write_text("databases: {hackorda: }", encoding="utf-8")

    def dump(*arguments: str, url: str) -> tuple[int, dict[str, object]]:
        done = run("dump", "--json", *arguments, within=tmp_path, DATABASE_URL=url)
        return done.returncode, json.loads(done.stdout)

    def codes(document: dict[str, object]) -> list[str]:
        findings = document["findings"]
        assert isinstance(findings, list)
        return [each["code"] for each in findings]

    assert dump(url=source)[0] == 0
    for _ in range(2):
        exit_code, refused = dump(url=elsewhere)
        assert (exit_code, codes(refused)) == (1, ["another source"])
        assert "hackorda-ops dump --new-source" in json.dumps(refused)
    exit_code, confirmed = dump("--new-source", url=elsewhere)
    assert (exit_code, codes(confirmed)) == (0, [])
    exit_code, later = dump(url=elsewhere)
    assert (exit_code, codes(later)) == (0, [])
    exit_code, back = dump(url=source)
    assert (exit_code, codes(back)) == (1, ["another source"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_is_no_fail_and_leaves_nothing(
    environ: dict[str, str], folder: Path, source: str, number: signal.Signals
) -> None:
    with psycopg.connect(source) as blocking:
        blocking.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with subprocess.Popen([PROGRAM, "dump"], env=environ, cwd=folder, stderr=subprocess.PIPE) as dump:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            with psycopg.connect(source, autocommit=True) as looking:
                while looking.execute(waiting).fetchone() == (0,):
                    assert dump.poll() is None
            dump.send_signal(number)
            dump.communicate(timeout=60)
    assert dump.returncode == 128 + number
    unfinished = [path for path in (folder / "backups" / ".staging").rglob("*") if path.is_file()]
    assert unfinished == []
