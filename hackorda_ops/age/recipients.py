"""Recipients: the public keys that a file is encrypted to. They may be shown anywhere."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pyrage

from hackorda_ops.age.forms import is_recipient
from hackorda_ops.errors import ConfigError

FILE_LIMIT_BYTES: Final = 1024 * 1024


def parse_recipient(text: str) -> Any:
    """A recipient, as pyrage takes it.

    Args:
        text: "age1…", or a line of an SSH public key file.

    Raises:
        ConfigError: it is none. The text is not repeated: it may be a secret that was pasted by mistake.
    """
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        if is_recipient(text):
            return kind.Recipient.from_str(text)
    except pyrage.RecipientError:
        pass
    raise ConfigError(
        f"What begins with {text[:8]!r} is no recipient of age."
        if text.startswith(("age1", "ssh-"))
        else "A recipient of age begins with age1, ssh-ed25519 or ssh-rsa; this doesn't.",
        meaning="Nothing can be encrypted to it.",
        next_step="Give the public half: `age-keygen -y FILE` prints that of an identity; for SSH it's the .pub file.",
    )


def read_recipients(given: Iterable[str]) -> tuple[str, ...]:
    """The recipients that a configuration names, with those in the files that it names; each once.

    Args:
        given: recipients, and paths of files with one on each line, as `age --recipients-file` reads them.

    Raises:
        ConfigError: a file can't be read, or a line of it is no recipient; or there are none at all.
    """
    found: dict[str, None] = {}
    for each in given:
        lines = [each] if is_recipient(each) else _lines_of(Path(each))
        for line in lines:
            parse_recipient(line)
            # Without an SSH key's comment, which names a person or a machine.
            found[" ".join(line.split()[:2])] = None
    if not found:
        raise ConfigError(
            "encrypt_to names no recipient.",
            meaning="A dump would be encrypted to nobody, so none is taken.",
            next_step="Name at least one: `age-keygen` makes an identity, and prints its recipient.",
        )
    return tuple(found)


def _lines_of(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT_BYTES)
    except OSError as error:
        raise ConfigError(
            f"The file of recipients {path} can't be read: {error.strerror}.",
            meaning="Nothing can be encrypted without recipients.",
            next_step="Correct encrypt_to in databases.yaml, or the file's permissions.",
        ) from None
    stripped = (line.strip() for line in data.decode("utf-8", "replace").splitlines())
    return [line for line in stripped if line and not line.startswith("#")]
