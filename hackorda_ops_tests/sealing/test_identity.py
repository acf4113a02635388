"""Where an identity is found, and that it is seen nowhere else."""

import logging
from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.age.data_key import new_data_key, unwrapped
from hackorda_ops.age.identities import Identities
from hackorda_ops.age.streams import NotOpened
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.sealing.identity import identity_of
from hackorda_ops.sealing.preflight import look_at_encryption
from hackorda_ops_tests.sealing.keys import keygen


def protected(
    tmp_path: Path, identity: dict[str, Any] | None, recipients: list[str], **environ: str
) -> Protected:
    policy = {"identity": identity, "encrypt_to": recipients, "store": str(tmp_path / "store")}
    return Protected("hackorda", Policy.model_validate(policy), {"PATH": "/usr/bin:/bin", **environ})


def opens(identities: Identities, recipient: str) -> bool:
    try:
        unwrapped(new_data_key().wrapped([recipient]), identities)
    except NotOpened:
        return False
    return True


@pytest.mark.parametrize("how", ["env", "file", "command"])
def test_an_identity_is_found_in_each_way(tmp_path: Path, how: str) -> None:
    path = tmp_path / "id.txt"
    recipient = keygen(path)
    section = {"env": "KEY", "file": str(path), "command": ["cat", str(path)]}[how]
    found = identity_of(protected(tmp_path, {how: section}, [recipient], KEY=path.read_text()))
    assert opens(found, recipient)


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        (None, "no identity is named here"),
        ({"env": "KEY"}, "names KEY, which is not set"),
        ({"file": "/nonexistent/id.txt"}, "can't be read: No such file"),
        ({"command": ["false"]}, "ended with exit code 1"),
        ({"command": ["no-such-program"]}, "command could not be run"),
        ({"command": ["sleep", "60"], "timeout_seconds": 0.2}, "had not ended after 0.2 seconds"),
        ({"command": ["echo", "hunter2"]}, "no identity of age"),
        ({"command": ["true"]}, "holds no identity"),
    ],
)
def test_what_keeps_it_from_being_found_is_a_matter_of_configuration(
    tmp_path: Path, identity: dict[str, Any] | None, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        identity_of(protected(tmp_path, identity, [keygen(tmp_path / "id.txt")]))


def test_what_a_command_prints_is_in_no_error_and_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    command = ["sh", "-c", "echo a-secret-on-stdout; echo a-secret-on-stderr >&2; exit 3"]
    with pytest.raises(ConfigError) as refused:
        identity_of(protected(tmp_path, {"command": command}, []))
    told = (
        f"{refused.value}{refused.value.__dict__}{refused.value.__context__}{caplog.text}{capfd.readouterr()}"
    )
    assert "a-secret" not in told


@pytest.mark.parametrize(
    "identity",
    [{}, {"env": "A", "file": "b"}, {"env": "A", "command": ["c"]}],
)
def test_exactly_one_way_is_named(tmp_path: Path, identity: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of env, file and command"):
        protected(tmp_path, identity, [])


def test_an_identity_among_the_recipients_is_refused_and_not_repeated(tmp_path: Path) -> None:
    keygen(tmp_path / "id.txt")
    secret = (tmp_path / "id.txt").read_text().splitlines()[-1]
    with pytest.raises(ValueError, match="needs the PUBLIC half") as refused:
        protected(tmp_path, None, [secret])
    assert secret[20:] not in str(refused.value)


def test_preflight_tries_the_identity_on_a_probe(tmp_path: Path) -> None:
    recipient, other = keygen(tmp_path / "id.txt"), keygen(tmp_path / "other.txt")
    own = {"file": str(tmp_path / "id.txt")}

    def concerns(*args: Any, **environ: str) -> list[tuple[str, str]]:
        looked = look_at_encryption(protected(tmp_path, *args, **environ))
        return [(each.part, concern.severity) for each in looked for concern in each.concerns]

    assert concerns(own, [recipient]) == []
    assert concerns(None, [recipient]) == []
    assert concerns(None, []) == []
    assert concerns(own, [other]) == [("identity", "stops the drill")]
    assert concerns({"env": "KEY"}, [other]) == [("identity", "stops the drill")]
    assert concerns(own, [str(tmp_path / "gone.txt")]) == [("encryption", "stops the night")]
    # Where the source's credentials are as well, the encryption keeps nothing from whoever takes the machine.
    assert concerns(own, [recipient], DATABASE_URL="postgresql://x") == [("identity", "worth knowing")]
