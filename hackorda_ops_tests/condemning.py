"""Which findings may advise not to rely on an artifact: bytes have changed, or rows on their way into a copy."""

from typing import Final

from hackorda_ops.findings import Finding

CONDEMNING: Final = frozenset(
    {
        "artifact damaged",
        "file missing",
        "file changed",
        "table changed",
        "large objects changed",
        "definition changed",
        "sequence changed",
        "evidence missing",
        "rows misplaced",
        "table missing",
        "rows differ",
        "content differs",
        "large objects missing",
        "large objects differ",
    }
)


def condemns(finding: Finding) -> bool:
    """Whether a finding advises not to rely on the artifact."""
    return "Do not rely on this artifact" in finding.next_step
