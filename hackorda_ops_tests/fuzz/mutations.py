"""Real files with something wrong in them: the same for the same seed."""

import os
import random
from collections.abc import Iterator

VARIABLE = "HACKORDA_OPS_FUZZ"
# How many mutations of each file: some seconds in all. `make fuzz` tries fifty times as many.
ROUNDS = int(os.environ.get(VARIABLE, "300"))
_HUGE = (
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x00\xff\xff\xff\x7f",
    b"999999999999",
    b'"',
    b"\\",
    b"[",
    b"{",
    b"\n",
    b"\0",
)


def mutated(data: bytes, seed: object, rounds: int = ROUNDS) -> Iterator[bytes]:
    """The file with one to four things wrong, many times.

    Args:
        data: the whole file.
        seed: of the chance; its text counts.
        rounds: how often.
    """
    chance = random.Random(str(seed))
    for _ in range(rounds):
        changed = data
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            changed = chance.choice(_WAYS)(changed, chance)
        if changed != data:
            yield changed


def _flip(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return b"\x01"
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _lose(data: bytes, chance: random.Random) -> bytes:
    begin, end = _span(data, chance)
    return data[:begin] + data[end:]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    begin, end = _span(data, chance)
    return data[:end] + data[begin:end] * chance.choice((1, 2, 30)) + data[end:]


def _move(data: bytes, chance: random.Random) -> bytes:
    begin, end = _span(data, chance)
    rest = data[:begin] + data[end:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + data[begin:end] + rest[at:]


def _blank(data: bytes, chance: random.Random) -> bytes:
    begin, end = _span(data, chance)
    return data[:begin] + bytes(end - begin) + data[end:]


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + (chance.choice(_HUGE) if chance.random() < 0.7 else chance.randbytes(9)) + data[at:]


def _overwrite(data: bytes, chance: random.Random) -> bytes:
    at, huge = chance.randrange(len(data) + 1), chance.choice(_HUGE)
    return data[:at] + huge + data[at + len(huge) :]


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    begin = chance.randrange(len(data) + 1)
    return begin, min(len(data), begin + chance.choice((1, 3, 16, 200, 4096)))


_WAYS = (_flip, _flip, _cut, _lose, _repeat, _move, _blank, _insert, _overwrite)
