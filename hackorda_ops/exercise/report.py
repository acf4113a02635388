"""An exercise's report, as the team files it: `YYYY-Qn-dr-test.md`, in the stores and its repository; and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.exercise import history
from hackorda_ops.exercise.checks import CHECKS
from hackorda_ops.exercise.exercise import require_history, run_exercise
from hackorda_ops.exercise.history import RESULT_NAME, exercise_prefix
from hackorda_ops.exercise.result import ExerciseResult
from hackorda_ops.markdown import escaped, fenced, table
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.proof.check import title_of
from hackorda_ops.receipts.record import recorded
from hackorda_ops.receipts.verify import Head
from hackorda_ops.words import NOTHING, counted, duration, moment


@dataclass(frozen=True)
class Exercise:
    """An exercise that was run.

    Attributes:
        result: what it found out.
        report: its text, Markdown.
        places: the report in each store that has it, as people would name it.
        not_stored: for each store that lacks it, one sentence why.
        receipt: the number and hash of its receipt; None where that waits.
    """

    result: ExerciseResult
    report: str
    places: tuple[str, ...]
    not_stored: tuple[str, ...]
    receipt: Head | None = None


def hold_exercise(
    protected: Protected, *, year: date | None = None, on_progress: OnProgress = ignore
) -> Exercise:
    """Runs a recovery exercise, and stores its report in the nightly store and off-site.

    A report that can't be stored doesn't change the verdict: `not_stored` says why.

    Args:
        protected: the database.
        year: the partition (its first day); None for the current one.
        on_progress: called with the rows read.

    Raises:
        ConfigError: no history is kept, or variables are missing; nothing was attempted.
        UsageError: that year has not begun.
    """
    require_history(protected)
    protected.require("source", "scratch", "store", *(() if protected.several_offsite else ("offsite",)))
    stores = protected.known_stores
    with recorded("exercise", protected, subject="an exercise") as line:
        result = run_exercise(protected, year=year, on_progress=on_progress)
        line.subject, line.outcome = result.held_in, result.verdict
        line.detail = f"{meaning(result)} Exercise {result.exercise_id}, run by {result.held_by}."
        line.files[f"{exercise_prefix(protected.name, result.exercise_id)}/{RESULT_NAME}"] = history.to_bytes(
            result
        )
    report = document(result)
    # The machine-readable file comes last, because it's what makes the exercise count.
    files = {result.report_name: report.encode(), RESULT_NAME: history.to_bytes(result)}
    prefix = exercise_prefix(protected.name, result.exercise_id)
    places: list[str] = []
    errors: list[str] = []
    for store in stores:
        try:
            for file_name, data in files.items():
                store.put(
                    f"{prefix}/{file_name}", BytesIO(data), size_bytes=len(data), sha256=digest_of(data)
                )
            places.append(f"{store.describe()}/{prefix}/{result.report_name}")
        except OpsError as error:
            errors.append(error.what)
    if (folder := protected.policy.exercise.report_folder) is not None:
        written = _write_into(folder, result, report)
        (places if isinstance(written, Path) else errors).append(str(written))
    return Exercise(result, report, tuple(places), tuple(errors), line.receipt)


def _write_into(folder: Path, result: ExerciseResult, report: str) -> Path | str:
    """Writes the report into a folder of the team's, which decides who may read it; or a sentence why not.

    A report that is there may have been edited, and is kept: a second one of the quarter has its id in its name.
    """
    for name in (result.report_name, f"{result.held_in}-dr-test-{result.exercise_id}.md"):
        try:
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(report)
        except FileExistsError:
            continue
        except OSError as error:
            return f"{folder / name} was not written: {error.strerror}."
        return folder / name
    return f"{folder} has this report already."


def meaning(result: ExerciseResult) -> str:
    """The verdict in a sentence or two. Pure."""
    if result.verdict == "PASS":
        return (
            f"What was destroyed came back exactly, from the provider's history: {counted(result.rows, 'row')} in "
            f"{counted(result.tables, 'table')}, after {_seconds(result.recovery_seconds)}."
        )
    if result.verdict == "ERROR":
        return f"The exercise could not judge: {result.error.what if result.error else ''}"
    failed = " ".join(check.summary for check in result.checks if check.outcome == "failed")
    return f"The recovery did not do what it must: {failed}"


def document(result: ExerciseResult) -> str:
    """The whole report as Markdown. Pure."""
    error = result.error
    sections = (
        f"# {result.verdict}: recovery exercise {result.held_in} of {escaped(result.database)}",
        escaped(meaning(result)),
        _list((f"What it means: {error.meaning}", f"Next step: {error.next_step}")) if error else "",
        table(
            ("Question", "Answer"),
            (
                ("Who", result.held_by),
                ("When", f"{moment(result.started_at)} to {moment(result.finished_at)}"),
                ("Where", f"on branches made for it, never on the source; {_left(result)}"),
                (
                    "Recovery time",
                    f"{_seconds(result.recovery_seconds)}, {_measured(result)}; the objective is "
                    f"{duration(result.recovery_objective_seconds)}",
                ),
                (
                    "Recovery point",
                    "not measured, or missed"
                    if result.lost_seconds is None
                    else f"the last commit before the destruction, {result.lost_seconds:.1f} s old then",
                ),
            ),
        ),
        "## Checks",
        table(
            ("Check", "Outcome", "What it saw"),
            [(title_of(check.name, CHECKS), check.outcome, check.summary) for check in result.checks],
        ),
        *_hooks(result),
        "## Timeline",
        table(
            ("When", "What", "Took#"),
            [
                (moment(each.at), each.what, NOTHING if each.seconds is None else f"{each.seconds:.1f} s")
                for each in result.timeline
            ],
        ),
        "## Commands",
        fenced("\n".join(each.commands for each in result.timeline if each.commands)) or "None was reached.",
        "## Findings",
        _list(result.findings) or "None.",
        "## Not compared",
        _list(result.not_compared),
        f"Exercise {result.exercise_id}, by hackorda\\_ops {escaped(result.product_version)}.",
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _measured(result: ExerciseResult) -> str:
    if result.hooks:
        return (
            f"from asking for the branch to the success of {result.hooks[-1].name}, without the comparison in between "
            f"(the branch itself answered after {_seconds(result.answered_seconds)})"
        )
    return "from asking for the branch to its first answered query"


def _hooks(result: ExerciseResult) -> Sequence[str]:
    if not result.hooks:
        return ()
    rows = [(run.name, run.outcome, f"{run.seconds:.1f} s", run.command) for run in result.hooks]
    return ("## Hooks", table(("Hook", "Outcome", "Took#", "Command"), rows))


def _left(result: ExerciseResult) -> str:
    told = {"passed": "none of them is left", "failed": "not all of them are gone (see the checks)"}
    [gone] = [check for check in result.checks if check.name == "branches_gone"]
    return told.get(gone.outcome, "it's unknown whether one is left")


def _seconds(seconds: float | None) -> str:
    return "not measured" if seconds is None else duration(seconds)


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {escaped(line)}" for line in lines)
