"""Checks a chain of receipts with nothing but Python's own library: `python3 -I verify.py FOLDER`.

This file lies beside the receipts that it checks, and hackorda_ops checks them by it as well. It needs Python 3.9, no
package and no network. Whoever can write to the folder can replace it too: take it from a release of hackorda_ops
where that matters, and compare the two.

A receipt is one file, NNNNNNNN.json: an in-toto Statement v1 in a DSSE envelope, in one exact form (`envelope_bytes`),
so that no two texts say the same. Each has its sequence number and the SHA-256 of the file before it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
# A name, which leads nowhere: docs/receipts.md of hackorda_ops has what it means.
PREDICATE_TYPE = "urn:hackorda-ops:receipt:v1"
# A night of 20,000 tables has about 8 MB.
LIMIT_BYTES = 32 * 1024 * 1024
RECEIPT_NAME = re.compile(r"[0-9]{8}\.json")
BEGINNING, ROTATION, ADOPTION, KEY_LOSS = "beginning", "key rotation", "key adoption", "key loss"
KEY_KINDS = (BEGINNING, ROTATION, ADOPTION, KEY_LOSS)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN = 20

# Whether a signature of 64 bytes is of a public key of 32 bytes over a message.
Verifies = Callable[[bytes, bytes, bytes], bool]


# ---- Ed25519, as RFC 8032 has it (5.1 and appendix A); for verification alone, so that no secret needs constant time.

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_I = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]
_NEUTRAL: _Point = (0, 1, 1, 0)


def _add(a: _Point, b: _Point) -> _Point:
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    three, four = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = two - one, four - three, four + three, two + one
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(number: int, point: _Point) -> _Point:
    total = _NEUTRAL
    while number > 0:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _x_of(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    squared = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if squared == 0:
        return None if sign else 0
    x = pow(squared, (_P + 3) // 8, _P)
    if (x * x - squared) % _P:
        x = x * _I % _P
    if (x * x - squared) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _point_of(data: bytes) -> _Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _bytes_of(point: _Point) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE_X = _x_of(_BASE_Y, 0) or 0
_BASE: _Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def ed25519_verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is of a public key over a message, by RFC 8032, section 5.1.7.

    Args:
        public_key: 32 bytes.
        signature: 64 bytes.
        message: what was signed.
    """
    if len(public_key) != 32 or len(signature) != 64:
        return False
    point = _point_of(public_key)
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or scalar >= _L:
        return False
    hashed = hashlib.sha512(signature[:32] + public_key + message).digest()
    minus = (_P - point[0], point[1], point[2], _P - point[3])
    found = _add(_times(scalar, _BASE), _times(int.from_bytes(hashed, "little") % _L, minus))
    return _bytes_of(found) == signature[:32]


# ---- The one form of a receipt.


def canonical(value: Any) -> bytes:
    """JSON in one form: keys sorted, no blanks, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def pae(payload: bytes) -> bytes:
    """What a DSSE signature is over: the pre-authentication encoding of a payload of `PAYLOAD_TYPE`."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope_bytes(payload: bytes, signatures: Sequence[tuple[str, bytes]]) -> bytes:
    """A receipt's file.

    Args:
        payload: the statement.
        signatures: each with its key's id; none for a receipt that isn't signed.
    """
    return (
        canonical(
            {
                "payload": base64.b64encode(payload).decode("ascii"),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [
                    {"keyid": key_id, "sig": base64.b64encode(signature).decode("ascii")}
                    for key_id, signature in signatures
                ],
            }
        )
        + b"\n"
    )


_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key.

    Attributes:
        id: hex SHA-256 of its SubjectPublicKeyInfo (DER).
        raw: its 32 bytes.
    """

    id: str
    raw: bytes

    @staticmethod
    def of(raw: bytes) -> PublicKey:
        """The key of these 32 bytes."""
        return PublicKey(hashlib.sha256(_SPKI_PREFIX + raw).hexdigest(), raw)

    @property
    def pem(self) -> str:
        """As a file that openssl reads."""
        text = base64.b64encode(_SPKI_PREFIX + self.raw).decode("ascii")
        return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"

    @staticmethod
    def from_pem(text: str) -> PublicKey:
        """Reads a public key.

        Raises:
            ValueError: it isn't an Ed25519 public key in the form that `pem` has.
        """
        lines = text.split("\n")
        try:
            raw = base64.b64decode(lines[1], validate=True)[len(_SPKI_PREFIX) :] if len(lines) > 1 else b""
        except ValueError:
            raw = b""
        key = PublicKey.of(raw)
        # Rewritten, so that no two texts are one key.
        if len(raw) != 32 or text.strip() != key.pem.strip():
            raise ValueError("a file that is no Ed25519 public key in PEM")
        return key


@dataclass(frozen=True)
class Receipt:
    """A receipt whose file has the one form that it may have.

    Attributes:
        payload: the bytes of its statement.
        statement: what they say.
        key_id: of the key that it says it's signed with; None where it isn't signed.
        signature: "" as bytes where it isn't signed.
    """

    payload: bytes
    statement: Mapping[str, Any]
    key_id: str | None
    signature: bytes

    @property
    def predicate(self) -> Mapping[str, Any]:
        """The verdict, and what it's about."""
        predicate: Mapping[str, Any] = self.statement["predicate"]
        return predicate

    @property
    def kind(self) -> str:
        """What was judged."""
        return str(self.predicate["kind"])

    @property
    def key(self) -> PublicKey | None:
        """The key that it introduces, if it does.

        Raises:
            ValueError: what stands there is no key.
        """
        given = self.predicate.get("key")
        if given is None:
            return None
        key = PublicKey.from_pem(str(given["pem"]))
        if given["id"] != key.id:
            raise ValueError("the key's id is another key's")
        return key


def read_receipt(data: bytes) -> Receipt:
    """Reads a receipt's file, trusting nothing in it.

    Raises:
        ValueError: it isn't one, with the reason.
    """
    if len(data) > LIMIT_BYTES:
        raise ValueError("is larger than any receipt")
    try:
        envelope = json.loads(data.decode("ascii"))
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [
            (each["keyid"], base64.b64decode(each["sig"], validate=True)) for each in envelope["signatures"]
        ]
        statement = json.loads(payload.decode("ascii"))
        receipt = Receipt(payload, statement, *(signatures[0] if signatures else (None, b"")))
        # Written again it's the same, or two texts would be one receipt: other blanks, a key twice, another base64.
        sound = envelope_bytes(payload, signatures) == data and canonical(statement) == payload
        sound = sound and len(signatures) <= 1 and _is_sound(receipt)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, AttributeError):
        sound = False
    if not sound:
        raise ValueError("isn't in the form of a receipt")
    return receipt


def _is_sound(receipt: Receipt) -> bool:
    _ = receipt.key  # raises where it's none
    return (
        receipt.statement["_type"] == STATEMENT_TYPE
        and receipt.statement["predicateType"] == PREDICATE_TYPE
        and isinstance(receipt.predicate["kind"], str)
        and isinstance(receipt.predicate["database"], str)
        and type(receipt.predicate["sequence"]) is int
        and (
            receipt.key_id is None
            or (_SHA256.fullmatch(receipt.key_id) is not None and len(receipt.signature) == 64)
        )
    )


# ---- The chain.


@dataclass(frozen=True)
class Head:
    """The newest receipt: what to keep elsewhere, so that a missing end is noticed."""

    sequence: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.sha256}"

    @staticmethod
    def parsed(text: str) -> Head:
        """Reads "SEQUENCE:SHA256".

        Raises:
            ValueError: it isn't one.
        """
        sequence, _, digest = text.partition(":")
        if not re.fullmatch("[0-9]{1,8}", sequence) or not _SHA256.fullmatch(digest):
            raise ValueError("needs SEQUENCE:SHA256, as it was printed")
        return Head(int(sequence), digest)


@dataclass(frozen=True)
class CheckedReceipt:
    """What is kept of a receipt that was checked.

    Attributes:
        sha256: of its file.
        key_id: of the key that it says it's signed with; None where it isn't signed.
        predicate: what it says, without its tables.
    """

    sha256: str
    key_id: str | None
    predicate: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What was judged."""
        return str(self.predicate["kind"])


@dataclass(frozen=True)
class CheckedChain:
    """What a chain's check found.

    Attributes:
        receipts: those that could be read, by sequence number; each may still be a forgery where there are problems.
        problems: a sentence for each thing that speaks against it; none: it's whole.
        head: the newest; None for an empty chain.
        first_key: id of the key that it began with; None where it began unsigned.
        trusted: whether a key that was given vouches for it.
        unsigned: how many aren't signed.
    """

    receipts: Mapping[int, CheckedReceipt]
    problems: tuple[str, ...]
    head: Head | None
    first_key: str | None
    trusted: bool
    unsigned: int

    @property
    def whole(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.problems


def check_chain(
    files: Iterable[tuple[int, bytes]],
    *,
    database: str | None = None,
    trusted: Collection[str] = (),
    heads: Iterable[Head] = (),
    verifies: Verifies = ed25519_verifies,
) -> CheckedChain:
    """Checks every receipt of a chain, and that none is missing.

    Args:
        files: the receipts' files with their sequence numbers, in the order of these; read once.
        database: whose they must be; None for whichever the first one names.
        trusted: ids of public keys that are known to be the owner's. With none, the first one in the chain is taken
            on trust.
        heads: newest receipts that were noted earlier, elsewhere.
        verifies: checks a signature.
    """
    walk = _Walk(database, trusted, verifies)
    for number, data in files:
        walk.step(number, data)
    problems, digests = walk.problems, walk.digests
    head = Head(max(digests), digests[max(digests)]) if digests else None
    if head is None:
        problems.append("There is no receipt.")
    for noted in heads:
        there = head.sequence if head else 0
        if there < noted.sequence:
            problems.append(
                f"The chain ends at {there}, and had a receipt {noted.sequence}: its end is missing."
            )
        elif digests.get(noted.sequence) != noted.sha256:
            problems.append(f"Receipt {noted.sequence} is not the one that was noted.")
    if trusted and walk.first_key not in trusted:
        problems.append("The chain doesn't begin with a key that is trusted.")
    return CheckedChain(
        walk.found, tuple(problems), head, walk.first_key, walk.first_key in trusted, walk.unsigned
    )


class _Walk:
    """A chain's check, receipt by receipt."""

    def __init__(self, database: str | None, trusted: Collection[str], verifies: Verifies) -> None:
        self.problems: list[str] = []
        self.found: dict[int, CheckedReceipt] = {}
        self.digests: dict[int, str] = {}
        self.first_key: str | None = None
        self.unsigned = 0
        self._database = database
        self._trusted = trusted
        self._verifies = verifies
        self._key: PublicKey | None = None
        self._last = 0

    def step(self, number: int, data: bytes) -> None:
        """Looks at the next receipt that is there."""
        before, first_missing = self.digests.get(self._last), self._last + 1
        self._last, self.digests[number] = number, hashlib.sha256(data).hexdigest()
        if number > first_missing:
            self.problems.append(_missing(first_missing, number - 1))
        try:
            receipt = read_receipt(data)
        except ValueError as error:
            self.problems.append(f"Receipt {number} {error}.")
            return
        said = receipt.predicate
        slim = {name: value for name, value in said.items() if name != "tables"}
        self.found[number] = CheckedReceipt(self.digests[number], receipt.key_id, slim)
        self._database = self._database or said["database"]
        wrong = {
            "is of another database": said["database"] != self._database,
            f"says that it is number {said['sequence']}": said["sequence"] != number,
            "follows another receipt than the one before it": (
                number == first_missing and said.get("previous") != before
            ),
            "is a second beginning": receipt.kind == BEGINNING and number > 1,
            "isn't the beginning of a chain": receipt.kind != BEGINNING and number == 1,
            **self._signature(receipt),
        }
        self.problems += [f"Receipt {number} {clause}." for clause, applies in wrong.items() if applies]
        if receipt.kind in KEY_KINDS:
            self._key = receipt.key
        if number == 1:
            self.first_key = self._key.id if self._key else None

    def _signature(self, receipt: Receipt) -> Mapping[str, bool]:
        by, wrong = _signer(receipt, self._key, self._trusted)
        if by is None:
            self.unsigned += 1
            return {wrong: bool(wrong)}
        signed = receipt.key_id == by.id and self._verifies(by.raw, receipt.signature, pae(receipt.payload))
        return {wrong: bool(wrong), "isn't signed by the key that it must be signed by": not signed}


def _signer(
    receipt: Receipt, current: PublicKey | None, trusted: Collection[str]
) -> tuple[PublicKey | None, str]:
    """By which key a receipt must be signed, None for none; and what is wrong with it, as a clause."""
    key = receipt.key
    wrong = ""
    if receipt.kind == BEGINNING:
        return key, ""
    if receipt.kind == ADOPTION:
        if current is not None:
            return current, "introduces a key where there is one"
        return key, "" if key else "introduces no key"
    if receipt.kind == KEY_LOSS:
        if key is None or key.id not in trusted:
            wrong = (
                "says that the key was lost, and introduces one that isn't trusted: give it by --key as well"
            )
        return key, wrong
    if receipt.kind != ROTATION and key is not None:
        wrong = "introduces a key, and isn't of a kind that may"
    elif receipt.kind == ROTATION and current is None:
        wrong = "changes a key where there is none"
    elif current is None and receipt.key_id is not None:
        wrong = "is signed by a key that nothing introduces"
    return current, wrong


def _missing(first: int, last: int) -> str:
    if first == last:
        return f"Receipt {first} is missing."
    return f"Receipts {first} to {last} are missing."


def compare_places(places: Mapping[str, Mapping[int, str]]) -> tuple[str, ...]:
    """What places that should hold the same chain disagree about, as sentences.

    Args:
        places: by the name of each, its receipts' SHA-256 by sequence number.
    """
    problems = []
    every = sorted({number for held in places.values() for number in held})
    for number in every:
        if len({held[number] for held in places.values() if number in held}) > 1:
            problems.append(f"Receipt {number} is not the same in every place.")
    for name, held in places.items():
        lacking = [number for number in every if number not in held]
        if lacking:
            last = f" to {lacking[-1]}" if len(lacking) > 1 else ""
            problems.append(
                f"{name} lacks {len(lacking)} receipt(s) that another place has, {lacking[0]}{last}: they were "
                "removed, or it couldn't be written to. The next receipt brings what is lacking."
            )
    return tuple(problems)


def told(chain: CheckedChain) -> tuple[str, ...]:
    """What a check found, as lines."""
    lines = list(chain.problems[:_SHOWN])
    if len(chain.problems) > _SHOWN:
        lines.append(f"And {len(chain.problems) - _SHOWN} more.")
    lines.append(("WHOLE" if chain.whole else "BROKEN") + f": {len(chain.receipts)} receipt(s).")
    if chain.unsigned:
        lines.append(f"{chain.unsigned} of them aren't signed: whoever can write there can replace those.")
    if chain.first_key and chain.trusted:
        lines.append(f"Signed from the first on, beginning with a key that you trust: {chain.first_key}")
    elif chain.first_key:
        lines.append(
            f"Its first key was taken on trust, because none was given (--key): {chain.first_key}\n"
            "Compare it with the one that was noted when the key was made."
        )
    if chain.head:
        lines.append(f"Head, to keep elsewhere (--head notices a missing end): {chain.head}")
    return tuple(lines)


# ---- As a program.


def _numbers(folder: Path) -> set[int]:
    return {int(path.stem) for path in folder.iterdir() if RECEIPT_NAME.fullmatch(path.name)}


def _read(folder: Path, number: int) -> bytes:
    with (folder / f"{number:08d}.json").open("rb") as stream:
        return stream.read(LIMIT_BYTES + 1)


def main(arguments: Sequence[str]) -> int:
    """The program: 0 where the chain is whole, 1 where it's broken, 2 where it was called wrongly."""
    parser = argparse.ArgumentParser(description="Checks a chain of receipts.")
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="with the receipts; more: its copies"
    )
    parser.add_argument(
        "--key", action="append", default=[], type=Path, help="a public key (PEM) that you trust"
    )
    parser.add_argument(
        "--head", action="append", default=[], help="SEQUENCE:SHA256 of a receipt noted earlier"
    )
    given = parser.parse_args(arguments)
    try:
        trusted = {PublicKey.from_pem(path.read_text("ascii")).id for path in given.key}
        heads = [Head.parsed(text) for text in given.head]
        held = {folder: _numbers(folder) for folder in given.folders}
    except (OSError, ValueError) as error:
        print(f"Nothing was checked: {error}", file=sys.stderr)
        return 2
    digests: dict[str, dict[int, str]] = {str(folder): {} for folder in held}

    def files() -> Iterator[tuple[int, bytes]]:
        for number in sorted(set().union(*held.values())):
            found = {str(folder): _read(folder, number) for folder in held if number in held[folder]}
            for name, data in found.items():
                digests[name][number] = hashlib.sha256(data).hexdigest()
            yield number, next(iter(found.values()))

    chain = check_chain(files(), trusted=trusted, heads=heads)
    differences = compare_places(digests)
    for line in (*differences, *told(chain)):
        print(line)
    return 0 if chain.whole and not differences else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
