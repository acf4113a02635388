"""The identity that opens encrypted artifacts, from where databases.yaml says it is. Never kept."""

from pathlib import Path

from hackorda_ops.age.identities import Identities, parse_identities
from hackorda_ops.config.encryption import IdentitySection
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError, Stalled
from hackorda_ops.given import given
from hackorda_ops.processes import child

_LIMIT_BYTES = 256 * 1024
_MEANING = "Nothing encrypted can be opened, so nothing was restored or checked beyond its bytes."


def identity_of(protected: Protected) -> Identities:
    """The identity of a database.

    Args:
        protected: the database.

    Raises:
        ConfigError: none is configured, its variable isn't set, or what is there is no identity. What was read is
            never repeated.
    """
    section: IdentitySection | None = protected.policy.identity
    key = f"databases.{protected.name}.identity"
    if section is None:
        raise ConfigError(
            f"{protected.name} is encrypted, and no identity is named here that opens it.",
            meaning=_MEANING,
            next_step=f"Name one with {key} (env, file or command) in databases.yaml, or with --identity FILE.",
        )
    if section.env is not None:
        value = given(protected.environ, section.env)
        if not value:
            raise ConfigError(
                f"{key}.env names {section.env}, which is not set.",
                meaning=_MEANING,
                next_step=f"Set {section.env} to the identity where this runs.",
            )
        # A multi-line value may have lost its line ends in a secret's manager.
        return parse_identities(value.replace("\\n", "\n"), origin=f"${section.env}")
    if section.file is not None:
        return parse_identities(_read(section.file, key), origin=str(section.file))
    return parse_identities(_printed(protected, section, key), origin=f"What {key}.command prints")


def _read(path: Path, key: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigError(
            f"{key}.file names {path}, which can't be read: {error.strerror}.",
            meaning=_MEANING,
            next_step="Correct the path, or the file's permissions.",
        ) from None


def _printed(protected: Protected, section: IdentitySection, key: str) -> str:
    def nothing(_: str) -> str:
        return "(not shown)"

    try:
        finished = child.run(
            list(section.command),
            environment=protected.environ,
            capture_stdout=True,
            redact=nothing,
            deadline_seconds=section.timeout_seconds,
        )
    except Stalled:
        raise _command_failed(key, f"had not ended after {section.timeout_seconds:g} seconds") from None
    except OpsError:
        raise _command_failed(key, "could not be run") from None
    if finished.returncode != 0:
        # What it printed may be the secret, or how to get it.
        raise _command_failed(key, f"ended with exit code {finished.returncode}")
    return finished.stdout[:_LIMIT_BYTES].decode("utf-8", "replace")


def _command_failed(key: str, how: str) -> ConfigError:
    return ConfigError(
        f"{key}.command {how}; what it printed is not shown.",
        meaning=_MEANING,
        next_step="Run it by hand as the user that runs this: it may have to be logged in first.",
    )
