"""Looks at several databases in one tick: what one of them does to the others, which is nothing."""

import threading
from collections.abc import Callable
from concurrent.futures import wait

import pytest

from hackorda_ops.errors import OpsError, RetryableError, Stalled
from hackorda_ops.orchestration.sensors import side_by_side
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, raise_errors, sentences

NAMES = ("one", "two", "three")


def _failing(*names: str) -> Callable[[str], str]:
    def at(name: str) -> str:
        if name in names:
            raise RetryableError(f"No {name}.", meaning="It is away.", next_step="Wait.")
        return f"seen {name}"

    return at


def test_what_fails_leaves_what_the_others_have_seen() -> None:
    looked = SideBySide(NAMES).look(_failing("two"))

    assert {each.database: each.made for each in looked} == {
        "one": "seen one",
        "two": None,
        "three": "seen three",
    }
    with pytest.raises(RetryableError, match=r"^No two\."):
        raise_errors(looked)


def test_several_errors_are_one_that_names_each_and_says_the_same_once() -> None:
    with pytest.raises(OpsError) as caught:
        raise_errors(SideBySide(NAMES).look(_failing("one", "three")))

    assert caught.value.what == "one: No one.\nthree: No three."
    assert (caught.value.meaning, caught.value.next_step) == ("It is away.", "Wait.")


def test_one_that_hangs_is_not_looked_at_twice_and_the_others_are_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release, looks = threading.Event(), list[str]()

    def at(name: str) -> str:
        looks.append(name)
        if name == "one":
            release.wait(60)
        return name

    databases = SideBySide(NAMES)
    try:
        with monkeypatch.context() as patched:
            # As if the tick's time were over once the others have ended.
            patched.setattr(side_by_side, "wait", lambda futures, timeout: wait(list(futures)[1:]))
            first = databases.look(at)
        again = {each.database: each for each in databases.look(at)}
    finally:
        release.set()

    assert isinstance(first[0].error, Stalled)
    assert [each.made for each in first[1:]] == ["two", "three"]
    assert again["one"].put_off == "The previous look is still running."
    assert (again["two"].made, again["three"].made) == ("two", "three")
    assert looks.count("one") == 1


def test_those_for_which_there_was_no_time_are_looked_at_first_in_the_next_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(side_by_side, "_AT_ONCE", 1)
    release, began, looks = threading.Event(), threading.Event(), list[str]()

    def at(name: str) -> str:
        looks.append(name)
        if name == "one":
            began.set()
            release.wait(60)
        return name

    databases = SideBySide(NAMES)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(side_by_side, "wait", lambda futures, timeout: began.wait(60))
            first = {each.database: each for each in databases.look(at)}
    finally:
        release.set()

    assert isinstance(first["one"].error, Stalled)
    assert all("first at the next tick" in str(first[name].put_off) for name in ("two", "three"))
    assert [each.database for each in databases.look(at)] == ["two", "three", "one"]


def test_an_unexpected_error_is_shown_without_its_words() -> None:
    def at(name: str) -> str:
        raise ValueError("a secret")

    with pytest.raises(OpsError, match=r"ValueError at test_side_by_side\.py") as caught:
        raise_errors(SideBySide(("one",)).look(at))
    assert "a secret" not in str(caught.value)


def test_a_sentence_is_said_once_with_all_that_it_is_true_of() -> None:
    said = [("shop", "Nothing is missing."), ("crm", "Nothing is missing."), ("", "Nothing to report.")]

    assert sentences(said) == "shop, crm: Nothing is missing.\nNothing to report."
