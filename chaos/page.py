"""What was tried and found, for the terminal and for docs/reliability.md."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from chaos.cases import Outcome

_PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
_MARK = "<!-- {}: {} -->"
_ENDS = {0: "done", 1: "FAIL", 2: "refused", 3: "ERROR", None: "did not end", -9: "killed"}


def summary(outcomes: Sequence[Outcome], possible: int, seconds: float) -> Iterator[str]:
    """What was tried, in Markdown."""
    wrong = [each for each in outcomes if each.wrong]
    missed = [each for each in outcomes if not each.reached]
    places = {(each.case.command, each.case.fault.position) for each in outcomes if each.case.fault}
    what = (
        f"{len(outcomes):,} of {possible:,} cases at {len(places):,} positions"
        if places
        else f"{len(outcomes):,} SIGKILLs"
    )
    yield f"{what}, {seconds:,.0f} seconds: {len(wrong):,} where something didn't hold, {len(missed):,} not reached."
    yield ""
    ends = [end for end in _ENDS if any(each.code == end for each in outcomes)]
    yield f"| command | boundary | cases | {' | '.join(_ENDS[end] for end in ends)} | wrong |"
    yield f"|---|---|--:|{'--:|' * len(ends)}--:|"
    groups = Counter((each.case.command, _boundary(each)) for each in outcomes)
    for (command, boundary), count in groups.items():
        those = [each for each in outcomes if (each.case.command, _boundary(each)) == (command, boundary)]
        cells = [str(sum(each.code == end for each in those) or "") for end in ends]
        bad = sum(bool(each.wrong) or not each.reached for each in those)
        yield f"| {command} | {boundary} | {count} | {' | '.join(cells)} | {bad} |"


def _boundary(outcome: Outcome) -> str:
    return outcome.case.fault.position.boundary if outcome.case.fault else "any moment"


def write(outcomes: Sequence[Outcome], possible: int, seconds: float, *, kills: bool) -> None:
    """Puts what was tried on the page."""
    put("kills" if kills else "faults", [*summary(sorted(outcomes, key=_order), possible, seconds)])


def put(name: str, lines: Sequence[str]) -> None:
    """Puts lines between the marks of a name on the page; everything else there stays."""
    begin, end = (_MARK.format(name, which) for which in ("begin", "end"))
    before, _, rest = _PAGE.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    told = "\n".join((begin, f"Tried on {datetime.now(UTC):%-d %B %Y}:", "", *lines, end))
    _PAGE.write_text(f"{before}{told}{after}", encoding="utf-8")


def _order(outcome: Outcome) -> tuple[str, str]:
    return outcome.case.command, _boundary(outcome)
