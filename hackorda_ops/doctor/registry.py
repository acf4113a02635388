"""The one list of the doctor's questions. To add one: a function beside the others, and a line here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hackorda_ops.doctor import buckets, checklist, surroundings
from hackorda_ops.doctor.answer import Answer
from hackorda_ops.doctor.patient import Patient
from hackorda_ops.errors import OpsError
from hackorda_ops.unforeseen import described


@dataclass(frozen=True)
class Question:
    """One thing that the policy needs.

    Attributes:
        name: in a few words, as it's listed.
        group: under which heading.
        asks: the question as a sentence.
        answer: looks; an error of the `OpsError` tree means that it couldn't be looked at.
    """

    name: str
    group: str
    asks: str
    answer: Callable[[Patient], Answer]


@dataclass(frozen=True)
class QuestionSeries:
    """Several things of one kind, named by what was found.

    Attributes:
        name: what is named where they can't be looked at.
        group: under which heading.
        asks: the question as a sentence.
        answers: looks; each with its name.
    """

    name: str
    group: str
    asks: str
    answers: Callable[[Patient], Iterator[tuple[str, Answer]]]


@dataclass(frozen=True)
class Examined:
    """A question with its answer."""

    name: str
    group: str
    asks: str
    answer: Answer


SETUP: Final = "set up by people"
SERVER: Final = "the live server"
NIGHTS: Final = "before a night or a drill"
BUCKETS: Final = "the copies"
AROUND: Final = "around it"

QUESTIONS: Final[Sequence[Question | QuestionSeries]] = (
    Question("instance", SETUP, "Does the database's server answer, encrypted?", checklist.instance),
    Question(
        "provider's backups",
        SETUP,
        "Does the provider keep a past, as long as the policy says?",
        checklist.provider_backups,
    ),
    Question("nightly dump", SETUP, "Is last night's dump there, and sound?", checklist.due("night")),
    Question("off-site copy", SETUP, "Is this week's copy off-site?", checklist.due("week")),
    Question("restore drill", SETUP, "Has this quarter's drill passed?", checklist.drill),
    Question("recovery exercise", SETUP, "Has this year's exercise passed?", checklist.due("year")),
    Question("cutover", SETUP, "Is a move to another server finished?", checklist.cutover),
    Question("readiness", SETUP, "Could the database be recovered right now?", checklist.readiness),
    QuestionSeries("server", SERVER, "Is the server itself as it should be?", checklist.server),
    QuestionSeries("preflight", NIGHTS, "Would anything stop the next night or drill?", checklist.parts),
    Question("places", BUCKETS, "Do store and bucket exist?", buckets.exists),
    Question(
        "another account", BUCKETS, "Would losing one account leave the other copy?", buckets.another_account
    ),
    Question("versions", BUCKETS, "Does the bucket keep what is overwritten or deleted?", buckets.versions),
    Question("lock", BUCKETS, "Can copies be locked against deletion?", buckets.lock),
    Question("hidden", BUCKETS, "Does a bucket hide artifacts that should be there?", buckets.hidden),
    Question(
        "life cycle", BUCKETS, "Does a rule of the bucket remove what retention keeps?", buckets.life_cycle
    ),
    Question("not public", BUCKETS, "Can nobody else read the buckets?", buckets.private),
    Question("abandoned uploads", BUCKETS, "Are killed uploads still paid for?", buckets.abandoned_uploads),
    Question("alarms", AROUND, "Is anybody told when something fails?", surroundings.alarms),
    Question(
        "heartbeats", AROUND, "Does something outside notice that this has stopped?", surroundings.heartbeats
    ),
    Question(
        "receipts", AROUND, "Is the chain of receipts whole, and does none wait?", surroundings.receipts
    ),
    Question("leftovers", AROUND, "Have killed runs left anything behind?", surroundings.leftovers),
    Question(
        "own folders", AROUND, "Can only this user reach what lies on this machine?", surroundings.own_folders
    ),
)


def examine(
    patient: Patient, questions: Sequence[Question | QuestionSeries] = QUESTIONS
) -> Iterator[Examined]:
    """Asks every question; none of them keeps the others from being asked."""
    for question in questions:
        try:
            if isinstance(question, Question):
                found = [(question.name, question.answer(patient))]
            else:
                found = list(question.answers(patient))
        except OpsError as error:
            found = [(question.name, Answer("unknown", error.what, error.next_step))]
        except Exception as error:  # noqa: BLE001  # without its message, which may quote rows
            found = [(question.name, Answer("unknown", described(error), "Please report this: it's a bug."))]
        for name, answer in found:
            yield Examined(name, question.group, question.asks, answer)
