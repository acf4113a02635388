"""How receipts are signed, as databases.yaml says it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from hackorda_ops.config.values import Section, VariableName


class Receipts(Section):
    """How the receipts of a database are signed. Without a key they are chained by hash, and not signed.

    `hackorda-ops receipts key FILE` makes a key. Give one of `key_env`, `key_file` and `key_command`.

    Attributes:
        key_env: variable with the private key: Ed25519, as PEM text (PKCS #8) without a password.
        key_file: the file with the private key, for its owner alone.
        key_command: the words of a command that prints the private key, such as a password manager's. No shell runs it.
        pass_env: variables that the command needs; it gets nothing else of the environment.
        timeout_seconds: after which the command is stopped.
        trusted_keys: files with public keys that are known to be yours: first the one that the receipts begin with.
            Without one, the first key in the chain is taken on trust.
    """

    key_env: Annotated[VariableName | None, Field(examples=["RECEIPTS_KEY"])] = None
    key_file: Annotated[Path | None, Field(examples=["/etc/hackorda_ops/receipts.pem"])] = None
    key_command: Annotated[tuple[str, ...], Field(examples=[["op", "read", "op://ops/receipts/key"]])] = ()
    pass_env: Annotated[tuple[VariableName, ...], Field(examples=[["OP_SERVICE_ACCOUNT_TOKEN"]])] = ()
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30
    trusted_keys: Annotated[tuple[Path, ...], Field(examples=[["receipts-public.pem"]])] = ()

    @model_validator(mode="after")
    def _one_key(self) -> "Receipts":
        named = [name for name in ("key_env", "key_file", "key_command") if getattr(self, name)]
        if len(named) > 1:
            raise ValueError(f"needs one of {', '.join(named)}, not {len(named)} of them")
        return self

    @property
    def signs(self) -> bool:
        """Whether a key is named."""
        return bool(self.key_env or self.key_file or self.key_command)

    def anchored(self, at: Callable[[Path], Path]) -> Self:
        """The same section with its relative paths made absolute by `at`."""
        changes: dict[str, Any] = {"trusted_keys": tuple(map(at, self.trusted_keys))}
        if self.key_file is not None:
            changes["key_file"] = at(self.key_file)
        return self.model_copy(update=changes)
