"""The error tree: exit codes, and an error that survives being handed between processes."""

import pickle

import pytest

from hackorda_ops import errors


def leaves(kind: type[errors.OpsError]) -> list[type[errors.OpsError]]:
    return [leaf for below in kind.__subclasses__() for leaf in ([below, *leaves(below)])]


@pytest.mark.parametrize("kind", leaves(errors.OpsError))
def test_every_error_is_drawn_in_the_modules_docstring_and_survives_pickling(
    kind: type[errors.OpsError],
) -> None:
    if kind.__module__ == errors.__name__:
        assert errors.__doc__ is not None
        assert f" {kind.__name__} " in errors.__doc__
    error = kind("what", meaning="meaning", next_step="next")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (kind, str(error))


def test_wrong_use_exits_with_2_and_everything_else_with_3() -> None:
    assert {kind.exit_code for kind in leaves(errors.WrongUse)} == {2}
    assert {kind.exit_code for kind in leaves(errors.PermanentError)} == {3}
    assert {kind.exit_code for kind in leaves(errors.RetryableError)} == {3}


def test_only_retryable_errors_are_retried() -> None:
    assert all(kind.retryable for kind in leaves(errors.RetryableError))
    assert not any(kind.retryable for kind in [*leaves(errors.PermanentError), *leaves(errors.WrongUse)])
