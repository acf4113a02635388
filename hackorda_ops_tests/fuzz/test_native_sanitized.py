"""The C extension under gcc's sanitizers, fed random blocks: it reads and writes nothing that isn't its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import hackorda_ops.native

SOURCE = Path(hackorda_ops.native.__file__).with_name("row_digest.c")
_FED = """
import importlib.util, random, sys
spec = importlib.util.spec_from_file_location("_row_digest", sys.argv[1])
native = importlib.util.module_from_spec(spec)
spec.loader.exec_module(native)
from hackorda_ops.postgres.archives.row_digest import PythonRowDigest
chance = random.Random(7)
for number in range(int(sys.argv[2])):
    one, other = native.RowDigest(), PythonRowDigest()
    for _ in range(chance.randrange(6)):
        size = chance.choice((0, 1, 2, 16, 17, 128, 129, 240, 241, 1024, 65536)) + chance.randrange(3)
        # A copy of its exact length: what is read beyond its end is seen.
        block = bytes(bytearray(chance.choices(b"\\n\\tab\\x00\\xff", k=size)))
        for given in (block, memoryview(block)[size // 2 :], bytearray(block)):
            one.update(given)
            other.update(bytes(given))
    assert (one.rows, one.hexdigest(), one.in_mid_row) == (other.rows, other.hexdigest(), other.in_mid_row)
for wrong in ("text", None, 5, memoryview(b"abcd")[::2]):
    try:
        native.RowDigest().update(wrong)
    except (TypeError, BufferError):
        continue
    raise AssertionError(wrong)
print("sound")
"""


def _library(name: str) -> str:
    """Where gcc has one of its libraries; "" where it has none."""
    if shutil.which("gcc") is None:
        return ""
    asked = ["gcc", f"-print-file-name={name}"]
    found = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return found if Path(found).is_absolute() else ""


@pytest.mark.long
@pytest.mark.skipif(not _library("libasan.so"), reason="gcc has no sanitizer here")
def test_random_blocks_are_taken_under_the_sanitizers(tmp_path: Path) -> None:
    built = tmp_path / "_row_digest.so"
    subprocess.run(
        [
            "gcc",
            "-shared",
            "-fPIC",
            "-O1",
            "-g",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=all",
            f"-I{sysconfig.get_path('include')}",
            SOURCE,
            "-o",
            built,
        ],
        check=True,
        capture_output=True,
    )
    preloaded = f"{_library('libasan.so')} {_library('libubsan.so')}"
    # Python's own memory would hide what is read beyond a block; it never gives some of it back.
    environ = {
        **os.environ,
        "LD_PRELOAD": preloaded,
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
    }
    done = subprocess.run(
        [sys.executable, "-c", _FED, built, "1000"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout == "sound\n", done.stderr[-4000:]
