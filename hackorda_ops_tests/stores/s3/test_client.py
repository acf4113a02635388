"""What the client makes of the moments in an answer."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.utils import parse_timestamp

from hackorda_ops.stores.s3.client import moment


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-28T01:33:21.000Z",
        "2026-11-28T01:33:21Z",
        "2026-11-28T01:33:21.123456+02:00",
        "2026-11-28T01:33:21",
        "20261128T013321Z",
        "Sat, 28 Nov 2026 01:33:21 GMT",
        "1795829601",
        1795829601,
        1795829601.5,
    ],
)
def test_a_moment_is_the_one_that_botocore_makes_of_it(said: Any) -> None:
    assert moment(said) == parse_timestamp(said)
    assert (moment(said).tzinfo is None) == (parse_timestamp(said).tzinfo is None)


def test_the_form_that_s3_documents_is_in_utc() -> None:
    assert moment("2026-11-28T01:33:21.000Z") == datetime(2026, 11, 28, 1, 33, 21, tzinfo=UTC)


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        moment("yesterday")
