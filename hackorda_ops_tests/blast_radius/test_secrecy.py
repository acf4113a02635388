"""Whether encrypted artifacts could be read with what lies on this machine: a truth table over places of identities."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.blast_radius.secrecy import secrecy_of
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops_tests.sealing.keys import keygen


@dataclass(frozen=True)
class Keys:
    """An identity that opens what is encrypted, one that doesn't, and an SSH key that does as well."""

    folder: Path
    recipients: tuple[str, ...]

    @property
    def right(self) -> str:
        return (self.folder / "right.txt").read_text()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    keygen(folder / "wrong.txt")
    recipient = keygen(folder / "right.txt")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "id_ed25519"], check=True, timeout=60
    )
    return Keys(folder, (recipient, (folder / "id_ed25519.pub").read_text().strip()))


def asked(keys: Keys, environ: Mapping[str, str] | None = None, **policy: Any) -> Any:
    made = Policy.model_validate({"encrypt_to": list(keys.recipients), **policy})
    return secrecy_of(Protected("hackorda", made, dict(environ or {})))


def test_what_is_not_encrypted_is_read_by_whoever_has_it(keys: Keys) -> None:
    found = asked(keys, encrypt_to=[])
    assert (found.reads, found.why) == ("everything", "they aren't encrypted")


def test_a_machine_without_an_identity_reads_nothing(keys: Keys, tmp_path: Path) -> None:
    found = asked(keys, {"HOME": str(tmp_path), "PATH": "/usr/bin"})
    assert (found.reads, found.remedies) == ("nothing", ())


@pytest.mark.parametrize(("name", "reads"), [("right.txt", "everything"), ("wrong.txt", "nothing")])
def test_a_named_identity_counts_where_it_opens_what_is_encrypted(keys: Keys, name: str, reads: str) -> None:
    found = asked(keys, identity={"file": str(keys.folder / name)})
    assert found.reads == reads
    assert (name in found.sentence) is (reads == "everything")


def test_one_that_lies_in_a_variable_is_named_by_that_and_never_shown(keys: Keys) -> None:
    for identity in (None, {"env": "FORGOTTEN"}):
        found = asked(keys, {"FORGOTTEN": keys.right}, identity=identity)
        assert found.reads == "everything"
        assert "$FORGOTTEN opens" in found.sentence
        assert "AGE-SECRET-KEY" not in f"{found} {found.sentence}"


@pytest.mark.parametrize(
    ("source", "where"),
    [("right.txt", ".config/sops/age/keys.txt"), ("id_ed25519", ".ssh/id_ed25519")],
)
def test_one_that_lies_where_a_tool_keeps_it_is_found(
    keys: Keys, tmp_path: Path, source: str, where: str
) -> None:
    (tmp_path / where).parent.mkdir(parents=True)
    (tmp_path / where).write_bytes((keys.folder / source).read_bytes())
    found = asked(keys, {"HOME": str(tmp_path)})
    assert found.reads == "everything"
    assert where in found.why


def test_a_key_with_a_passphrase_is_none_that_a_thief_can_use(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    protected = tmp_path / ".ssh" / "id_ed25519"
    protected.write_bytes((keys.folder / "id_ed25519").read_bytes())
    protected.chmod(0o600)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "a long one", "-f", protected], check=True, timeout=60
    )
    assert asked(keys, {"HOME": str(tmp_path)}).reads == "nothing"


def test_a_command_that_prints_one_is_not_run_and_counts_as_unknown(keys: Keys, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    found = asked(keys, identity={"command": ["touch", str(ran)]})
    assert found.reads == "unknown"
    assert not ran.exists()
