"""Whether artifacts can be encrypted, and whether what opens them is here, before anybody depends on it."""

from collections.abc import Iterator

from hackorda_ops.age.data_key import new_data_key, unwrapped
from hackorda_ops.age.recipients import read_recipients
from hackorda_ops.age.streams import NotOpened
from hackorda_ops.concerns import Concern, Looked, looked
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.sealing.identity import identity_of
from hackorda_ops.words import counted


def look_at_encryption(protected: Protected) -> Iterator[Looked]:
    """Checks the recipients, and whether the identity that is named here opens what is encrypted to them.

    Args:
        protected: the database.
    """
    policy = protected.policy
    if not policy.encrypt_to:
        return
    yield looked("encryption", "stops the night", lambda: _look_at_recipients(protected))
    if policy.identity is not None:
        yield looked("identity", "stops the drill", lambda: _look_at_identity(protected))


def _look_at_recipients(protected: Protected) -> str:
    recipients = read_recipients(protected.policy.encrypt_to)
    new_data_key().wrapped(recipients)
    return f"to {counted(len(recipients), 'recipient')}: {', '.join(each[:20] + '…' for each in recipients)}"


def _look_at_identity(protected: Protected) -> Looked:
    identities = identity_of(protected)
    try:
        recipients = read_recipients(protected.policy.encrypt_to)
    except ConfigError:
        return Looked("", "not tried: the recipients can't be read")
    try:
        unwrapped(new_data_key().wrapped(recipients), identities)
    except NotOpened:
        concern = Concern(
            "stops the drill",
            f"{identities.origin} opens nothing that is encrypted to the recipients of encrypt_to.",
            "A restore with it would fail: it is the identity of somebody else, or the recipients are.",
            "Name the identity of one of the recipients, or its recipient in encrypt_to (`age-keygen -y FILE`).",
        )
        return Looked("", "", (concern,))
    return Looked(
        "", f"{identities.origin} opens what is encrypted tonight", tuple(_on_this_machine(protected))
    )


def _on_this_machine(protected: Protected) -> Iterator[Concern]:
    if protected.has("source"):
        yield Concern(
            "worth knowing",
            "The identity and the source's credentials are on one machine.",
            "Whoever takes this machine over can read every artifact, also of the past: the encryption keeps nothing "
            "from them.",
            "Take the nights on a machine without `identity`, and drill and restore on another; or keep the identity "
            "in a password manager that asks (identity.command).",
        )
