"""Runs one variant, and prints its seconds: `python -m bench.variants NAME FOLDER`.

They are counted from when all that it needs is imported: what a command takes to start is a row of its own. Each has
only its own imports in memory, as a command has.
"""

import sys
import time
from importlib import import_module
from pathlib import Path

# Name to module and function.
VARIANTS = {
    "pg_dump": ("nights", "directory_dump"),
    "pg_dump_default": ("nights", "default_dump"),
    "night": ("nights", "night"),
    "sealed_night": ("nights", "sealed_night"),
    "prove": ("restores", "prove_night"),
    "pg_restore": ("restores", "bare_restore"),
    "restore": ("restores", "proven_restore"),
    "drill": ("restores", "drill"),
    "ship": ("weeks", "ship"),
    "copy": ("transfers", "copy"),
    "aws_copy": ("transfers", "aws_copy"),
    "fetch": ("transfers", "fetch"),
    "aws_fetch": ("transfers", "aws_fetch"),
}


def main() -> None:
    """Runs the variant that the command line names."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    module, function = VARIANTS[name]
    variant = getattr(import_module(f"bench.variants.{module}"), function)
    folder.mkdir(exist_ok=True)
    began = time.monotonic()
    variant(folder)
    print(time.monotonic() - began)


if __name__ == "__main__":
    main()
