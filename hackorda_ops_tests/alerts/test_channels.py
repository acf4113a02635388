"""Delivering a message on real channels, by real apprise URLs: to an HTTP server and to a mail server."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from pydantic import ValidationError

from hackorda_ops.alerts import apprise_channel, channels
from hackorda_ops.alerts.message import Message
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.errors import OpsError, PermanentError, RetryableError
from hackorda_ops_tests.alerts.sink import free_port, running_mail_sink, running_sink

AT = datetime(2026, 11, 8, 2, 3, tzinfo=UTC)
MESSAGE = Message(
    "FAILED: shop, night of 2026-11-08", "The Ärmel <b>burnt</b> & fell 🔥\nNext step: none.", "failure", AT
)


def _deliver_to_all(**environ: str) -> dict[str, str]:
    """Delivers the message on every channel; what went wrong, by channel."""
    problems = {}
    for channel in channels.configured(Alerts(), environ):
        try:
            channel.deliver(MESSAGE)
        except OpsError as error:
            problems[channel.name] = str(error)
    return problems


def test_a_message_arrives_once_on_a_webhook_an_http_service_and_by_mail() -> None:
    with running_sink() as webhook, running_sink() as service, running_mail_sink() as mail:
        problems = _deliver_to_all(
            ALERT_WEBHOOK_URL=webhook.url, ALERT_URLS=f"{service.apprise_url}\n  {mail.url} "
        )

    assert problems == {}
    assert webhook.texts == [MESSAGE.text]
    [call] = service.calls
    posted = json.loads(call.body)
    assert (posted["title"], posted["message"], posted["type"]) == (MESSAGE.title, MESSAGE.body, "failure")
    [arrived] = mail.mails
    assert arrived["Subject"] == MESSAGE.title
    assert _text(arrived).splitlines() == MESSAGE.body.splitlines()


def _text(mail: EmailMessage) -> str:
    body = mail.get_body()
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        ("", []),
        (" json://a ", ["json://a"]),
        ("json://a json://b\n\tslack://c", ["json://a", "json://b", "slack://c"]),
        ("json://a,json://b, mailto://c", ["json://a", "json://b", "mailto://c"]),
        (
            "mailto://h?to=a@b.example,c@d.example,json://x",
            ["mailto://h?to=a@b.example,c@d.example", "json://x"],
        ),
        ("json://a,", ["json://a"]),
    ],
)
def test_a_variable_holds_one_url_or_several(value: str, urls: list[str]) -> None:
    assert apprise_channel.split_urls(value) == urls


def test_each_channel_is_known_by_its_variable_and_its_place() -> None:
    named = channels.configured(
        Alerts(channels_env=("ON_CALL", "TEAM", "UNSET")),
        {"ON_CALL": "json://a", "TEAM": "json://b json://c", "ALERT_WEBHOOK_URL": "http://d"},
    )

    assert [channel.name for channel in named] == ["ALERT_WEBHOOK_URL", "ON_CALL 1", "TEAM 1", "TEAM 2"]


def test_a_url_in_place_of_a_variables_name_is_refused_without_being_shown() -> None:
    with pytest.raises(ValidationError, match="NAME of an environment variable") as caught:
        Alerts.model_validate({"channels_env": ["slack://hunter2"]})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, PermanentError),
        (400, PermanentError),
        (404, PermanentError),
        (429, RetryableError),
        (500, RetryableError),
        (503, RetryableError),
    ],
)
def test_a_service_that_says_no_is_an_error_with_its_status_and_without_its_url(
    status: int, kind: type[OpsError]
) -> None:
    with running_sink() as sink:
        sink.status = status
        with pytest.raises(kind, match=str(status)) as caught:
            apprise_channel.send(sink.apprise_url, MESSAGE)

    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "url", ["json://127.0.0.1:{}/hunter2", "mailto://127.0.0.1:{}?from=a@b.example&to=hunter2@b.example"]
)
def test_nobody_listening_is_an_error_without_the_url(url: str) -> None:
    with pytest.raises(RetryableError, match="could not be reached") as caught:
        apprise_channel.send(url.format(free_port()), MESSAGE)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["hunter2", "hunter2://x", "slack://hunter2", "json://", "http://[hunter2]/", "mailto://hunter2"]
)
def test_what_apprise_does_not_understand_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(PermanentError, match="does not understand") as caught:
        apprise_channel.send(url, MESSAGE)

    assert "hunter2" not in str(caught.value)


def test_a_url_of_several_targets_one_of_them_bad_is_no_service_that_is_down() -> None:
    with running_mail_sink() as mail, pytest.raises(PermanentError, match="1 of them accepted it") as caught:
        apprise_channel.send(mail.url.replace("to=", "to=nobody@example.com,"), MESSAGE)

    assert [each["To"] for each in mail.mails] == ["on-call@example.com"]
    assert "example.com" not in str(caught.value)


def test_a_mailbox_that_is_refused_is_no_server_that_is_down() -> None:
    with running_mail_sink() as mail, pytest.raises(PermanentError, match="did not accept it"):
        apprise_channel.send(mail.url.replace("to=on-call", "to=nobody"), MESSAGE)


def test_a_service_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise_channel, "TIMEOUT_SECONDS", 0.2)
    with running_sink() as sink:
        sink.silent.set()
        with pytest.raises(RetryableError, match="could not be reached, or closed the connection"):
            apprise_channel.send(sink.apprise_url, MESSAGE)


def test_a_delivery_that_goes_on_and_on_is_given_up_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_LONGEST_DELIVERY_SECONDS", 0.2)
    with running_sink() as sink:
        sink.silent.set()
        problems = _deliver_to_all(ALERT_URLS=sink.apprise_url)

    assert "took longer than 0.2 seconds" in problems["ALERT_URLS 1"]
    assert "hunter2" not in problems["ALERT_URLS 1"]


_EVERYTHING_LOGGED = """
import logging, sys
logging.basicConfig(level=1, stream=sys.stderr)
from datetime import UTC, datetime
from hackorda_ops.alerts import channels
from hackorda_ops.alerts.message import Message
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.errors import OpsError
for channel in channels.configured(Alerts(), {"ALERT_WEBHOOK_URL": sys.argv[1], "ALERT_URLS": " ".join(sys.argv[2:])}):
    try:
        channel.deliver(Message("a", "b", "failure", datetime.now(UTC)))
        print(channel.name, "delivered")
    except OpsError as error:
        print(error)
"""


@pytest.mark.parametrize("status", [200, 500])
def test_whatever_is_logged_no_log_has_a_url(status: int) -> None:
    with running_sink() as sink, running_mail_sink() as mail:
        sink.status = status
        said = subprocess.run(
            [
                sys.executable,
                "-c",
                _EVERYTHING_LOGGED,
                sink.url,
                sink.apprise_url,
                mail.url,
                "slack://hunter2",
                f"json://user:hunter2@127.0.0.1:{free_port()}/x",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    assert len(sink.calls) == 2
    assert len(mail.mails) == 1
    assert "ALERT_URLS 2 delivered" in said.stdout
    assert "hunter2" not in said.stdout + said.stderr
