"""The auditor's page: one self-contained HTML file, which prints on A4. No network, no script, no font."""

from typing import Final

from hackorda_ops.audit.evidence import CELL, Evidence, strips
from hackorda_ops.calendar.due import DueKind, cron_of
from hackorda_ops.drill.report.html import templates
from hackorda_ops.receipts.chain import FOLDER
from hackorda_ops.receipts.verify import KEY_KINDS

# A year has about 600. More rows help nobody, and the receipts themselves are there.
ROWS_SHOWN: Final = 5_000
_TITLES: Final[dict[DueKind, str]] = {
    "night": "Nightly backup",
    "week": "Off-site copy",
    "quarter": "Restore drill",
    "year": "Recovery exercise",
}
_STATES: Final = {
    "PASS": "good",
    "FAIL": "bad",
    "ERROR": "unsure",
    "missing": "bad",
    "open": "open",
    "before": "open",
}


def page(evidence: Evidence) -> str:
    """The page's text."""
    checked = evidence.checked
    shown = [each for each in evidence.entries if each.kind not in KEY_KINDS]
    return (
        templates("hackorda_ops.audit")
        .get_template("evidence.html.jinja")
        .render(
            evidence=evidence,
            checked=checked,
            chain=checked.chain,
            whole=checked.whole,
            shown=shown[:ROWS_SHOWN],
            left_out=max(0, len(shown) - ROWS_SHOWN),
            key_events=[each for each in evidence.entries if each.kind in KEY_KINDS],
            titles=_TITLES,
            states=_STATES,
            crons={kind: cron_of(kind, evidence.schedule) for kind in evidence.expected},
            strips=strips(evidence),
            cell=CELL,
            folder=FOLDER,
        )
    )
