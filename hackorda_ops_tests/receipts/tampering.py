"""What somebody might do to a chain of receipts, made by a seed."""

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hackorda_ops.receipts.keys import SigningKey
from hackorda_ops.receipts.verify import canonical, envelope_bytes, pae


def _name(number: int) -> str:
    return f"{number:08d}.json"


class Tamperer:
    """Alters a copy of a chain.

    Args:
        folder: the copy.
        stranger: a key that isn't the chain's.
        chance: decides what exactly.
    """

    def __init__(self, folder: Path, stranger: SigningKey, chance: random.Random) -> None:
        self._folder = folder
        self._stranger = stranger
        self._chance = chance
        self._numbers = sorted(int(path.stem) for path in folder.glob("0*.json"))
        self._number = chance.choice(self._numbers)
        self._path = folder / _name(self._number)

    def a_byte(self) -> None:
        data = bytearray(self._path.read_bytes())
        place = self._chance.randrange(len(data))
        data[place] ^= 1 << self._chance.randrange(8)
        self._path.write_bytes(data)

    def a_byte_more(self) -> None:
        data = bytearray(self._path.read_bytes())
        data.insert(self._chance.randrange(len(data) + 1), self._chance.choice(b' \n\t0A"'))
        self._path.write_bytes(data)

    def a_byte_less(self) -> None:
        data = bytearray(self._path.read_bytes())
        del data[self._chance.randrange(len(data))]
        self._path.write_bytes(data)

    def removed(self) -> None:
        self._path.unlink()

    def removed_and_renumbered(self) -> None:
        self._path.unlink()
        for number in self._numbers:
            if number > self._number:
                (self._folder / _name(number)).rename(self._folder / _name(number - 1))

    def end_removed(self) -> None:
        for number in self._numbers[self._chance.randrange(len(self._numbers)) :]:
            (self._folder / _name(number)).unlink()

    def swapped(self) -> None:
        one, two = (self._folder / _name(each) for each in self._chance.sample(self._numbers, 2))
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)

    def repeated(self) -> None:
        (self._folder / _name(self._numbers[-1] + 1)).write_bytes(self._path.read_bytes())

    def verdict_changed(self) -> None:
        self._payload(lambda said: said["predicate"].update(verdict="PASS", findings=["none"]))

    def verdict_changed_and_signed_by_another(self) -> None:
        self._payload(lambda said: said["predicate"].update(about="another night"), signed=True)

    def all_after_it_signed_by_another(self) -> None:
        import hashlib

        previous = None
        for number in self._numbers:
            self._path = self._folder / _name(number)
            if number >= self._number:
                before = previous
                self._payload(
                    lambda said, before=before: said["predicate"].update(previous=before, x=1), signed=True
                )  # type: ignore[misc]
            previous = hashlib.sha256(self._path.read_bytes()).hexdigest()

    def key_replaced_and_all_signed_by_another(self) -> None:
        import hashlib

        previous, public = None, self._stranger.public
        for number in self._numbers:
            self._path = self._folder / _name(number)

            def change(said: Any, before: str | None = previous) -> None:
                said["predicate"]["previous"] = before
                if "key" in said["predicate"]:
                    said["predicate"]["key"] = {"id": public.id, "pem": public.pem}

            self._payload(change, signed=True)
            previous = hashlib.sha256(self._path.read_bytes()).hexdigest()

    def signature_of_another_receipt(self) -> None:
        other = self._chance.choice([each for each in self._numbers if each != self._number])
        mine, theirs = (
            json.loads((self._folder / _name(each)).read_bytes()) for each in (self._number, other)
        )
        self._write({**mine, "signatures": theirs["signatures"]})

    def signature_removed(self) -> None:
        self._write({**self._read(), "signatures": []})

    def signature_twice(self) -> None:
        self._write({**self._read(), "signatures": self._read()["signatures"] * 2})

    def key_id_changed(self) -> None:
        [signature] = self._read()["signatures"]
        self._write({**self._read(), "signatures": [{**signature, "keyid": self._stranger.public.id}]})

    def payload_type_changed(self) -> None:
        told = self._chance.choice(["application/json", "application/vnd.in-toto+jsom", ""])
        self._write({**self._read(), "payloadType": told})

    def other_base64(self) -> None:
        # The last characters hold bits that no byte needs.
        [signature] = self._read()["signatures"]
        text = signature["sig"]
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = alphabet[alphabet.index(text[85]) ^ self._chance.randrange(1, 16)]
        changed = text[:85] + last + "=="
        assert base64.b64decode(changed) == base64.b64decode(text)
        self._write({**self._read(), "signatures": [{**signature, "sig": changed}]})

    def a_key_twice(self) -> None:
        data = self._path.read_bytes()
        name = self._chance.choice(["payload", "payloadType", "signatures"])
        again = json.dumps({name: self._read()[name]}, separators=(",", ":")).encode()[:-1]
        self._path.write_bytes(again + b"," + data[1:])

    def other_blanks(self) -> None:
        self._path.write_bytes(
            json.dumps(self._read(), indent=self._chance.choice([None, 1])).encode() + b"\n"
        )

    def a_field_more(self) -> None:
        self._write({**self._read(), "zzz": 1})

    def no_line_end(self) -> None:
        self._path.write_bytes(self._path.read_bytes().rstrip(b"\n"))

    def emptied(self) -> None:
        self._path.write_bytes(b"")

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._path.read_bytes())
        return found

    def _write(self, envelope: dict[str, Any]) -> None:
        self._path.write_bytes(canonical(envelope) + b"\n")

    def _payload(self, change: Callable[[Any], None], *, signed: bool = False) -> None:
        envelope = self._read()
        statement = json.loads(base64.b64decode(envelope["payload"]))
        change(statement)
        payload = canonical(statement)
        signatures = [(each["keyid"], base64.b64decode(each["sig"])) for each in envelope["signatures"]]
        if signed:
            signatures = [(self._stranger.public.id, self._stranger.sign(pae(payload)))]
        self._path.write_bytes(envelope_bytes(payload, signatures))


WAYS = tuple(name for name in vars(Tamperer) if not name.startswith("_"))
