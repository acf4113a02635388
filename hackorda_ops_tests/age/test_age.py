"""What is encrypted here, the stock `age` command decrypts, and the other way round."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hackorda_ops.age.data_key import new_data_key, unwrapped
from hackorda_ops.age.identities import parse_identities
from hackorda_ops.age.recipients import parse_recipient, read_recipients
from hackorda_ops.age.streams import NotOpened, decrypt_file, encrypt_file, encrypting
from hackorda_ops.errors import ConfigError, DiskFull, StoreRefused


def keygen(path: Path) -> str:
    """Makes an identity with age-keygen; its recipient."""
    subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
    return subprocess.run(
        ["age-keygen", "-y", path], check=True, capture_output=True, text=True
    ).stdout.strip()


def ssh_keygen(path: Path, kind: str = "ed25519", passphrase: str = "") -> str:
    """Makes an SSH key; its public half, comment and all."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "somebody@somewhere", "-f", path], check=True
    )
    return path.with_suffix(".pub").read_text().strip()


def test_stock_age_decrypts_what_is_encrypted_here(tmp_path: Path) -> None:
    recipient = keygen(tmp_path / "id.txt")
    data = os.urandom(3_000_000)
    (tmp_path / "plain").write_bytes(data)
    plain, cipher = encrypt_file(tmp_path / "plain", tmp_path / "cipher.age", recipient)
    assert plain.size_bytes == len(data)
    assert cipher.size_bytes == (tmp_path / "cipher.age").stat().st_size
    done = subprocess.run(
        ["age", "-d", "-i", tmp_path / "id.txt", tmp_path / "cipher.age"], check=True, capture_output=True
    )
    assert done.stdout == data


def test_what_stock_age_encrypts_is_decrypted_here(tmp_path: Path) -> None:
    recipient = keygen(tmp_path / "id.txt")
    (tmp_path / "plain").write_bytes(b"rows" * 100_000)
    subprocess.run(["age", "-r", recipient, "-o", tmp_path / "cipher.age", tmp_path / "plain"], check=True)
    identities = parse_identities((tmp_path / "id.txt").read_text(), origin="a file")
    seen = decrypt_file(tmp_path / "cipher.age", tmp_path / "again", identities.keys)
    assert (tmp_path / "again").read_bytes() == b"rows" * 100_000
    assert seen.size_bytes == 400_000


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_an_ssh_key_opens_what_was_wrapped_for_it(tmp_path: Path, kind: str) -> None:
    [recipient] = read_recipients([ssh_keygen(tmp_path / "key", kind)])
    assert "somebody" not in recipient
    key = new_data_key()
    wrapped = key.wrapped([recipient])
    identities = parse_identities((tmp_path / "key").read_text(), origin="a key")
    assert unwrapped(wrapped, identities).recipient == key.recipient
    (tmp_path / "key.age").write_bytes(wrapped)
    by_hand = subprocess.run(
        ["age", "-d", "-i", tmp_path / "key", tmp_path / "key.age"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert by_hand.stdout.splitlines()[0] == f"# public key: {key.recipient}"


def test_each_of_two_recipients_opens_alone_and_a_third_does_not(tmp_path: Path) -> None:
    recipients = [keygen(tmp_path / name) for name in ("one", "two")]
    keygen(tmp_path / "three")
    key = new_data_key()
    wrapped = key.wrapped(recipients)
    for name in ("one", "two"):
        identities = parse_identities((tmp_path / name).read_text(), origin=name)
        assert unwrapped(wrapped, identities).recipient == key.recipient
    with pytest.raises(NotOpened) as refused:
        unwrapped(wrapped, parse_identities((tmp_path / "three").read_text(), origin="three"))
    assert refused.value.no_key


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:100],
        lambda data: b"",
        lambda data: data + b"x",
        lambda data: data[:1000] + bytes([data[1000] ^ 1]) + data[1001:],
        # A whole chunk gone from the middle.
        lambda data: data[:300] + data[300 + 65552 :],
    ],
    ids=["a byte short", "half", "in the header", "empty", "a byte more", "a bit flipped", "a chunk gone"],
)
def test_ciphertext_that_was_touched_is_refused_and_leaves_nothing(
    tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    key = new_data_key()
    (tmp_path / "plain").write_bytes(os.urandom(400_000))
    encrypt_file(tmp_path / "plain", tmp_path / "cipher", key.recipient)
    (tmp_path / "harmed").write_bytes(harm((tmp_path / "cipher").read_bytes()))
    with pytest.raises(NotOpened) as refused:
        decrypt_file(tmp_path / "harmed", tmp_path / "again", [key.identity])
    assert not refused.value.no_key
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("size_bytes", [0, 1, 65_535, 65_536, 65_537, 5_000_000])
def test_blocks_that_are_read_by_somebody_else_are_encrypted_beside(tmp_path: Path, size_bytes: int) -> None:
    key, data = new_data_key(), os.urandom(size_bytes)
    with encrypting(tmp_path / "cipher", key.recipient) as encryptor:
        for start in range(0, size_bytes, 16 * 1024):
            encryptor.update(data[start : start + 16 * 1024])
        written = encryptor.finish()
    assert written.size_bytes == (tmp_path / "cipher").stat().st_size
    decrypt_file(tmp_path / "cipher", tmp_path / "again", [key.identity])
    assert (tmp_path / "again").read_bytes() == data


def test_an_error_of_the_reader_leaves_no_half_ciphertext_and_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    with (
        pytest.raises(ValueError, match="the reader's own"),
        encrypting(tmp_path / "cipher", new_data_key().recipient) as encryptor,
    ):
        encryptor.update(os.urandom(3_000_000))
        raise ValueError("the reader's own")
    assert not (tmp_path / "cipher").exists()
    assert threading.active_count() == before


def test_a_full_disk_is_told_as_such_to_whoever_reads(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        with (
            pytest.raises(DiskFull, match="cipher can't be written"),
            encrypting(tmp_path / "cipher", new_data_key().recipient) as encryptor,
        ):
            for _ in range(20):
                encryptor.update(os.urandom(1_000_000))
            encryptor.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not (tmp_path / "cipher").exists()


def test_what_is_in_the_way_of_the_ciphertext_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cipher").write_text("somebody's")
    with (
        pytest.raises(StoreRefused),
        encrypting(tmp_path / "cipher", new_data_key().recipient) as encryptor,
    ):
        encryptor.update(b"rows")
        encryptor.finish()
    assert (tmp_path / "cipher").read_text() == "somebody's"


def test_secrets_are_in_no_repr_and_in_no_error(tmp_path: Path) -> None:
    key = new_data_key()
    secret = str(key.identity)
    assert "AGE-SECRET-KEY" not in repr(key)
    identities = parse_identities(secret, origin="$X")
    assert "AGE-SECRET-KEY" not in repr(identities)
    for text in (secret[:-1], f"{secret}\n{secret[:-3]}", "hunter2", "", ssh_text(tmp_path)):
        with pytest.raises(ConfigError) as refused:
            parse_identities(text, origin="$X")
        assert "$X" in str(refused.value)
        for word in (secret[20:40], "hunter2", "b3BlbnNzaC1rZXk"):
            assert word not in str(refused.value)


def ssh_text(tmp_path: Path) -> str:
    ssh_keygen(tmp_path / "locked", passphrase="a passphrase")
    return (tmp_path / "locked").read_text()


def test_a_recipient_that_is_none_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_recipient("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQ")
    assert "QQQQ" not in str(refused.value)
    good = keygen(tmp_path / "id.txt")
    with pytest.raises(ConfigError):
        parse_recipient(good[:-1] + ("q" if good[-1] != "q" else "p"))


def test_a_file_of_recipients_is_read_as_age_reads_it(tmp_path: Path) -> None:
    one, two = keygen(tmp_path / "one"), ssh_keygen(tmp_path / "two")
    (tmp_path / "recipients.txt").write_text(f"# the team\n{one}\n\n{two}\n")
    found = read_recipients([str(tmp_path / "recipients.txt"), one])
    assert found == (one, " ".join(two.split()[:2]))
    (tmp_path / "recipients.txt").write_text("# nobody\n")
    with pytest.raises(ConfigError, match="names no recipient"):
        read_recipients([str(tmp_path / "recipients.txt")])
    with pytest.raises(ConfigError, match="can't be read"):
        read_recipients([str(tmp_path / "gone.txt")])


def test_memory_stays_flat_however_large_a_file_is(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from hackorda_ops.age.data_key import new_data_key
from hackorda_ops.age.streams import encrypting
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
block = bytes(16 * 1024)
for number, mebibytes in enumerate((8, 200)):
    with encrypting(Path(sys.argv[1]) / str(number), new_data_key().recipient) as encryptor:
        for _ in range(mebibytes * 64):
            encryptor.update(block)
        encryptor.finish()
    print(peak())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], check=True, capture_output=True, text=True
    )
    small, large = map(int, done.stdout.split())
    assert large - small < 20_000, "kibibytes"
