"""The systemd units of deploy/: systemd takes them, and they run the programs that are installed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = tuple(sorted(DEPLOY.glob("*.service")))
INSTALLED = "/opt/hackorda_ops/bin"


def setting(unit: Path, name: str) -> str:
    [value] = re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    return str(value)


def test_there_is_a_unit_for_each_service() -> None:
    names = {unit.stem.removeprefix("hackorda-ops-") for unit in UNITS}

    assert names == {"code", "daemon", "webserver", "receive"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_a_program_that_is_installed_and_shares_user_folder_and_variables(unit: Path) -> None:
    program = Path(setting(unit, "ExecStart").split()[0])

    assert program.parent == Path(INSTALLED)
    assert Path(sys.executable).with_name(program.name).is_file()
    assert setting(unit, "User") == "hackorda"
    assert setting(unit, "WorkingDirectory") == "/var/lib/hackorda_ops"
    assert setting(unit, "EnvironmentFile") == "/etc/hackorda_ops.env"


def test_nobody_elsewhere_reaches_the_web_server_or_the_code_location() -> None:
    [location] = yaml.safe_load((DEPLOY / "systemd-workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    code = setting(DEPLOY / "hackorda-ops-code.service", "ExecStart")

    assert location["grpc_server"] == {"host": "127.0.0.1", "port": 4000, "location_name": "hackorda_ops"}
    assert code.endswith("--host 127.0.0.1 --port 4000")
    assert "--host 127.0.0.1" in setting(DEPLOY / "hackorda-ops-webserver.service", "ExecStart")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8").replace(INSTALLED, str(Path(sys.executable).parent))
    copy = tmp_path / unit.name
    copy.write_text(text, encoding="utf-8")

    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
