"""Who the local servers run as, and what is put where that user can reach it."""

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.errors import ConfigError
from hackorda_ops.local.postgres import delete_server, running_postgres, wheel_bin_dir
from hackorda_ops.processes import server_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run servers as somebody else")


@pytest.fixture
def private_home(tmp_path: Path) -> Path:
    """A folder that only we can enter, as a home folder is."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def folders_of_root(server_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for /var, so that the test leaves nothing there."""
    folder = server_folder / f"var-{tmp_path.name}"
    folder.mkdir(mode=0o755)
    monkeypatch.setattr(server_user, "_STATE_OF_ROOT", folder / "lib")
    return folder


@as_root
@pytest.mark.server
def test_a_server_runs_from_a_checkout_under_a_private_home(
    private_home: Path, folders_of_root: Path
) -> None:
    shutil.copytree(wheel_bin_dir().parent, private_home / "pginstall", symlinks=True)

    with running_postgres(
        private_home / "data of the demo",
        bin_dir=private_home / "pginstall" / "bin",
        settings={"fsync": "off"},
    ) as server:
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        programs = server.bin_dir
        assert not programs.is_relative_to(private_home)
        assert server.data_folder.is_relative_to(folders_of_root / "lib")
        assert server.data_folder.stat().st_uid != 0

    assert not programs.parent.parent.exists()
    delete_server(private_home / "data of the demo")
    assert list((folders_of_root / "lib").iterdir()) == []


@as_root
@pytest.mark.parametrize(
    "planted", ["a folder that others can write to", "a link", "a folder of somebody else"]
)
def test_a_folder_that_somebody_else_could_have_filled_is_not_trusted(
    planted: str, private_home: Path, folders_of_root: Path
) -> None:
    state = folders_of_root / "lib"
    if planted == "a link":
        (folders_of_root / "elsewhere").mkdir()
        state.symlink_to(folders_of_root / "elsewhere")
    else:
        state.mkdir()
        state.chmod(0o777 if planted == "a folder that others can write to" else 0o755)
    if planted == "a folder of somebody else":
        os.chown(state, 65534, 65534)

    with pytest.raises(ConfigError, match="not a folder that only root can write to"):
        server_user.reachable_home(private_home / "demo", server_user.server_user())


@as_root
def test_files_kept_elsewhere_for_a_folder_that_was_deleted_are_not_taken_for_the_new_ones(
    private_home: Path, folders_of_root: Path
) -> None:
    user = server_user.server_user()
    home = server_user.reachable_home(private_home / "demo", user)
    if home == private_home / "demo":
        pytest.fail("the private home can be entered by the server's user")
    (home / "kept").touch()

    assert (server_user.reachable_home(private_home / "demo", user) / "kept").exists()
    shutil.rmtree(private_home / "demo")
    assert not (server_user.reachable_home(private_home / "demo", user) / "kept").exists()


def test_a_folder_that_the_server_can_reach_is_used_as_it_is(server_folder: Path) -> None:
    folder = server_folder / "plain"

    assert server_user.reachable_home(folder, server_user.server_user()) == folder

    server_user.delete_home(folder)
    assert not folder.exists()


def test_nobody_but_root_runs_servers_as_somebody_else() -> None:
    assert (server_user.server_user() is None) == (os.geteuid() != 0)


def test_for_ourselves_no_program_is_copied(private_home: Path) -> None:
    with server_user.executables_for(None, private_home) as programs:
        assert programs == private_home
