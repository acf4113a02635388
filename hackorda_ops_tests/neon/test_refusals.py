"""Neon's refusals, each read once for what it is about."""

import ast
import pickle
from pathlib import Path

import pytest

import hackorda_ops
from hackorda_ops.neon import refusals
from hackorda_ops.neon.models import ErrorAnswer
from hackorda_ops.neon.refusals import RefusalCode, code_of, refused


@pytest.mark.parametrize(
    ("status", "neons_code", "message", "code"),
    [
        (400, "", "requested history retention seconds exceeds allowed maximum", RefusalCode.BAD_PARAMETER),
        (401, "", "authentication credentials are not valid", RefusalCode.KEY_UNKNOWN),
        (403, "", "", RefusalCode.KEY_LACKS_RIGHTS),
        (404, "", "project not found", RefusalCode.NOT_FOUND),
        (409, "BRANCH_ALREADY_EXISTS", "branch x already exists", RefusalCode.NAME_TAKEN),
        (409, "", "branch hackorda-ops-lsn-history already exists", RefusalCode.NAME_TAKEN),
        (412, "", "suspend interval is too short for your plan", RefusalCode.SETTING_NOT_IN_PLAN),
        (422, "BRANCHES_LIMIT_EXCEEDED", "", RefusalCode.LIMIT_REACHED),
        (422, "ROOT_BRANCHES_LIMIT_EXCEEDED", "", RefusalCode.LIMIT_REACHED),
        (409, "BRANCHES_LIMIT_EXCEEDED", "too many branches", RefusalCode.LIMIT_REACHED),
        (422, "", "branches limit exceeded, limit: 10", RefusalCode.LIMIT_REACHED),
        (422, "", "cannot delete branch that has children", RefusalCode.HAS_CHILDREN),
        (422, "", "cannot delete protected branch", RefusalCode.PROTECTED),
        (422, "", "branch not ready yet", RefusalCode.NOT_READY),
        (422, "", "", RefusalCode.PRESENT_STATE),
        (400, "", "invalid branch start lsn: less than latest GC cutoff 0/1", RefusalCode.POSITION_GONE),
        (406, "", "invalid branch start lsn: less than planned GC cutoff 0/1", RefusalCode.POSITION_GONE),
        (400, "", "parent_timestamp is before the beginning of the history", RefusalCode.POSITION_GONE),
        (400, "", "parent_lsn FF/0 has not been reached yet", RefusalCode.POSITION_NOT_REACHED),
        (400, "", "parent_timestamp is in the future", RefusalCode.BAD_PARAMETER),
        (400, "", "the database pulsnow is unknown", RefusalCode.BAD_PARAMETER),
        (418, "", "", RefusalCode.OTHER),
    ],
)
def test_each_refusal_is_read_for_what_it_is_about(
    status: int, neons_code: str, message: str, code: RefusalCode
) -> None:
    answer = ErrorAnswer(code=neons_code, message=message)

    error = refused("create the branch x", status, answer)

    assert code_of(status, answer) is code
    assert error.code == code
    assert error.meaning
    assert error.next_step


def test_what_a_refusal_is_about_survives_pickling_as_dagster_does_it() -> None:
    error = refused("create the branch x", 422, ErrorAnswer(code="BRANCHES_LIMIT_EXCEEDED"))

    again = pickle.loads(pickle.dumps(error))

    assert (str(again), again.code) == (str(error), RefusalCode.LIMIT_REACHED)


def test_nobody_else_searches_neons_english() -> None:
    package = Path(hackorda_ops.__file__).parent
    words = {"cutoff", "retention", "history", "less than", "not ready", "children", "protected branch"}
    # "history" and "retention" are names of rooms and columns as well; in a comparison they are Neon's.
    searching = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.In) for operator in node.ops)
        and isinstance(node.left, ast.Constant)
        and node.left.value in words
    ]

    assert set(searching) <= {Path(refusals.__file__).relative_to(package).as_posix()}
