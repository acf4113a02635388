"""A database as the variables that a team's own command reads, one for each part of the connection."""

from hackorda_ops.config.source import ConnectionVariables
from hackorda_ops.postgres.sessions.connection import ConnectionTarget


def parts_of(
    variables: ConnectionVariables | None, target: ConnectionTarget, *, encrypted: bool
) -> dict[str, str]:
    """What each variable of the command's has to hold, password included.

    Args:
        variables: their names; None for none.
        target: the database.
        encrypted: whether a session on it is: not every driver knows libpq's "prefer", which stands for either.
    """
    if variables is None:
        return {}
    sslmode = target.parameters.get("sslmode")
    if sslmode in (None, "allow", "prefer"):
        sslmode = "require" if encrypted else "disable"
    return {
        variables.host: target.host,
        variables.port: str(target.port),
        variables.user: target.user,
        variables.database: target.database,
        variables.sslmode: sslmode,
    } | ({} if target.password is None else {variables.password: target.password})
