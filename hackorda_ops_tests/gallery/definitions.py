"""Definitions that aren't what they were, and evidence that is gone: what toc.dat and the manifest say."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, to_bytes
from hackorda_ops.artifacts.recorded import recorded
from hackorda_ops_tests.gallery.artifact import OffsiteArtifact
from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.files import contents, manifest_says
from hackorda_ops_tests.gallery.gallery import Gallery
from hackorda_ops_tests.gallery.ways import InsteadOfDump, InTheArtifact

_DISK: Final = "a disk or a memory that loses bits, before the hash was taken"
_OPTION: Final = "an option left from a trial"
_FILTER: Final = "a dump that is put through a filter"
_TRIMMED: Final = "a manifest written anew by a script"

# What stands there, what is put in its place, how the archive calls the object, and the source.
_EDITS: Final = (
    ("a default", b"DEFAULT 3", b"DEFAULT 4", "TABLE public.offers", "public.offers.q"),
    ("the condition of a policy", b"((q > 1))", b"((q > 0))", "POLICY public.offers shown", "policy shown"),
    ("NOT NULL", b"code character varying(9) NOT NULL", b"code character varying(9)         ",
     "TABLE public.offers", "table public.offers"),
    ("a column's type", b"varying(9)", b"varying(7)", "TABLE public.offers", "table public.offers"),
    ("a generated column", b"(2)::double", b"(4)::double", "TABLE public.offers", "offers"),
    ("a check", b"(1.5)::double", b"(1.4)::double", "TABLE public.offers", "dear on public.offers"),
    ("a domain's check", b"VALUE <= 70", b"VALUE <= 90", "DOMAIN public.percent", "percent"),
    ("an enum's value", b"'early'", b"'eerly'", "TYPE public.stage", "type public.stage"),
    ("an index's condition", b"(q > 7)", b"(q > 6)", "INDEX public.open_offers", "index public.open_offers"),
    ("a view", b"(9)::double", b"(8)::double", "VIEW public.dear_offers", "view public.dear_offers"),
    ("a function's body", b"NEW.q := 5", b"NEW.q := 6", "FUNCTION public.touch()", "function public.touch()"),
    ("a trigger", b"BEFORE INSERT", b"BEFORE DELETE", "TRIGGER public.offers touched", "trigger touched"),
    ("a rule", b"old.q = 8", b"old.q = 9", "RULE public.offers kept", "rule kept"),
    ("a statistics object", b"(ndistinct)", b"(dependenc)", "STATISTICS public.together", "public.together"),
    ("a comment", b"unit: cents", b"unit: euros", "COMMENT public.COLUMN offers.price", "comments are missing from it"),
)  # fmt: skip
_EDIT_BY_TOOL: Final = """
import sys
from pathlib import Path
[folder] = [each.removeprefix("--file=") for each in sys.argv if each.startswith("--file=")]
file = Path(folder) / "toc.dat"
file.write_bytes(file.read_bytes().replace({!r}, {!r}))
"""


def _edited(was: bytes, becomes: bytes) -> Callable[[bytes], bytes]:
    """Bytes with others of the same number in their place, so that nothing else moves."""

    def edit(data: bytes) -> bytes:
        assert len(was) == len(becomes)
        assert was in data, was
        return data.replace(was, becomes)

    return edit


def _by_tool(was: bytes, becomes: bytes) -> InsteadOfDump:
    edit = _EDIT_BY_TOOL.format(was, becomes)
    return InsteadOfDump(f'"$real/pg_dump" "$@" || exit\n{sys.executable} - "$@" <<\'END\'\n{edit}END\n')


def _counted_anew(alter: Callable[[Manifest], Manifest]) -> Callable[[Manifest], Manifest]:
    def altered(manifest: Manifest) -> Manifest:
        shorter = alter(manifest)
        return replace(shorter, evidence=recorded(shorter))

    return altered


def _without_carts(manifest: Manifest) -> Manifest:
    inventory = manifest.inventory
    return replace(
        manifest,
        source_values=None,
        tables=tuple(each for each in manifest.tables if each.name.name != "carts"),
        inventory=replace(
            inventory, tables=tuple(each for each in inventory.tables if each.name.name != "carts")
        ),
    )


def _without_sequences(manifest: Manifest) -> Manifest:
    return replace(manifest, inventory=replace(manifest.inventory, sequences=()))


def _without_objects(manifest: Manifest) -> Manifest:
    return replace(manifest, inventory=replace(manifest.inventory, made_objects=()))


def _without_extensions(manifest: Manifest) -> Manifest:
    return replace(manifest, inventory=replace(manifest.inventory, extensions=()))


def _emptied(alter: Callable[[Manifest], Manifest]) -> InTheArtifact:
    """A table's file emptied of rows, and a manifest that knows nothing of the table."""

    def inflict(artifact: OffsiteArtifact, _: Gallery) -> None:
        artifact.alter_rows("public.carts", lambda _: [])
        artifact.overwrite(MANIFEST_NAME, to_bytes(alter(artifact.manifest)))

    return InTheArtifact(inflict)


IN_THE_ARTIFACT: Final = (
    *(
        Damage(
            f"a byte of {what} other than it was",
            _DISK,
            contents(_edited(was, becomes)),
            "definition changed",
            subject,
        )
        for what, was, becomes, subject, _ in _EDITS
    ),
    Damage(
        "a sequence's value other than it was",
        _DISK,
        contents(_edited(b"invoices', 4711", b"invoices', 4701")),
        "sequence changed",
        "public.invoices",
    ),
    Damage(
        "columns of a table's rows in another order",
        "a script that puts backups together by name",
        contents(_edited(b"visits (customer, page)", b"visits (page, customer)")),
        "definition changed",
        "TABLE DATA public.visits",
    ),
    Damage(
        "a table's file emptied, and the manifest doesn't know the table",
        _TRIMMED,
        _emptied(_without_carts),
        "artifact damaged",
        "entries in tables",
    ),
    Damage(
        "a table's file emptied, and the manifest doesn't know the table and counts what is left",
        _TRIMMED,
        _emptied(_counted_anew(_without_carts)),
        "evidence missing",
        "public.carts",
    ),
    Damage(
        "a manifest without any sequences",
        _TRIMMED,
        manifest_says(_without_sequences),
        "artifact damaged",
        "entries in inventory.sequences",
    ),
    Damage(
        "a manifest without any sequences, which counts what is left",
        _TRIMMED,
        manifest_says(_counted_anew(_without_sequences)),
        "evidence missing",
        "public.invoices",
    ),
    Damage(
        "a manifest without the names of other objects",
        _TRIMMED,
        manifest_says(_without_objects),
        "artifact damaged",
        "entries in inventory.made_objects",
    ),
    Damage(
        "a manifest without extensions",
        _TRIMMED,
        manifest_says(_without_extensions),
        "artifact damaged",
        "entries in inventory.extensions",
    ),
    Damage(
        "a manifest without the digests of definitions",
        _TRIMMED,
        manifest_says(lambda manifest: replace(manifest, schema_objects={})),
        "artifact damaged",
        "entries in schema_objects",
    ),
)

DUMPS: Final = (
    *(
        Damage(
            f"a dump with {what} other than in the database",
            _FILTER,
            _by_tool(was, becomes),
            "",
            subject,
            "NO ARTIFACT",
        )
        for what, was, becomes, _, subject in _EDITS
    ),
    *(
        Damage(
            what, _OPTION, InsteadOfDump(f'exec "$real/pg_dump" {option} "$@"'), "", subject, "NO ARTIFACT"
        )
        for what, option, subject in (
            (
                "a dump without a sequence's value",
                "--exclude-table-data=public.invoices",
                "the value of the sequence public.invoices is missing from it",
            ),
            ("a dump without comments", "--no-comments", "comments are missing from it"),
            ("a dump without publications", "--no-publications", "publication news is missing from it"),
            ("a dump without a sequence", "--exclude-table=public.vouchers", "the sequence public.vouchers"),
            ("a dump without a view", "--exclude-table=public.dear_offers", "view public.dear_offers"),
        )
    ),
    Damage(
        "a dump with a sequence at a value that it never had",
        _FILTER,
        _by_tool(b"invoices', 4711", b"invoices', 1711"),
        "",
        "public.invoices is at 1711",
        "NO ARTIFACT",
    ),
)
