"""Files and manifests off-site that are not what they were, with hashes that fit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, to_bytes
from hackorda_ops_tests.drill.fixtures import Night
from hackorda_ops_tests.gallery.artifact import OffsiteArtifact
from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.gallery import Gallery
from hackorda_ops_tests.gallery.ways import InTheArtifact

_CONTENTS: Final = "dump/toc.dat"
_UPLOAD: Final = "an upload that ended early, and a manifest made from what was there"
_DISK: Final = "a disk or a memory that loses bits, before the hash was taken"
_MIXED_UP: Final = "a script that puts backups together by name"


def orders_file(alter: Callable[[bytes], bytes]) -> InTheArtifact:
    """The file with the orders, with other bytes."""

    def inflict(artifact: OffsiteArtifact, _: Gallery) -> None:
        path = artifact.data_file("public.orders")
        artifact.put(path, alter(artifact.read(path)))

    return InTheArtifact(inflict)


def contents(alter: Callable[[bytes], bytes]) -> InTheArtifact:
    """The table of contents, with other bytes."""
    return InTheArtifact(lambda artifact, _: artifact.put(_CONTENTS, alter(artifact.read(_CONTENTS))))


def one_bit_flipped(data: bytes) -> bytes:
    """The bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def bit_flipped_before_compression(artifact: OffsiteArtifact, _: Gallery) -> None:
    """An m that became an l (one bit) in the memory of the machine that dumped."""
    artifact.alter_rows("public.orders", lambda rows: [rows[0].replace(b"Item", b"Itel"), *rows[1:]])


def rotten_on_disk(artifact: OffsiteArtifact, _: Gallery) -> None:
    """Other bytes, and a manifest that still has the hash of the right ones."""
    path = artifact.data_file("public.orders")
    artifact.overwrite(path, one_bit_flipped(artifact.read(path)))


def exchanged(artifact: OffsiteArtifact, _: Gallery) -> None:
    """Two tables with the same columns, and each has the other's file."""
    one, other = artifact.data_file("public.orders"), artifact.data_file("public.old_orders")
    of_one, of_other = artifact.read(one), artifact.read(other)
    artifact.put(one, of_other)
    artifact.put(other, of_one)


def file_of(night: Callable[[Gallery], Night], table: str) -> InTheArtifact:
    """A table's file, taken from another night."""

    def inflict(artifact: OffsiteArtifact, gallery: Gallery) -> None:
        there = night(gallery)
        [path] = [each.file for each in there.manifest.tables if str(each.name) == table]
        with there.store.open(f"{there.manifest.prefix}/{path}") as stream:
            artifact.put(artifact.data_file(table), stream.read())

    return InTheArtifact(inflict)


def contents_of(night: Callable[[Gallery], Night]) -> InTheArtifact:
    """The table of contents, taken from another night."""

    def inflict(artifact: OffsiteArtifact, gallery: Gallery) -> None:
        there = night(gallery)
        with there.store.open(f"{there.manifest.prefix}/{_CONTENTS}") as stream:
            artifact.put(_CONTENTS, stream.read())

    return InTheArtifact(inflict)


def missing(artifact: OffsiteArtifact, gallery: Gallery) -> None:
    """A file that is gone from the bucket."""
    path = artifact.data_file("public.orders")
    key = f"{artifact.manifest.prefix}/{path}"
    gallery.s3.client().delete_object(Bucket=artifact.protected.bucket, Key=key)


def forgotten(artifact: OffsiteArtifact, _: Gallery) -> None:
    """A file that is gone from the bucket and from the manifest's list."""
    artifact.forget(artifact.data_file("public.orders"))


def large_object_forgotten(artifact: OffsiteArtifact, _: Gallery) -> None:
    """A large object whose file is gone, from the manifest's list too."""
    [path] = [each.path for each in artifact.manifest.files if "blob_4711." in each.path]
    artifact.forget(path)


def large_object_surplus(artifact: OffsiteArtifact, _: Gallery) -> None:
    """A large object's file under another number as well."""
    [path] = [each.path for each in artifact.manifest.files if "blob_4711." in each.path]
    artifact.put(path.replace("4711", "4799"), artifact.read(path))


def large_object_other(artifact: OffsiteArtifact, _: Gallery) -> None:
    """A large object with the bytes of another."""
    one, other = sorted(each.path for each in artifact.manifest.files if "/blob_47" in each.path)
    artifact.put(one, artifact.read(other))


def manifest_says(alter: Callable[[Manifest], Manifest]) -> InTheArtifact:
    """A manifest that says something else."""

    def inflict(artifact: OffsiteArtifact, _: Gallery) -> None:
        artifact.overwrite(MANIFEST_NAME, to_bytes(alter(artifact.manifest)))

    return InTheArtifact(inflict)


def manifest_bytes(alter: Callable[[bytes], bytes]) -> InTheArtifact:
    """A manifest that is none any more."""

    def inflict(artifact: OffsiteArtifact, _: Gallery) -> None:
        artifact.overwrite(MANIFEST_NAME, alter(artifact.read(MANIFEST_NAME)))

    return InTheArtifact(inflict)


def one_row_more_claimed(manifest: Manifest) -> Manifest:
    """With a row more of orders than there are."""
    return replace(
        manifest,
        tables=tuple(
            replace(each, rows=each.rows + 1) if each.name.name == "orders" else each
            for each in manifest.tables
        ),
    )


def invoices_claimed_further(manifest: Manifest) -> Manifest:
    """With a sequence that stands further on than the dump's."""
    sequences = tuple(
        replace(each, last_value=4999) if each.name.name == "invoices" else each
        for each in manifest.inventory.sequences
    )
    return replace(manifest, inventory=replace(manifest.inventory, sequences=sequences))


def under_a_new_name(artifact: OffsiteArtifact, gallery: Gallery) -> None:
    """A whole artifact in the place of the next night's, as it is."""
    for name in (*(each.path for each in artifact.manifest.files), MANIFEST_NAME):
        artifact.overwrite(name, artifact.read(name), prefix=gallery.next_night.manifest.prefix)


def renamed_throughout(artifact: OffsiteArtifact, gallery: Gallery) -> None:
    """A whole artifact in the place of the next night's, with that one's identity in its manifest."""
    under_a_new_name(artifact, gallery)
    newer = gallery.next_night.manifest
    claimed = replace(artifact.manifest, artifact_id=newer.artifact_id)
    artifact.overwrite(MANIFEST_NAME, to_bytes(claimed), prefix=newer.prefix)


DAMAGES: Final = (
    Damage(
        "a file cut off", _UPLOAD, orders_file(lambda data: data[:-10]), "artifact damaged", "public.orders"
    ),
    Damage("a file emptied", _UPLOAD, orders_file(lambda _: b""), "artifact damaged", "public.orders"),
    Damage(
        "a file with more at its end",
        "two uploads to one name",
        orders_file(lambda data: data + data),
        "table changed",
        "public.orders",
    ),
    Damage(
        "a file that isn't compressed text",
        _MIXED_UP,
        orders_file(lambda _: b"<html>Sign in</html>"),
        "artifact damaged",
        "public.orders",
    ),
    Damage(
        "a bit flipped in a file",
        "a disk that loses bits, after the hash was taken",
        InTheArtifact(rotten_on_disk),
        "file changed",
        "public.orders",
    ),
    Damage(
        "a bit flipped before the file was compressed",
        _DISK,
        InTheArtifact(bit_flipped_before_compression),
        "table changed",
        "public.orders",
    ),
    Damage(
        "the files of two tables exchanged",
        _MIXED_UP,
        InTheArtifact(exchanged),
        "table changed",
        "public.old_orders",
    ),
    Damage(
        "a file of another night",
        _MIXED_UP,
        file_of(lambda gallery: gallery.next_night, "public.orders"),
        "table changed",
        "public.orders",
    ),
    Damage(
        "a file of another database",
        _MIXED_UP,
        file_of(lambda gallery: gallery.other_database, "public.orders"),
        "table changed",
        "public.orders",
    ),
    Damage(
        "a file missing",
        "a bucket's life-cycle rule",
        InTheArtifact(missing),
        "file missing",
        "public.orders",
    ),
    Damage(
        "a file missing, and the manifest doesn't list it",
        _UPLOAD,
        InTheArtifact(forgotten),
        "artifact damaged",
        "tables without a file",
    ),
    Damage(
        "a large object's file missing, and the manifest doesn't list it",
        _UPLOAD,
        InTheArtifact(large_object_forgotten),
        "large objects changed",
        "large objects",
    ),
    Damage(
        "a large object's file too many",
        _MIXED_UP,
        InTheArtifact(large_object_surplus),
        "large objects changed",
        "large objects",
    ),
    Damage(
        "a large object with the bytes of another",
        _MIXED_UP,
        InTheArtifact(large_object_other),
        "large objects changed",
        "large objects",
    ),
    Damage(
        "toc.dat cut off",
        _UPLOAD,
        contents(lambda data: data[: len(data) // 2]),
        "artifact damaged",
        "table of contents",
    ),
    Damage("toc.dat emptied", _UPLOAD, contents(lambda _: b""), "artifact damaged", "table of contents"),
    Damage(
        "toc.dat of an older night, before an index was made",
        _MIXED_UP,
        contents_of(lambda gallery: gallery.without_index),
        "definition changed",
        "INDEX public.orders_by_customer",
    ),
    Damage(
        "toc.dat of another database",
        _MIXED_UP,
        contents_of(lambda gallery: gallery.other_database),
        "rows misplaced",
        "public.customers",
    ),
    Damage(
        "a manifest that claims a row more",
        "a manifest made from the source and not from the dump",
        manifest_says(one_row_more_claimed),
        "table changed",
        "public.orders",
    ),
    Damage(
        "a manifest that claims another sequence value",
        "a manifest made from the source and not from the dump",
        manifest_says(invoices_claimed_further),
        "sequence changed",
        "public.invoices",
    ),
    Damage(
        "the manifest of another database",
        _MIXED_UP,
        manifest_says(lambda manifest: replace(manifest, database="honeydue")),
        "artifact damaged",
        "belongs to honeydue",
    ),
    Damage(
        "the manifest of another artifact",
        _MIXED_UP,
        manifest_says(lambda manifest: replace(manifest, artifact_id="20260101T000000Z-000000")),
        "artifact damaged",
        "contradicts",
    ),
    Damage(
        "a manifest cut off",
        _UPLOAD,
        manifest_bytes(lambda data: data[:-500]),
        "artifact damaged",
        "not readable",
    ),
    Damage("an empty manifest", _UPLOAD, manifest_bytes(lambda _: b""), "artifact damaged", "not readable"),
    Damage(
        "an old artifact under a new name",
        "a copy made to close a gap",
        InTheArtifact(under_a_new_name),
        "artifact damaged",
        "belongs to",
    ),
    Damage(
        "an old artifact under a new name, in its manifest too",
        "a copy made to close a gap",
        InTheArtifact(renamed_throughout),
        "artifact damaged",
        "captured",
    ),
)
