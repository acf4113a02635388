"""A chain is checked in three ways, which agree: by this product, by one file of Python, by openssl."""

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hackorda_ops.receipts import keys, verify
from hackorda_ops.receipts.rotation import rotate
from hackorda_ops.receipts.verify import Head, PublicKey, check_chain, compare_places, ed25519_verifies, told
from hackorda_ops_tests.receipts.examples import Shop, digests, files_of, whole
from hackorda_ops_tests.receipts.tampering import WAYS, Tamperer

DOCS = Path(__file__).parents[2] / "docs" / "receipts.md"
TAMPERINGS = 300
# RFC 8032, section 7.1: secret key left out, public key, message, signature.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
@pytest.mark.parametrize("verifies", [ed25519_verifies, keys.verifies])
def test_the_vectors_of_rfc_8032_verify_and_no_altered_ones_do(
    verifies: verify.Verifies, public: str, message: str, signature: str
) -> None:
    key, text, signed = (bytes.fromhex(each) for each in (public, message, signature))
    assert verifies(key, signed, text)
    assert not verifies(key, signed, text + b"x")
    for place in (0, 31, 32, 63):
        assert not verifies(key, signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :], text)
    # The same scalar, written as a larger number.
    more = int.from_bytes(signed[32:], "little") + verify._L
    assert not verifies(key, signed[:32] + more.to_bytes(32, "little"), text)
    assert not verifies(key[:-1] + bytes([key[-1] ^ 1]), signed, text)
    assert not verifies(key[:-1], signed, text)


def test_both_ways_to_verify_agree_on_what_a_stranger_may_send() -> None:
    chance = random.Random(8032)
    # OpenSSL takes a key that is written as a larger number, and the RFC does not: only its owner could introduce one.
    strange = [bytes(32), b"\x01" + bytes(31), (verify._P - 1).to_bytes(32, "little")]
    odd = [b"\xff" * 32, (verify._P + 1).to_bytes(32, "little")]
    for _ in range(40):
        key = chance.choice([*strange, chance.randbytes(32)])
        signature = chance.choice([*strange, *odd, chance.randbytes(32)]) + chance.choice(
            [bytes(32), chance.randbytes(32)]
        )
        message = chance.randbytes(chance.randrange(40))
        assert ed25519_verifies(key, signature, message) == keys.verifies(key, signature, message)


@dataclass(frozen=True)
class Example:
    """A chain with a FAIL in its middle and a change of keys, and what its owner has noted."""

    folder: Path
    public: Path
    head: Head
    program: Path


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    folder = tmp_path_factory.mktemp("chain")
    shop = Shop(folder).with_key()
    shop.night("FAIL")
    keys.make_pair(folder / "new.pem")
    rotate(shop.protected, folder / "new.pem")
    head = shop.with_key("new.pem").night("ERROR").receipt
    assert head is not None
    program = folder / "check.sh"
    [script] = [
        each for each in re.findall(r"```sh\n(.*?)```", DOCS.read_text(), re.DOTALL) if "pkeyutl" in each
    ]
    program.write_text(script)
    return Example(folder / "backups" / "shop" / "receipts", folder / "key.pem.pub", head, program)


def by_product(example: Example, folder: Path) -> bool:
    files = [(int(path.stem), path.read_bytes()) for path in sorted(folder.glob("0*.json"))]
    trusted = [keys.read_public(example.public).id]
    return check_chain(files, trusted=trusted, heads=[example.head], verifies=keys.verifies).whole


def by_python(example: Example, folder: Path) -> bool:
    command = [
        sys.executable,
        "-I",
        "-S",
        verify.__file__,
        folder,
        "--key",
        example.public,
        "--head",
        str(example.head),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={})
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


def by_openssl(example: Example, folder: Path) -> bool:
    command = ["sh", example.program, folder, example.public, str(example.head)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    assert ("WHOLE" in done.stdout) == (done.returncode == 0)
    return done.returncode == 0


WAYS_TO_CHECK: tuple[Callable[[Example, Path], bool], ...] = (by_product, by_python, by_openssl)


@pytest.mark.parametrize("check", WAYS_TO_CHECK)
def test_each_way_accepts_a_chain_that_is_whole(
    example: Example, check: Callable[[Example, Path], bool]
) -> None:
    assert check(example, example.folder)


def tampered(example: Example, folder: Path, numbers: range) -> Iterator[str]:
    """A copy of the chain, altered in one way after the other."""
    stranger = keys.make_pair(folder / "stranger.pem")
    for number in numbers:
        copy, way = folder / str(number), WAYS[number % len(WAYS)]
        shutil.copytree(example.folder, copy)
        getattr(Tamperer(copy, stranger, random.Random(number)), way)()
        yield f"{number}: {way}"


def test_every_tampering_is_refused(example: Example, tmp_path: Path) -> None:
    numbers = range(TAMPERINGS)
    accepted = [
        what
        for number, what in zip(numbers, tampered(example, tmp_path, numbers), strict=True)
        if by_product(example, tmp_path / str(number))
    ]
    assert accepted == []


# A tenth of them in two more processes each; all of them in the long form.
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, 10))])
def test_every_tampering_is_refused_in_all_three_ways(example: Example, tmp_path: Path, part: int) -> None:
    numbers = range(part, TAMPERINGS, 10)
    accepted = [
        (what, check.__name__)
        for number, what in zip(numbers, tampered(example, tmp_path, numbers), strict=True)
        for check in WAYS_TO_CHECK
        if check(example, tmp_path / str(number))
    ]
    assert accepted == []


def test_a_missing_end_shows_where_another_place_has_it(example: Example, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(example.folder, copy)
    (copy / f"{example.head.sequence:08d}.json").unlink()

    command = [sys.executable, "-I", "-S", verify.__file__, example.folder, copy]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{copy} lacks 1 receipt(s) that another place has" in done.stdout


def test_places_that_hold_another_receipt_are_told(example: Example) -> None:
    held = dict.fromkeys(range(1, 4), "a")
    assert compare_places({"store": held, "offsite": held}) == ()
    [told_of] = compare_places({"store": held, "offsite": {**held, 2: "b"}})
    assert told_of == "Receipt 2 is not the same in every place."


def test_a_first_key_that_nobody_named_is_taken_on_trust_and_said(example: Example) -> None:
    files = [(int(path.stem), path.read_bytes()) for path in sorted(example.folder.glob("0*.json"))]
    chain = check_chain(files)
    assert chain.whole
    assert not chain.trusted
    assert f"taken on trust, because none was given (--key): {chain.first_key}" in "\n".join(told(chain))


def test_a_rotation_is_signed_by_the_old_key_and_a_loss_needs_the_new_one_to_be_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path).with_key()
    shop.night()
    first = keys.make_pair(tmp_path / "second.pem").public
    rotate(shop.protected, tmp_path / "second.pem", lost=True)
    shop.with_key("second.pem").night()

    files = sorted(files_of(shop.protected.store).items())
    trusted = [keys.read_public(tmp_path / "key.pem.pub").id]
    assert check_chain(files, trusted=[*trusted, first.id]).problems == ()
    [problem] = check_chain(files, trusted=trusted).problems
    assert "the key was lost" in problem


def test_a_receipt_may_not_bring_a_key_of_its_own(tmp_path: Path) -> None:
    shop = Shop(tmp_path).with_key()
    shop.night()
    chain = whole(shop.protected.store)
    assert digests(files_of(shop.protected.store))[2] == chain.receipts[2].sha256
    with pytest.raises(ValueError, match="Ed25519"):
        PublicKey.from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
