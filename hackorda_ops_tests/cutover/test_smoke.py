"""An application that keeps a connection open and doesn't answer: the smoke test ends."""

import pytest

from hackorda_ops.config.cutover import SmokeCheck
from hackorda_ops.cutover import smoke
from hackorda_ops.errors import PermanentError
from hackorda_ops_tests.unanswering import HTTP, ends, unanswering


@pytest.mark.parametrize("how", ["never answers", "begins its headers", "trickles its headers"])
def test_a_url_that_is_not_answered_ends(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "ATTEMPT_SECONDS", 0.5)
    with unanswering(HTTP[how]) as server, ends(), pytest.raises(PermanentError, match="did not answer"):
        smoke.require_answers([SmokeCheck(url=f"http://127.0.0.1:{server.port}/")], within_seconds=1)
