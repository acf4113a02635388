"""Writes files that aren't there yet; what is there stays as it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hackorda_ops.errors import PermanentError


@dataclass(frozen=True)
class WrittenFile:
    """A file that init is to write.

    Attributes:
        path: where.
        is_new: whether it was written; False where there was one.
    """

    path: Path
    is_new: bool


def write_new(folder: Path, texts: Mapping[str, str]) -> Iterator[WrittenFile]:
    """Writes each text into a file of its own, if there is no file of its name.

    Args:
        folder: where; made if only its last part is missing.
        texts: by the names of the files.

    Raises:
        PermanentError: a file can't be written.
    """
    try:
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            path = folder / name
            try:
                # Never through a link that somebody left there.
                with path.open("x", encoding="utf-8") as file:
                    file.write(text)
            except FileExistsError:
                yield WrittenFile(path, is_new=False)
            else:
                yield WrittenFile(path, is_new=True)
    except OSError as error:
        raise PermanentError(
            f"{error.filename or folder} can't be written: {error.strerror}.",
            meaning="The configuration is not complete; what was written before stays.",
            next_step="Name a folder that you can write to (--folder), and run init again.",
        ) from None
