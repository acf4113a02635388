"""What looks otherwise and is none the worse: it has to PASS."""

from collections.abc import Iterator
from typing import Final

from hackorda_ops_tests.gallery.artifact import OffsiteArtifact
from hackorda_ops_tests.gallery.damages import Harmless
from hackorda_ops_tests.gallery.gallery import Gallery
from hackorda_ops_tests.gallery.ways import InsteadOfDump, InTheArtifact, InTheCopy, InTheRows, Untouched


def compressed_anew(artifact: OffsiteArtifact, _: Gallery) -> None:
    """Every table's file, taken apart and compressed again."""
    for table in artifact.manifest.tables:
        artifact.alter_rows(str(table.name), lambda rows: rows)


def beside_it(artifact: OffsiteArtifact, _: Gallery) -> None:
    """A file that the manifest does not list."""
    artifact.overwrite("dump/notes.txt", b"Do not delete.")


def _harmless() -> Iterator[Harmless]:
    yield Harmless("nothing at all", Untouched())
    yield Harmless("a restore with four jobs", Untouched({"jobs": 4}))
    yield Harmless(
        "rows in another order in the artifact", InTheRows("public.visits", lambda rows: rows[::-1])
    )
    yield Harmless(
        "rows in another order in the restored copy",
        InTheCopy("UPDATE visits SET page = page WHERE customer < 5"),
    )
    yield Harmless(
        "a dump that is compressed by gzip", InsteadOfDump('exec "$real/pg_dump" "$@" --compress=gzip:6')
    )
    yield Harmless("files compressed anew", InTheArtifact(compressed_anew))
    yield Harmless("a file beside the artifact's, which its manifest does not list", InTheArtifact(beside_it))
    yield Harmless("a restored copy that was vacuumed and analyzed", InTheCopy("VACUUM ANALYZE"))


HARMLESS: Final = tuple(_harmless())
