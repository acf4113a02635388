"""Whom a database's dumps are encrypted to, and where the identity that opens them is found."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from hackorda_ops.age.forms import is_recipient
from hackorda_ops.config.values import Section, VariableName


def _recipient(value: str) -> str:
    # What isn't public is most likely the secret itself: never echo it.
    if is_recipient(value):
        return value
    if value.upper().startswith("AGE-SECRET-KEY-") or "PRIVATE KEY" in value:
        raise ValueError(
            "needs the PUBLIC half, not the identity itself (`age-keygen -y FILE` prints it); treat an identity that "
            "was in this file as known to whoever reads it"
        )
    if "/" in value and not value.startswith(("age1", "ssh-")):
        return value
    raise ValueError(
        "needs a recipient (age1…, ssh-ed25519 …, ssh-rsa …), or the path of a file of recipients "
        "(./recipients.txt, /etc/backup/recipients.txt)"
    )


Recipient = Annotated[str, AfterValidator(_recipient), WithJsonSchema({"type": "string", "minLength": 1})]


def is_file_of_recipients(value: str) -> bool:
    """Whether a value of `encrypt_to` is the path of a file, and no recipient itself. Pure."""
    return not is_recipient(value)


class IdentitySection(Section):
    """Where the identity that opens encrypted artifacts is found: exactly one of env, file and command.

    It is for whoever restores, verifies or drills. The machine that only dumps needs none, and should have none.

    Attributes:
        env: the variable with the identity itself (AGE-SECRET-KEY-1…, or an SSH private key).
        file: a file with it, as age-keygen or ssh-keygen writes one, without a passphrase.
        command: prints it, such as a password manager's command; a list of arguments, which no shell sees.
        timeout_seconds: how long the command may take.
    """

    env: Annotated[VariableName | None, Field(examples=["BACKUP_IDENTITY"])] = None
    file: Annotated[Path | None, Field(examples=["/etc/backup/identity.txt"])] = None
    command: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(examples=[["op", "read", "op://backup/identity/key"]]),
    ] = ()
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60

    @property
    def named(self) -> tuple[str, ...]:
        """Which of the three ways are given; only one makes sense."""
        return tuple(key for key in ("env", "file", "command") if getattr(self, key))
