"""The commands about alarms: alerts test."""

import os
import socket
from datetime import UTC, datetime

import typer

from hackorda_ops.alerts import channels, message
from hackorda_ops.alerts.channel import Channel
from hackorda_ops.alerts.message import Message
from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath
from hackorda_ops.cli.printing import print_json
from hackorda_ops.config import file as config_file
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.errors import ConfigError, OpsError

app = typer.Typer(help="The channels that alarms go to.", no_args_is_help=True)


# With a callback the one command keeps its name.
@app.callback()
def _alerts() -> None: ...


@app.command()
def test(config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Send a test message to every channel, and show which of them accepted it.

    The channels are the webhook of ALERT_WEBHOOK_URL, and every apprise URL in ALERT_URLS (or in the variables that
    alerts.webhook_url_env and alerts.channels_env name), separated by white space: slack://…, mailto://…, tgram://…,
    pagerduty://…, json://… and so on, see https://github.com/caronc/apprise/wiki. Exit code 1: a channel did not
    accept it. 2: no channel is configured. Only a person can confirm that the message arrived.
    """
    configured = config_file.load(config_file.locate(config, os.environ)).alerts
    opened = channels.configured(configured, os.environ)
    if not opened:
        raise _no_channel(configured)
    told = message.trial(datetime.now(UTC), socket.gethostname())
    problems = {channel.name: _problem(channel, told) for channel in opened}
    if as_json:
        print_json(
            [{"channel": name, "delivered": not why, "problem": why} for name, why in problems.items()]
        )
    else:
        terminal.table(
            "A test message",
            ("channel", "outcome", "why"),
            [(name, "not delivered" if why else "delivered", why or "") for name, why in problems.items()],
        )
    raise typer.Exit(1 if any(problems.values()) else 0)


def _problem(channel: Channel, told: Message) -> str | None:
    try:
        channel.deliver(told)
    except OpsError as error:
        return f"{error.what} {error.next_step}"
    return None


def _no_channel(configured: Alerts) -> ConfigError:
    variables = ", ".join(channels.variables(configured))
    return ConfigError(
        f"None of the variables named under alerts is set: {variables}.",
        meaning="Nobody is alerted when a night fails. Only Dagster's own log has it.",
        next_step="Set one of them to a URL, both here and where Dagster's code location runs.",
    )
