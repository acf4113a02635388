"""What a channel is, whichever kind it's of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hackorda_ops.alerts.message import Message
from hackorda_ops.config.alerts import Alerts


@dataclass(frozen=True)
class Channel:
    """Somewhere that messages go.

    Attributes:
        name: its variable, and its place in one that may hold several ("ALERT_URLS 2"). It stays when the URL is
            corrected, so that what waits goes to the new one.
        deliver: delivers a message within half a minute; raises an OpsError without a secret where it could not: a
            RetryableError where nobody answered or the answer was "not now", otherwise a PermanentError.
    """

    name: str
    deliver: Callable[[Message], None]


@dataclass(frozen=True)
class ChannelKind:
    """A kind of channel, as its file declares it for the registry.

    Attributes:
        variables: the variables that may hold such channels, by the configuration.
        channels: the channels that the value of a variable stands for, given the variable's name and the value.
            Nothing is asked of them, and no URL is judged yet.
    """

    variables: Callable[[Alerts], tuple[str, ...]]
    channels: Callable[[str, str], Iterable[Channel]]
