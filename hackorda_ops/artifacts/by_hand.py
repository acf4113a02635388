"""How an artifact is reached by hand: the bucket's address and variables, as every printed command has them. Pure."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from hackorda_ops.config.places import S3
from hackorda_ops.given import given
from hackorda_ops.stores.store import folder_prefix

_KEYS: Final = "export OFFSITE_ACCESS_KEY_ID=… OFFSITE_SECRET_ACCESS_KEY=…"
_ELSEWHERE: Final = (
    "export OFFSITE_ENDPOINT_URL=… OFFSITE_REGION=…  # for everything but AWS; on AWS the region alone"
)
# The section's keys that name variables, in the order in which they are printed.
_NAMING: Final = ("access_key_id_env", "secret_access_key_env", "endpoint_url_env", "region_env")


@dataclass(frozen=True)
class Offsite:
    """An off-site bucket, as somebody reaches it who has nothing but its keys. It holds no secret.

    Attributes:
        url: "s3://bucket/prefix"; with words in their place where they aren't known.
        endpoint_url: without credentials; None on AWS.
        region: None where nothing says so.
        known: whether the bucket is known at all.
        other_names: the variables that databases.yaml names instead of the usual ones.
        other_copies: the other buckets that have the same, each as "s3://bucket/prefix at ENDPOINT".
    """

    url: str
    endpoint_url: str | None
    region: str | None
    known: bool
    other_names: tuple[str, ...] = ()
    other_copies: tuple[str, ...] = ()

    @property
    def exports(self) -> str:
        """The variables of `hackorda-ops restore --offsite PLACE`, as a shell sets them."""
        lines = [_KEYS]
        values = {"OFFSITE_ENDPOINT_URL": self.endpoint_url, "OFFSITE_REGION": self.region}
        if named := " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items() if value):
            lines.append(f"export {named}")
        elif not self.known:
            lines.append(_ELSEWHERE)
        if self.other_names:
            lines.append(f"# Where databases.yaml is at hand, it names these: {' '.join(self.other_names)}")
        if self.other_copies:
            lines.append(f"# If that bucket is gone, these have the same: {'; '.join(self.other_copies)}")
        return "\n".join(lines)

    def restore(self, database: str, artifact_id: str) -> str:
        """The command that restores an artifact from here, without databases.yaml."""
        return (
            f"hackorda-ops restore {shlex.quote(database)} --artifact {artifact_id} "
            f"--offsite {shlex.quote(self.url)} --to-env RESTORE_URL"
        )

    def fetch(self, prefix: str) -> str:
        """What downloads an artifact into a folder of its name with the AWS CLI, goes there, and checks every file.

        Args:
            prefix: the artifact's place below the bucket's prefix.
        """
        folder = shlex.quote(prefix.rpartition("/")[2])
        endpoint = f" --endpoint-url {shlex.quote(self.endpoint_url)}" if self.endpoint_url else ""
        source = shlex.quote(f"{self.url.rstrip('/')}/{prefix}/")
        return (
            f"export AWS_DEFAULT_REGION={shlex.quote(self.region or 'us-east-1')}\n"
            f"aws s3 cp --recursive --only-show-errors{endpoint} \\\n  {source} {folder}\n"
            f"cd {folder}\n"
            "sha256sum --check --quiet SHA256SUMS"
        )


def offsite_of(section: S3, environ: Mapping[str, str]) -> Offsite:
    """The bucket that a section of databases.yaml names.

    Args:
        section: the section.
        environ: the environment.
    """
    bucket = section.bucket or given(environ, section.bucket_env)
    usual = S3.model_fields
    names = tuple(getattr(section, each) for each in _NAMING)
    return Offsite(
        url=f"s3://{bucket}/{folder_prefix(section.prefix)}".rstrip("/") if bucket else "s3://BUCKET/PREFIX",
        endpoint_url=_without_credentials(
            section.endpoint_url or given(environ, section.endpoint_url_env) or None
        ),
        region=section.region or given(environ, section.region_env) or None,
        known=bool(bucket),
        other_names=() if names == tuple(usual[each].default for each in _NAMING) else names,
    )


def copies_of(buckets: Mapping[str, S3], environ: Mapping[str, str], *, first: str | None = None) -> Offsite:
    """One of a database's buckets off-site, which also names the others.

    Args:
        buckets: by their names, in the order of databases.yaml.
        environ: the environment.
        first: the one that is meant; None for the first.
    """
    first = next(iter(buckets)) if first is None else first
    others = [offsite_of(section, environ) for name, section in buckets.items() if name != first]
    return replace(
        offsite_of(buckets[first], environ),
        other_copies=tuple(
            each.url + (f" at {each.endpoint_url}" if each.endpoint_url else "")
            for each in others
            if each.known
        ),
    )


def _without_credentials(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}{parts.path}" if parts.scheme and host else None


def fetching(offsite: Offsite, prefix: str) -> str:
    """How a recovery sheet says to fetch its artifact, in Markdown.

    Args:
        offsite: where the copy is to be found.
        prefix: the artifact's place in any store.
    """
    name = prefix.rpartition("/")[2]
    endpoint = f",endpoint='{offsite.endpoint_url}'" if offsite.endpoint_url else ""
    provider = "Other" if offsite.endpoint_url else "AWS"
    rclone_from = f"{offsite.url.removeprefix('s3://').rstrip('/')}/{prefix}"
    return f"""\
Fetch the artifact, unless this file lies in a folder with all of it. From the bucket, with AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY set to keys that may read it:

```sh
{offsite.fetch(prefix)}
```

With rclone instead of the AWS CLI:
`rclone copy ":s3,provider={provider},env_auth=true{endpoint}:{rclone_from}" {name}`.
From a nightly store that is a folder, copy the folder `{prefix}` in it: `cp -R`. On a Mac,
`shasum -a 256 --check` stands for `sha256sum --check`. Without a line of output, every file is as it was written; any
line names a damaged or missing one."""
