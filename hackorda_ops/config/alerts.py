"""Where alarms go, as databases.yaml says it."""

from typing import Annotated

from pydantic import Field

from hackorda_ops.config.values import Section, VariableName


class Alerts(Section):
    """Where alarms go, in addition to Dagster's own log.

    Attributes:
        webhook_url_env: variable with a webhook's URL, posted to in the format of Slack and Mattermost.
        channels_env: variables with apprise URLs (slack://, mailto://, tgram://, pagerduty://, json:// and so on),
            one or more in each, separated by whitespace or commas. A channel is identified by its variable and its
            position in it.
        ui_url: of Dagster's web server, for links to runs. Without it, a message has the run's id.
        ui_url_env: variable with the web server's URL, read where `ui_url` is not given.
    """

    webhook_url_env: VariableName = "ALERT_WEBHOOK_URL"
    channels_env: tuple[VariableName, ...] = ("ALERT_URLS",)
    ui_url: Annotated[str | None, Field(examples=["https://dagster.example.org"])] = None
    ui_url_env: VariableName = "DAGSTER_UI_URL"
