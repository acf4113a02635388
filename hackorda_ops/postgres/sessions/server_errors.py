"""What a server's refusal or error means for a backup, and what to do about it: pure decisions.

libpq gives no SQLSTATE for a failed login, so those are distinguished by their English text; in other
languages `failed_login` finds the SQLSTATE. Errors inside a session go by their SQLSTATE.
"""

import re
from typing import Final, NamedTuple

import psycopg

from hackorda_ops.errors import (
    ConnectionLost,
    DiskFull,
    LoginRefused,
    OpsError,
    PermanentError,
    RetryableError,
    RightsMissing,
    ServerUnreachable,
    SourceBusy,
    Stalled,
)
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, redact
from hackorda_ops.redaction.server_words import shown_error


class _Refusal(NamedTuple):
    pattern: str
    meaning: str
    next_step: str


# Refusals that time does not fix. Anything not among them (refused, timed out, starting up, too many
# connections, a proxy that can't reach a suspended compute) is worth another attempt.
_REFUSALS: Final = (
    _Refusal(
        r"password authentication failed|no password supplied|authentication failed for user"
        r"|empty password returned",
        "The server answered, but does not accept this password for this role.",
        "Check the password in the connection string; it may have been rotated. "
        "In a URL, special characters have to be percent-encoded.",
    ),
    _Refusal(
        r"role [\"'].*[\"'] does not exist|is not permitted to log in",
        "The server answered, but has no such role with the right to log in.",
        "Check the user in the connection string, or create the role.",
    ),
    _Refusal(
        r"database [\"'].*[\"'] does not exist|not currently accepting connections|invalid database"
        r"|permission denied for database",
        "The server answered, but has no such database for this role.",
        "Check the database's name letter by letter: names are case-sensitive (Shop is not shop).",
    ),
    _Refusal(
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "The server answered, but rejects this role from this address, or with this encryption.",
        "Allow this machine's address (pg_hba.conf, or the provider's list of trusted sources). "
        "If the message ends in 'no encryption', set DB_SSL_MODE to verify.",
    ),
    _Refusal(
        r"certificate|does not support SSL|sslmode|SSL connection is required|insecure connection"
        r"|tlsv1 alert|channel binding",
        "Client and server do not agree on encryption, or the server could not prove its identity.",
        "Give the provider's certificates in DB_CA_CERT, or set DB_SSL_MODE to what the server offers; "
        "the host must be the name in its certificate.",
    ),
    _Refusal(
        r"endpoint could not be found|Endpoint ID is not specified|exceeded the .*quota|endpoint is disabled",
        "Neon answered, but gives no access to this endpoint.",
        "Check the host's first label and the project's plan in Neon's console.",
    ),
    _Refusal(
        r"invalid connection option|invalid .*value|unrecognized configuration parameter|unsupported startup parameter",
        "The connection string says something that this server or this libpq does not know.",
        "Correct the connection string's parameters.",
    ),
)

# The same by SQLSTATE, or the beginning of one; the first that fits wins.
_BY_SQLSTATE: Final = {
    "28P01": _REFUSALS[0],
    "28": _Refusal(
        "",
        "The server answered, but rejects this role: it doesn't exist, it lacks the right to log in, or not from "
        "this address, or not with this encryption.",
        "Check the user in the connection string and the server's pg_hba.conf (or the provider's list of trusted "
        "sources); the server's log has the reason.",
    ),
    "3D": _REFUSALS[2],
    "55000": _REFUSALS[2],
    "42501": _REFUSALS[2],
    "22": _REFUSALS[-1],
    "42": _REFUSALS[-1],
}
_UNKNOWN_WORDS: Final = _Refusal(
    "",
    "The server answered several times with an unknown message, and accepted no login.",
    "Check password, user and database in the connection string, and whether the server is still starting up.",
)
# "FATAL:", in any language, before the server's own message.
_AN_ANSWER: Final = re.compile(r"[^\s:]+:  ")
# Temporary errors, in English: no need to find out more.
_PASSES: Final = re.compile(
    r"the database system is |too many |remaining connection slots|terminating connection|compute node"
)

_UNKNOWN_HOST: Final = re.compile(r"failed to resolve host|could not translate host name")

_CONNECTION_ENDED: Final = frozenset({"25P03", "25P04", "57P01", "57P02", "57P03", "57P05"})
_WAITED_TOO_LONG: Final[dict[str, type[Stalled]]] = {
    "55P03": SourceBusy,
    "40P01": SourceBusy,
    "57014": Stalled,
}
# Serialization failures (a standby's recovery conflicts too), resources and I/O of the server.
_PASSING_CLASSES: Final = ("40", "53", "58")


def is_unknown_host(error: psycopg.Error) -> bool:
    """Whether the host's name has no address; a failing resolver is a different case."""
    return bool(_UNKNOWN_HOST.search(str(error))) and "Temporary failure" not in str(error)


def is_unknown_answer(error: psycopg.Error) -> bool:
    """Whether a server answered with a message that doesn't show whether it's a refusal."""
    unnamed = _unnamed(error)
    return bool(_AN_ANSWER.search(str(error))) and not (_PASSES.search(unnamed) or _refusal(unnamed))


def connection_error(
    target: ConnectionTarget,
    error: psycopg.Error,
    *,
    sqlstate: str | None = None,
    waited: bool = False,
) -> PermanentError | ServerUnreachable:
    """The error for a session that could not be opened, without any secret.

    Args:
        target: where to.
        error: as psycopg raised it.
        sqlstate: of an answer that can't be understood (`is_unknown_answer`), if it was determined.
        waited: such an answer came repeatedly, and its SQLSTATE can't be determined.

    Returns:
        `LoginRefused` if the server answered and a retry can't help, a plain `PermanentError` if
        the host name is unknown, otherwise `ServerUnreachable`.
    """
    said = redact(_one_line(str(error)), target)
    refusal = _refusal(_unnamed(error), sqlstate)
    if refusal is None and waited:
        refusal = _UNKNOWN_WORDS
    if refusal is not None:
        return LoginRefused(
            f"{target.describe()} refused the connection: {said}"
            + (f" (SQLSTATE {sqlstate})" if sqlstate else ""),
            meaning=refusal.meaning,
            next_step=refusal.next_step,
        )
    what = f"{target.describe()} could not be reached: {said}"
    if is_unknown_host(error):
        return PermanentError(
            what,
            meaning="The host name is unknown, so nothing was read or written.",
            next_step="Check the host in the connection string, and this machine's name resolution.",
        )
    return ServerUnreachable(
        what,
        meaning="No session was opened, so nothing was read or written.",
        next_step="Check that the server is running, and that host and port can be reached from this machine.",
    )


def _refusal(unnamed: str, sqlstate: str | None = None) -> _Refusal | None:
    for refusal in _REFUSALS:
        if re.search(refusal.pattern, unnamed, re.IGNORECASE):
            return refusal
    for beginning, refusal in _BY_SQLSTATE.items():
        if sqlstate is not None and sqlstate.startswith(beginning):
            return refusal
    return None


def _unnamed(error: psycopg.Error) -> str:
    # Host, role and database names are quoted; they must not be mistaken for the message.
    return re.sub(r'"[^"]*"', '""', _one_line(str(error)))


def statement_error(target: ConnectionTarget, error: psycopg.Error, doing: str) -> OpsError:
    """What an error inside a session means, without any secret.

    Nothing of a row is repeated (`server_words`).

    Args:
        target: the database that was worked on.
        error: as psycopg raised it.
        doing: what was being done, as the start of a sentence ("Counting the rows").
    """
    state = error.sqlstate or ""
    said = redact(shown_error(error), target)
    what = f"{doing} failed on {target.describe()}: {said}" + (f" (SQLSTATE {state})" if state else "")
    if _connection_ended(error):
        return ConnectionLost(
            what,
            meaning="The connection broke, and everything that depended on it was aborted.",
            next_step="Try again; if it happens again, look for restarts and time limits in the server's log.",
        )
    if state == "42501":
        return RightsMissing(
            what,
            meaning=f"The role {target.user} lacks a right for this, so the result would be incomplete.",
            next_step=f"As the owner or an administrator, grant {target.user} the named right.",
        )
    if state == "53100":
        return DiskFull(
            what,
            meaning="The server has no room left, or the project's size limit is reached.",
            next_step="Free or add disk space at the server, or raise the limit.",
        )
    if state in _WAITED_TOO_LONG:
        return _WAITED_TOO_LONG[state](
            what,
            meaning="It was cancelled, or waited longer for a lock than allowed.",
            next_step="Try again when no schema change or long transaction is running.",
        )
    if state.startswith(_PASSING_CLASSES):
        return RetryableError(
            what,
            meaning="The server could not do it at the moment.",
            next_step="Try again; if it happens again, check the server's log.",
        )
    return PermanentError(
        what,
        meaning="The server refuses the statement; a retry won't help.",
        next_step="Look up the message in the server's log, which has its details.",
    )


def _connection_ended(error: psycopg.Error) -> bool:
    if error.sqlstate is None:
        # Raised by the client itself: the socket broke, or the connection is closed already.
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate in _CONNECTION_ENDED or error.sqlstate.startswith("08")


def _one_line(text: str) -> str:
    return " ".join(text.split())
