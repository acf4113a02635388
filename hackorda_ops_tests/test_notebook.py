"""The notebook of a drill or an exercise."""

import pytest

from hackorda_ops.errors import DiskFull, Problem
from hackorda_ops.proof.check import Check
from hackorda_ops.proof.notebook import Notebook
from hackorda_ops.proof.verdict import Wording

WORDING = Wording("drill", claim="prove the backup", again="drill again")


@pytest.fixture
def notebook() -> Notebook:
    return Notebook(WORDING)


def test_what_was_decided_and_what_was_not_measured_is_kept_in_order(notebook: Notebook) -> None:
    notebook.decided("whole", True, "It is whole.")
    notebook.decided("fresh", False, "It is old.")
    notebook.not_measured("near", "nobody asked")
    # An error's sentence already ends in a full stop.
    notebook.not_measured("gone", "The server does not answer.")

    assert notebook.checks == [
        Check("whole", "passed", "It is whole."),
        Check("fresh", "failed", "It is old."),
        Check("near", "not measured", "Not measured: nobody asked."),
        Check("gone", "not measured", "Not measured: The server does not answer."),
    ]


def test_the_first_error_is_the_problem_and_a_later_one_is_remarked(notebook: Notebook) -> None:
    for what in ("no room", "still no room"):
        with notebook.stoppable():
            raise DiskFull(f"{what}.", meaning="It ends.", next_step="Make room.")

    assert notebook.problem == Problem("no room.", "It ends.", "Make room.")
    assert notebook.remarks == ["Afterwards: still no room. Make room."]


def test_what_was_noted_on_an_error_is_remarked(notebook: Notebook) -> None:
    error = DiskFull("no room.", meaning="It ends.", next_step="Make room.")
    error.add_note("The branch could not be deleted either.")
    with notebook.stoppable():
        raise error

    assert notebook.remarks == ["The branch could not be deleted either."]


def test_an_error_that_nobody_foresaw_shows_its_kind_and_its_place_and_none_of_its_words(
    notebook: Notebook,
) -> None:
    with notebook.stoppable():
        int("a row's content")

    assert notebook.problem is not None
    assert "ValueError at test_notebook.py:" in notebook.problem.what
    assert "a row's content" not in str(notebook.problem)
    assert notebook.problem.meaning == "The drill could not judge. This is most likely a bug in hackorda_ops."
    assert notebook.problem.next_step == "Report it with these lines, and drill again."


def test_an_interruption_goes_on_upwards(notebook: Notebook) -> None:
    with pytest.raises(KeyboardInterrupt), notebook.stoppable():
        raise KeyboardInterrupt

    assert notebook.problem is None


def test_what_stopped_it_is_remarked_where_the_verdict_does_not_say_so(notebook: Notebook) -> None:
    notebook.remark_early_end()
    assert notebook.remarks == []

    notebook.stopped_by(DiskFull("No room.", meaning="It ends.", next_step="Make room."))
    notebook.remark_early_end()
    assert notebook.remarks == ["The drill stopped early: No room. Make room."]
