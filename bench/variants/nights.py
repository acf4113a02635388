"""A night, and pg_dump by itself."""

import shutil
from pathlib import Path

from pyrage import x25519

from bench.variants.given import SOURCE, protected, tool
from hackorda_ops.night.night import take_night


def directory_dump(folder: Path) -> None:
    """pg_dump as people who want it fast use it."""
    into = folder / "bare"
    shutil.rmtree(into, ignore_errors=True)
    tool("pg_dump", "--format=directory", "--jobs=2", "--compress=zstd:1", f"--file={into}", url=SOURCE)


def default_dump(folder: Path) -> None:
    """pg_dump as its own documentation has it."""
    into = folder / "bare.dump"
    tool("pg_dump", "--format=custom", f"--file={into}", url=SOURCE)
    into.unlink()


def night(folder: Path) -> None:
    """A night with all its proofs."""
    shutil.rmtree(folder / "store", ignore_errors=True)
    take_night(protected(folder))


def sealed_night(folder: Path) -> None:
    """The same, encrypted."""
    shutil.rmtree(folder / "sealed", ignore_errors=True)
    recipient = str(x25519.Identity.generate().to_public())
    take_night(protected(folder, store=str(folder / "sealed"), encrypt_to=[recipient]))
