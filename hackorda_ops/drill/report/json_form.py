"""A drill's result as versioned JSON: the report for machines, and the memory behind the trend.

`report_schema` has the JSON Schema of it, which lies beside every report.
"""

import json
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import Advice, Document
from hackorda_ops.drilling.result import EARLIER_VERSIONS, RESULT_VERSION, DrillResult
from hackorda_ops.proof.check import Check
from hackorda_ops.stores.store import LOOK_WHO_WRITES

SCHEMA_NAME = "report.schema.json"
# It had no outcome for this.
_NOT_REACHED_IN_VERSION_1: Final = "Not measured: the drill ended without this check."

_DOCUMENT: Final = Document(
    name="drill report",
    adapter=TypeAdapter(DrillResult),
    version_field="result_version",
    version=RESULT_VERSION,
    earlier=EARLIER_VERSIONS,
    unreadable=Advice("That drill is left out of the trend.", LOOK_WHO_WRITES),
    other_version=Advice(
        "That drill is left out of the trend; its page and its Markdown can still be read.",
        "Nothing to do, unless the file was damaged: the page report.html is next to it.",
    ),
)


def document(result: DrillResult) -> dict[str, Any]:
    """The result as what JSON has, with the schema's name and every finding's severity and meaning."""
    plain: dict[str, Any] = _DOCUMENT.adapter.dump_python(result, mode="json")
    return {
        "$schema": SCHEMA_NAME,
        **plain,
        "findings": [finding.described for finding in result.findings],
    }


def to_bytes(result: DrillResult) -> bytes:
    """The result as the JSON text that is stored."""
    return json.dumps(document(result), indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def from_bytes(data: bytes, *, origin: str) -> DrillResult:
    """Reads a stored result. Fields that this release doesn't know are ignored.

    Args:
        data: the file's bytes.
        origin: where it was read, for the message.

    Raises:
        ArtifactDamaged: not a result, or one of another version.
    """
    result = _DOCUMENT.from_bytes(data, origin=origin)
    if result.result_version == RESULT_VERSION:
        return result
    return replace(result, checks=tuple(map(_of_version_1, result.checks)))


def _of_version_1(made: Check) -> Check:
    return replace(made, outcome="not reached") if made.summary == _NOT_REACHED_IN_VERSION_1 else made
