"""RESTORE.md, as printed: fetched with the AWS CLI, checked, restored with the engine's own tools, counted."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.artifacts.by_hand import offsite_of
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.config.places import S3
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.progress import ignore
from hackorda_ops.week import week as weekly
from hackorda_ops_tests.engines import examples
from hackorda_ops_tests.engines.examples import Example
from hackorda_ops_tests.sealing.keys import keygen

AWS_CLI = "awscli==1.46.3"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the AWS CLI: this machine's, or one of its own, because it pins what we need newer."""
    if found := shutil.which("aws"):
        return Path(found).parent
    folder = tmp_path_factory.mktemp("aws")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", AWS_CLI]
    installed = subprocess.run(pip, check=False, capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip(f"the AWS CLI can't be installed here: {installed.stderr[-200:]}")
    return folder / "bin"


def shipped(example: Example) -> tuple[str, Manifest]:
    """The recovery sheet of a night that lies off-site."""
    manifest = take_night(example.protected).manifest
    weekly.ship(example.protected, manifest, on_progress=ignore)
    sheet = example.protected.offsite.read_small(f"{manifest.prefix}/RESTORE.md").decode()
    return sheet, manifest


def blocks(sheet: str, language: str) -> list[str]:
    """The sheet's blocks in a language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", sheet, re.DOTALL)


def run(script: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A script, as somebody pastes it."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, check=False, cwd=folder, env=environ, capture_output=True, text=True)


def of_aws(s3: S3Server, aws: Path, folder: Path, *programs: Path) -> dict[str, str]:
    """What the sheet asks its reader to set, and a home of nobody."""
    path = ":".join(map(str, (aws, *programs, "/usr/bin", "/bin")))
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key_id, "AWS_SECRET_ACCESS_KEY": s3.secret_access_key}
    return {"PATH": path, "HOME": str(folder), **keys}


@pytest.mark.server
def test_the_sheet_of_postgres_works_as_printed(  # noqa: PLR0917
    tmp_path: Path,
    s3_server: S3Server,
    new_bucket: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    scratch_server: PostgresServer,
    aws: Path,
) -> None:
    example = examples.of_postgres(
        tmp_path,
        s3_server,
        new_bucket,
        database=lambda: database_on(postgres_server),
        drilled_on=scratch_server,
    )
    sheet, manifest = shipped(example)
    there = conninfo_to_dict(scratch_server.url())
    environ = of_aws(s3_server, aws, tmp_path, postgres_server.bin_dir) | {
        "PGHOST": str(there["host"]),
        "PGPORT": str(there["port"]),
        "PGUSER": str(there["user"]),
        "PGPASSWORD": str(there["password"]),
    }
    _, fetch, restore, access = blocks(sheet, "sh")
    [counts] = blocks(sheet, "sql")
    fetched = tmp_path / manifest.artifact_id

    ran = run(fetch, tmp_path, environ)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    names = {path.relative_to(fetched).as_posix() for path in fetched.rglob("*") if path.is_file()}
    assert names == {"manifest.json", *(each.path for each in manifest.files)}
    try:
        for step in (restore, access):
            ran = run(step, fetched, environ)
            assert ran.returncode == 0, ran.stdout + ran.stderr
        counted = run(f"psql -At --dbname=restored <<'END'\n{counts}\nEND", fetched, environ)
        expected = re.findall(r"-- (\d+)$", counts, re.MULTILINE)
        assert counted.stdout.split() == expected == ["999"]
    finally:
        run("dropdb --if-exists --force restored", tmp_path, environ)

    (fetched / "access.sql").write_text("SELECT nonsense;\n", encoding="utf-8")
    assert run(access, fetched, environ).returncode != 0
    damaged = run("sha256sum --check --quiet SHA256SUMS", fetched, environ)
    assert (damaged.returncode, damaged.stdout) == (1, "access.sql: FAILED\n")


@pytest.mark.server
def test_the_sheet_of_an_encrypted_artifact_works_as_printed(  # noqa: PLR0917
    tmp_path: Path,
    s3_server: S3Server,
    new_bucket: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    scratch_server: PostgresServer,
    aws: Path,
) -> None:
    example = examples.of_postgres(
        tmp_path,
        s3_server,
        new_bucket,
        database=lambda: database_on(postgres_server),
        drilled_on=scratch_server,
    )
    written = example.protected.policy.model_dump(mode="json", exclude_unset=True)
    policy = Policy.model_validate({**written, "encrypt_to": [keygen(tmp_path / "identity.txt")]})
    night = take_night(replace(example.protected, policy=policy))
    weekly.ship(example.protected, night.stored, on_progress=ignore)
    sheet = example.protected.offsite.read_small(f"{night.stored.prefix}/RESTORE.md").decode()
    assert "users" not in sheet
    there = conninfo_to_dict(scratch_server.url())
    environ = of_aws(s3_server, aws, tmp_path, postgres_server.bin_dir) | {
        "IDENTITY": str(tmp_path / "identity.txt"),
        "PGHOST": str(there["host"]),
        "PGPORT": str(there["port"]),
        "PGUSER": str(there["user"]),
        "PGPASSWORD": str(there["password"]),
    }
    _, fetch, decrypt = blocks(sheet, "sh")
    fetched = tmp_path / night.stored.artifact_id
    ran = run(fetch, tmp_path, environ)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")

    ran = run(decrypt, fetched, environ)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert not (fetched / "data.key").exists()
    decrypted = fetched / "decrypted"
    _, _, restore, access = blocks((decrypted / "RESTORE.md").read_text(encoding="utf-8"), "sh")
    [counts] = blocks((decrypted / "RESTORE.md").read_text(encoding="utf-8"), "sql")
    try:
        for step in (restore, access):
            ran = run(step, decrypted, environ)
            assert ran.returncode == 0, ran.stdout + ran.stderr
        counted = run(f"psql -At --dbname=restored <<'END'\n{counts}\nEND", decrypted, environ)
        assert counted.stdout.split() == ["999"]
    finally:
        run("dropdb --if-exists --force restored", tmp_path, environ)

    keygen(tmp_path / "wrong.txt")
    shutil.rmtree(decrypted)
    ran = run(decrypt, fetched, environ | {"IDENTITY": str(tmp_path / "wrong.txt")})
    assert ran.returncode != 0
    assert not decrypted.exists()


@contextmanager
def serving(script: str, folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """A script whose last command serves, until the block ends."""
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        port = int(environ["REDIS_PORT"])
        while process.poll() is None:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.server
def test_the_sheet_of_redis_works_as_printed(
    tmp_path: Path, s3_server: S3Server, new_bucket: str, aws: Path
) -> None:
    with examples.of_redis(tmp_path, s3_server, new_bucket) as example:
        sheet, manifest = shipped(example)
    (tmp_path / "server").mkdir()
    environ = of_aws(s3_server, aws, tmp_path) | {
        "REDIS_FOLDER": str(tmp_path / "server"),
        "REDIS_PORT": str(free_port()),
    }
    _, fetch, restore, counts = blocks(sheet, "sh")

    ran = run(fetch, tmp_path, environ)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    with serving(restore, tmp_path / manifest.artifact_id, environ):
        counted = run(counts, tmp_path, environ)
    expected = re.findall(r"# (\d+), less", counts)
    assert (counted.stderr, counted.stdout.split()) == ("", expected)
    assert expected == ["1006", "1"]


@pytest.mark.server
def test_the_sheets_own_command_restores_on_a_machine_that_has_nothing_else(
    tmp_path: Path,
    s3_server: S3Server,
    new_bucket: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
) -> None:
    example = examples.of_postgres(
        tmp_path,
        s3_server,
        new_bucket,
        database=lambda: database_on(postgres_server),
        drilled_on=postgres_server,
    )
    sheet, _ = shipped(example)
    target = database_on(postgres_server)
    printed, *_ = blocks(sheet, "sh")
    secrets = {
        "RESTORE_URL='postgresql://…'": f"RESTORE_URL='{target}'",
        "OFFSITE_ACCESS_KEY_ID=…": f"OFFSITE_ACCESS_KEY_ID={s3_server.access_key_id}",
        "OFFSITE_SECRET_ACCESS_KEY=…": f"OFFSITE_SECRET_ACCESS_KEY={s3_server.secret_access_key}",
    }
    for placeholder, value in secrets.items():
        assert printed.count(placeholder) == 1
        printed = printed.replace(placeholder, value)
    assert "…" not in printed
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"

    ran = run(printed, tmp_path, {"PATH": path, "HOME": str(tmp_path)})

    assert ran.returncode == 0, ran.stdout + ran.stderr
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (999,)


def test_the_address_of_a_bucket_names_its_endpoint_and_region_and_no_credentials() -> None:
    written = S3(
        bucket="b", prefix="/backups/", endpoint_url="https://user:secret@s3.example:9000", region="r 1"
    )
    known = offsite_of(written, {})

    assert known.url == "s3://b/backups"
    assert known.exports.splitlines() == [
        "export OFFSITE_ACCESS_KEY_ID=… OFFSITE_SECRET_ACCESS_KEY=…",
        "export OFFSITE_ENDPOINT_URL=https://s3.example:9000 OFFSITE_REGION='r 1'",
    ]
    assert "--endpoint-url https://s3.example:9000" in known.fetch("shop/20261118T210000Z-0a1b2c")
    assert "secret" not in known.exports + known.fetch("shop/x")


def test_a_bucket_on_aws_has_no_endpoint_and_an_unknown_one_has_words_in_its_place() -> None:
    on_aws = offsite_of(S3(bucket="b"), {"OFFSITE_REGION": "eu-central-1"})
    assert on_aws.exports.splitlines()[1] == "export OFFSITE_REGION=eu-central-1"
    assert "--endpoint-url" not in on_aws.fetch("shop/x")

    unknown = offsite_of(S3(), {})
    assert unknown.url == "s3://BUCKET/PREFIX"
    assert "OFFSITE_ENDPOINT_URL=… OFFSITE_REGION=…" in unknown.exports


def test_variables_of_another_name_are_named_for_whoever_has_the_configuration() -> None:
    section = S3(bucket="b", access_key_id_env="R2_KEY", secret_access_key_env="R2_SECRET")
    assert (
        "names these: R2_KEY R2_SECRET OFFSITE_ENDPOINT_URL OFFSITE_REGION" in offsite_of(section, {}).exports
    )
