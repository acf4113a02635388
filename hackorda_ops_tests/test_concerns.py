"""Concerns: a refusal is one of them, and all of them end in one error."""

import pytest

from hackorda_ops.concerns import Concern, Looked, concerns_in, looked, require_none
from hackorda_ops.errors import (
    ConfigError,
    DiskFull,
    OpsError,
    PreflightFailed,
    RetryableError,
    RightsMissing,
    ServerUnreachable,
    StoreUnreachable,
)


def concern(kind: type[OpsError], what: str = "what") -> Concern:
    return Concern("stops the night", what, "meaning", f"mend {what}", kind)


def test_a_refusal_of_one_part_is_its_concern_and_keeps_none_from_being_looked_at() -> None:
    def refuse() -> str:
        raise DiskFull("no room", meaning="it ends", next_step="make room")

    parts = [looked("disk", "stops the drill", refuse), looked("rights", "stops the night", lambda: "all")]
    assert parts == [
        Looked("disk", "", (Concern("stops the drill", "no room", "it ends", "make room", DiskFull),)),
        Looked("rights", "all"),
    ]
    assert concerns_in(parts, "stops the night") == ()


def test_no_concern_raises_nothing() -> None:
    require_none(())


def test_one_concern_alone_raises_its_own_error() -> None:
    with pytest.raises(RightsMissing) as caught:
        require_none([concern(RightsMissing)])
    assert (caught.value.what, caught.value.meaning, caught.value.next_step) == (
        "what",
        "meaning",
        "mend what",
    )


@pytest.mark.parametrize(
    ("kinds", "raised"),
    [
        ((DiskFull, RightsMissing), PreflightFailed),
        ((DiskFull, ServerUnreachable), PreflightFailed),
        ((ServerUnreachable, StoreUnreachable), RetryableError),
        ((ConfigError, ConfigError), ConfigError),
    ],
)
def test_several_concerns_raise_one_error_that_tells_all_of_them_and_is_retried_only_where_all_pass(
    kinds: tuple[type[OpsError], ...], raised: type[OpsError]
) -> None:
    with pytest.raises(OpsError) as caught:
        require_none([concern(kind, f"thing {number}") for number, kind in enumerate(kinds)])
    assert type(caught.value) is raised
    for number in range(len(kinds)):
        assert f"{number + 1}. thing {number}" in caught.value.what
        assert f"{number + 1}. mend thing {number}" in caught.value.next_step
