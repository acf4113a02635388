"""How a bucket is set up, as far as its key may ask: what protects the copies in it, or endangers them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

Aspect = Literal["versions", "lock", "life cycle", "public access", "owner"]


@dataclass(frozen=True)
class ExpiryRule:
    """A rule of a bucket's life cycle that removes files.

    Attributes:
        prefix: of the keys that it is for, from the bucket's root.
        days: after how many; None where a date is given, or only old versions are removed.
        current: whether it removes files that are current, and not only old versions of them.
    """

    prefix: str
    days: int | None
    current: bool


@dataclass(frozen=True)
class BucketSettings:
    """How a bucket is set up. None means that it couldn't be asked; `unknown` says why.

    Attributes:
        versioning: whether it keeps what is overwritten or deleted.
        lock: whether files in it can be locked.
        expiry: the enabled rules that remove files.
        public: whether others than its owner can read it, by its policy or its access list.
        owner: whose it is, by the provider's own id.
        unknown: what couldn't be asked, with the reason.
    """

    versioning: Literal["on", "suspended", "off"] | None
    lock: bool | None
    expiry: tuple[ExpiryRule, ...] | None
    public: bool | None
    owner: str | None
    unknown: Mapping[Aspect, str] = field(default_factory=dict)


@runtime_checkable
class TellsSettings(Protocol):
    """A store that can be asked how it's set up."""

    def settings(self) -> BucketSettings:
        """Asks; changes nothing.

        Raises:
            StoreRefused, StoreUnreachable: it doesn't exist, or doesn't answer.
        """
