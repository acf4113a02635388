"""Parts of the environment that were checked, as commands show them: a table, each concern with its remedy, JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

from hackorda_ops.cli import terminal
from hackorda_ops.concerns import Looked, concerns_in
from hackorda_ops.errors import OpsError, WrongUse


def outcome(part: Looked) -> str:
    """How a part is, in a word or two."""
    severities = {concern.severity for concern in part.concerns}
    if not severities:
        return "ok"
    return "worth knowing" if severities == {"worth knowing"} else "problem"


def documents(parts: Iterable[Looked]) -> list[dict[str, Any]]:
    """The parts for JSON."""
    return [
        {
            "part": part.part,
            "outcome": outcome(part),
            "seen": part.seen,
            "concerns": [
                {
                    "severity": concern.severity,
                    "what": concern.what,
                    "meaning": concern.meaning,
                    "next_step": concern.next_step,
                }
                for concern in part.concerns
            ],
        }
        for part in parts
    ]


def show_parts(title: str, parts: Sequence[Looked]) -> None:
    """The parts on standard output, and then every concern."""
    terminal.table(
        title,
        ("part", "outcome", "seen"),
        [(part.part, outcome(part), part.seen) for part in parts],
    )
    for part in parts:
        for concern in part.concerns:
            lines = (
                f"{part.part}: {concern.severity}",
                f"  {concern.what}",
                f"  What it means: {concern.meaning}",
                f"  Next step: {concern.next_step}",
            )
            terminal.out.print("\n".join(lines), markup=False, soft_wrap=True)


def exit_code(parts: Iterable[Looked], otherwise: int | None = None) -> int:
    """0 where nothing stops anything; 2 for a wrong configuration or call; otherwise what the first error ends with.

    Args:
        parts: what was checked.
        otherwise: what ends it instead of the first error's own exit code.
    """
    stopping: list[type[OpsError]] = [
        concern.kind for concern in concerns_in(parts) if concern.severity != "worth knowing"
    ]
    if any(issubclass(kind, WrongUse) for kind in stopping):
        return WrongUse.exit_code
    return 0 if not stopping else stopping[0].exit_code if otherwise is None else otherwise
