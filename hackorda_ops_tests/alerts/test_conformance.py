"""What every kind of channel holds to, on a real server: those of the registry, and one that is added from outside."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from unittest.mock import patch

import pytest

from hackorda_ops.alerts import channels
from hackorda_ops.alerts.channel import Channel
from hackorda_ops.alerts.message import Message
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.errors import OpsError, PermanentError, RetryableError, Stalled
from hackorda_ops_tests.alerts import pager
from hackorda_ops_tests.alerts.sink import free_port, running_sink

MESSAGE = Message(
    "FAILED: shop, night of 2026-11-08",
    "The Ärmel <b>burnt</b> & fell 🔥\nNext step: none.",
    "failure",
    datetime(2026, 11, 8, 2, 3, tzinfo=UTC),
)


@dataclass(frozen=True)
class Example:
    """A kind of channel, and how a variable names one that posts to an HTTP server.

    Attributes:
        kind: its name in the registry.
        variable: that may hold it.
        scheme: of its URLs, in place of "http".
    """

    kind: str
    variable: str
    scheme: str = "http"

    def opened(self, url: str) -> Channel:
        """The one channel that posts to this URL."""
        [channel] = channels.configured(
            Alerts(), {self.variable: url.replace("http://", f"{self.scheme}://")}
        )
        return channel


EXAMPLES = (
    Example("webhook", "ALERT_WEBHOOK_URL"),
    Example("apprise", "ALERT_URLS", "json"),
    Example("pager", pager.VARIABLE),
)


@pytest.fixture(params=EXAMPLES, ids=lambda each: each.kind)
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    with patch.dict(channels.KINDS, {"pager": pager.KIND}):
        yield request.param


def refusal(channel: Channel) -> OpsError:
    """What delivering the message ends with; it has no secret in it."""
    with pytest.raises(OpsError) as caught:
        channel.deliver(MESSAGE)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def test_every_kind_of_the_registry_is_tried_here() -> None:
    assert {example.kind for example in EXAMPLES} == {*channels.KINDS, "pager"}


def test_a_message_arrives_whole_and_once(example: Example) -> None:
    with running_sink() as sink:
        example.opened(sink.url).deliver(MESSAGE)

    assert sink.texts == [MESSAGE.text]
    assert len(sink.taken) == 1


def test_it_is_there_when_its_variable_is_set_and_keeps_its_name_when_the_url_is_corrected(
    example: Example,
) -> None:
    assert example.variable in channels.variables(Alerts())
    assert channels.configured(Alerts(), {}) == ()
    for nothing in ("", " ", '""'):
        assert channels.configured(Alerts(), {example.variable: nothing}) == ()
    one, other = example.opened("http://one.example/hunter2"), example.opened("http://two.example/")
    assert one.name == other.name
    assert one.name.startswith(example.variable)


def test_all_kinds_are_configured_side_by_side_under_names_of_their_own(example: Example) -> None:
    everything = {each.variable: f"{each.scheme}://host.example/hunter2" for each in EXAMPLES}
    named = [channel.name for channel in channels.configured(Alerts(), everything)]
    assert len(set(named)) == len(named) == len(EXAMPLES)
    assert example.opened("http://host.example/hunter2").name in named


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, PermanentError),
        (404, PermanentError),
        (429, RetryableError),
        (500, RetryableError),
        (503, RetryableError),
    ],
)
def test_a_service_that_says_no_is_an_error_with_its_status_and_without_its_url(
    example: Example, status: int, kind: type[OpsError]
) -> None:
    with running_sink() as sink:
        sink.status = status
        error = refusal(example.opened(sink.url))

    assert isinstance(error, kind)
    assert str(status) in error.what


def test_nobody_listening_is_an_error_that_passes(example: Example) -> None:
    assert isinstance(refusal(example.opened(f"http://127.0.0.1:{free_port()}/hunter2")), RetryableError)


def test_what_is_no_url_is_refused_when_it_is_used_and_not_before(example: Example) -> None:
    assert isinstance(refusal(example.opened("hunter2")), PermanentError)


def test_one_that_never_answers_is_left_at_that(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_LONGEST_DELIVERY_SECONDS", 0.3)
    with running_sink() as sink:
        sink.silent.set()
        error = refusal(example.opened(sink.url))

    assert isinstance(error, Stalled)
    assert "took longer than 0.3 seconds" in error.what


def test_no_log_has_its_url(example: Example, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), running_sink() as sink:
        example.opened(sink.url).deliver(MESSAGE)
        sink.status = 500
        refusal(example.opened(sink.url))

    assert len(sink.calls) == 2
    assert "hunter2" not in caplog.text
