"""RESTORE.md of an encrypted artifact: how to decrypt it. What to do then is in the sheet that is encrypted with it."""

from collections.abc import Sequence

from hackorda_ops.artifacts.by_hand import Offsite, fetching
from hackorda_ops.artifacts.checksums import CHECKSUMS_NAME
from hackorda_ops.artifacts.manifest import RECOVERY_SHEET_NAME, Manifest

DECRYPTED_FOLDER = "decrypted"


def recovery_sheet(manifest: Manifest, *, recipients: Sequence[str], offsite: Offsite) -> str:
    """The sheet's text, in Markdown. It names nothing of what the database holds, and no secret. Pure.

    Args:
        manifest: the engine's own, which is sealed.
        recipients: whom the artifact's key is wrapped for.
        offsite: where its copy off-site is to be found.
    """
    named = "\n".join(f"- `{each}`" for each in recipients)
    return f"""# Restore {manifest.database} as of {manifest.captured_at:%Y-%m-%d %H:%M:%S} UTC

Artifact `{manifest.artifact_id}`, from {manifest.engine} {manifest.server_version}. It is encrypted with age
(<https://age-encryption.org>). `{CHECKSUMS_NAME}` has the hashes of the files as they are here, for `sha256sum`.

## What you need

The identity (private key) of one of these recipients, in a file. Later ones may have been added, or may have replaced
them (`hackorda-ops rewrap`):

{named}

## With hackorda_ops

It fetches the artifact, decrypts it, checks it, restores it and compares it with its manifest:

```sh
export RESTORE_URL='…'                       # the new, empty database
export IDENTITY=…                            # the identity's file
{offsite.exports}
{offsite.restore(manifest.database, manifest.artifact_id)} --identity "$IDENTITY"
```

## Without it

{fetching(offsite, manifest.prefix)}

Then, in that folder, with `age` and IDENTITY set to the identity's file. The first command opens the artifact's own
key, which opens everything else; the last one is silent where every file is the one that was encrypted.

```sh
umask 077
age --decrypt --identity "$IDENTITY" --output data.key "$(ls key-*.age | sort -V | tail -n 1)"
find . -name '*.age' ! -name 'key-*.age' | while read -r file; do
  mkdir -p "{DECRYPTED_FOLDER}/$(dirname "$file")"
  age --decrypt --identity data.key --output "{DECRYPTED_FOLDER}/${{file%.age}}" "$file"
done
rm data.key
(cd {DECRYPTED_FOLDER} && sha256sum --check --quiet {CHECKSUMS_NAME})
```

Go on in the folder `{DECRYPTED_FOLDER}`, as the `{RECOVERY_SHEET_NAME}` in it says, from the place where its files are
fetched. Its `sealed` is the manifest of what is decrypted. Delete the folder when the database is back: it holds
everything in the clear.
"""
