"""The chain of a database's receipts, in the store and in every other place that it knows.

The nightly store decides who gets a number: a receipt is written there where there is none of that name, so two
writers never make two chains. The other places get copies, each as small files of their own that are never rewritten.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, ConfigError, OpsError, StoreUnreachable
from hackorda_ops.receipts import verify
from hackorda_ops.receipts.draft import Draft, of_key
from hackorda_ops.receipts.keys import SigningKey
from hackorda_ops.receipts.verify import (
    ADOPTION,
    BEGINNING,
    KEY_KINDS,
    KEY_LOSS,
    LIMIT_BYTES,
    RECEIPT_NAME,
    Head,
    PublicKey,
    Receipt,
    canonical,
    envelope_bytes,
    pae,
    read_receipt,
)
from hackorda_ops.stores.store import Store

FOLDER: Final = "receipts"
KEYS_FOLDER: Final = "keys"
VERIFIER_NAME: Final = "verify.py"

_TRIES: Final = 20
_LONGEST_PAUSE_MILLISECONDS: Final = 250
# How far back the key is looked for where the newest receipts can't be read.
_LOOK_BACK: Final = 50
_log = logging.getLogger(__name__)


def held(store: Store, database: str) -> dict[int, str]:
    """The keys of the receipts in a place, by sequence number.

    Raises:
        StoreRefused, StoreUnreachable: it can't be listed.
    """
    folder = f"{database}/{FOLDER}/"
    names = (entry.key.removeprefix(folder) for entry in store.list(folder))
    return {int(name.partition(".")[0]): folder + name for name in names if RECEIPT_NAME.fullmatch(name)}


def key_of(database: str, sequence: int) -> str:
    """Where a receipt lies in each place."""
    return f"{database}/{FOLDER}/{sequence:08d}.json"


@cache
def verifier() -> bytes:
    """The program that lies beside the receipts."""
    return Path(verify.__file__).read_bytes()


@dataclass(frozen=True)
class Appended:
    """A receipt in its chain.

    Attributes:
        head: its number and hash: what to keep elsewhere.
        receipt: itself.
    """

    head: Head
    receipt: Receipt


class ChainWriter:
    """A database's chain, to be continued.

    Args:
        database: the database's name in databases.yaml.
        store: the nightly store, which decides.
        copies: the other places.
        key: what receipts are signed with; None for a chain that isn't signed.

    Attributes:
        problems: a sentence for each place that couldn't be brought up to date.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be read; or it has no chain, and it isn't known whether another
            place has one.
    """

    def __init__(self, database: str, store: Store, copies: Sequence[Store], key: SigningKey | None) -> None:
        self._database = database
        self._store = store
        self.key = key
        self._keys = held(store, database)
        self._elsewhere: list[tuple[Store, set[int]]] = []
        self.problems: list[str] = []
        for each in copies:
            try:
                self._elsewhere.append((each, set(held(each, database))))
            except OpsError as error:
                self.problems.append(error.what)
        if not self._keys and self.problems:
            raise StoreUnreachable(
                f"{store.describe()} has no receipts of {database}, and another place can't be looked at: "
                f"{self.problems[0]}",
                meaning="A chain that is there would get a second beginning.",
                next_step="Nothing, if a later try succeeds: the receipt waits on this machine.",
            )
        self._bring_back()

    def append(self, draft: Draft, tried: int | None, before_trying: Callable[[int], None]) -> Appended:
        """Makes a draft the chain's next receipt, once: also where it already is, and nobody got to know.

        Args:
            draft: what it says.
            tried: the sequence number that it was tried with last.
            before_trying: called with each number before it's tried.

        Raises:
            ConfigError: it can't be signed by the chain's own key.
            StoreRefused, StoreUnreachable: the store did not accept it; it may have it all the same.
        """
        if tried is not None and (there := self._is_there(draft, tried)) is not None:
            return there
        for _ in range(_TRIES):
            for first in self._first(draft):
                self._put(first, lambda _: None)
            if (appended := self._put(draft, before_trying)) is not None:
                return appended
            time.sleep(secrets.randbelow(_LONGEST_PAUSE_MILLISECONDS) / 1000)
            self._keys = held(self._store, self._database)
        raise StoreUnreachable(
            f"Others took each of {_TRIES} numbers of a receipt first, in {self._store.describe()}.",
            meaning="The receipt is not in the chain yet.",
            next_step="Nothing, if a later try succeeds: the receipt waits on this machine.",
        )

    def copy(self) -> None:
        """Gives the other places what they lack: the receipts, the keys and the program that checks them."""
        keys: dict[str, bytes] = {}
        for place, there in self._elsewhere:
            lacking = sorted(self._keys.keys() - there)
            try:
                for number in lacking:
                    data = self._read(number)
                    place.put_new(key_of(self._database, number), data)
                    keys |= dict(_beside(self._database, data))
                for key, data in keys.items():
                    place.put_new(key, data)
            except OpsError as error:
                self.problems.append(error.what)

    def _first(self, draft: Draft) -> Iterator[Draft]:
        """What must come before a draft: the chain's beginning, or its first key."""
        public = self.key.public if self.key else None
        if not self._keys:
            yield of_key(BEGINNING, self._database, public)
            return
        if draft.kind == KEY_LOSS:
            return
        current = self._current_key()
        if current == (public.id if public else None):
            return
        if current is None:
            yield of_key(ADOPTION, self._database, public)
            return
        what = f"is {public.id}" if public else "is not configured here"
        raise ConfigError(
            f"The receipts of {self._database} are signed by the key {current}; the key to sign the next one {what}.",
            meaning="The receipt waits on this machine: no receipt can be made that the chain's key doesn't vouch for.",
            next_step="Configure that key under receipts; `hackorda-ops receipts rotate` changes it.",
        )

    def _put(self, draft: Draft, before_trying: Callable[[int], None]) -> Appended | None:
        before = max(self._keys, default=0)
        previous = hashlib.sha256(self._read(before)).hexdigest() if before else None
        sequence = before + 1
        data = self._made(draft, sequence, previous)
        before_trying(sequence)
        key = key_of(self._database, sequence)
        # A request that was sent twice finds its own object.
        if not self._store.put_new(key, data) and self._store.read_small(key, LIMIT_BYTES) != data:
            return None
        self._keys[sequence] = key
        for beside, content in _beside(self._database, data):
            self._store.put_new(beside, content)
        return _appended(sequence, data)

    def _made(self, draft: Draft, sequence: int, previous: str | None) -> bytes:
        subjects = dict(draft.subjects)
        if sequence == 1:
            subjects[f"{self._database}/{FOLDER}/{VERIFIER_NAME}"] = hashlib.sha256(verifier()).hexdigest()
        elif not subjects and previous is not None:
            # A statement needs a subject, and work that failed may have made nothing.
            subjects[key_of(self._database, sequence - 1)] = previous
        payload = canonical(
            {
                "_type": verify.STATEMENT_TYPE,
                "subject": [
                    {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects.items())
                ],
                "predicateType": verify.PREDICATE_TYPE,
                "predicate": draft.predicate(sequence, previous, datetime.now(UTC)),
            }
        )
        signatures = [(self.key.public.id, self.key.sign(pae(payload)))] if self.key else []
        return envelope_bytes(payload, signatures)

    def _is_there(self, draft: Draft, sequence: int) -> Appended | None:
        if sequence not in self._keys:
            return None
        data = self._read(sequence)
        try:
            found = read_receipt(data).predicate.get("id")
        except ValueError:
            return None
        return _appended(sequence, data) if found == draft.receipt_id else None

    def _current_key(self) -> str | None:
        for number in sorted(self._keys, reverse=True)[:_LOOK_BACK]:
            try:
                receipt = read_receipt(self._read(number))
            except (ValueError, ArtifactDamaged, ArtifactMissing):
                continue  # somebody wrote something else there, which the chain's check tells
            if receipt.kind in KEY_KINDS:
                return receipt.key.id if receipt.key else None
            return receipt.key_id
        return self.key.public.id if self.key else None

    def _bring_back(self) -> None:
        """Copies what the store lacks from another place, as after its disk was replaced."""
        for place, there in self._elsewhere:
            lacking = sorted(there - self._keys.keys())
            if not lacking:
                continue
            _log.warning(
                "%s lacked %d receipt(s) of %s from number %d on, which %s has; they were copied back.",
                self._store.describe(),
                len(lacking),
                self._database,
                lacking[0],
                place.describe(),
            )
            for number in lacking:
                key = key_of(self._database, number)
                self._store.put_new(key, place.read_small(key, LIMIT_BYTES))
                self._keys[number] = key

    def _read(self, number: int) -> bytes:
        return self._store.read_small(key_of(self._database, number), LIMIT_BYTES)


def _appended(sequence: int, data: bytes) -> Appended:
    return Appended(Head(sequence, hashlib.sha256(data).hexdigest()), read_receipt(data))


def _beside(database: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """What lies beside a receipt that begins a chain or introduces a key."""
    try:
        receipt = read_receipt(data)
    except ValueError:
        return
    if receipt.kind == BEGINNING:
        yield f"{database}/{FOLDER}/{VERIFIER_NAME}", verifier()
    key: PublicKey | None = receipt.key
    if key is not None:
        yield f"{database}/{FOLDER}/{KEYS_FOLDER}/{key.id}.pem", key.pem.encode()
