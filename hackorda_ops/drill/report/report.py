"""A drill's report: the page, the Markdown, the CSV and the JSON with its schema, stored next to the artifacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.drill.report import frames, html, json_form, json_schema, markdown
from hackorda_ops.drill.report.history import PAGE_NAME, REPORT_NAME, drill_prefix
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.errors import OpsError
from hackorda_ops.stores.store import Store

MARKDOWN_NAME = "report.md"
COMPARISON_NAME = "comparison.csv"


@dataclass(frozen=True)
class ReportPlaces:
    """Where a report is.

    Attributes:
        pages: the HTML page in each store that has the report, as people would name it.
        not_stored: for each store that lacks the report, one sentence why.
    """

    pages: tuple[str, ...]
    not_stored: tuple[str, ...]


def report_files(result: DrillResult, past: Sequence[DrillResult]) -> Mapping[str, bytes]:
    """Everything that a report consists of, by file name; the same for the same drills.

    The JSON comes last, because it's what makes the report exist: see `history`.
    """
    return {
        COMPARISON_NAME: frames.comparison_csv(result),
        MARKDOWN_NAME: markdown.document(result, past).encode(),
        PAGE_NAME: html.page(result, past).encode(),
        json_form.SCHEMA_NAME: json_schema.text().encode(),
        REPORT_NAME: json_form.to_bytes(result),
    }


def store_report(stores: Sequence[Store], result: DrillResult, past: Sequence[DrillResult]) -> ReportPlaces:
    """Puts a report into each store.

    A store that fails doesn't keep the others from getting it.

    Args:
        stores: the nightly store and off-site; at least one.
        result: the drill.
        past: other drills of the database, for the trend, in any order.

    Raises:
        OpsError: what the first store said, if none has the report.
    """
    files = report_files(result, past)
    prefix = drill_prefix(result.database, result.drill_id)
    pages: list[str] = []
    errors: list[OpsError] = []
    for store in stores:
        try:
            for name, data in files.items():
                store.put(f"{prefix}/{name}", BytesIO(data), size_bytes=len(data), sha256=digest_of(data))
            pages.append(f"{store.describe()}/{prefix}/{PAGE_NAME}")
        except OpsError as error:
            errors.append(error)
    if not pages:
        raise errors[0]
    return ReportPlaces(tuple(pages), tuple(error.what for error in errors))
