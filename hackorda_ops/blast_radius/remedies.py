"""What makes the radius smaller: a policy of the bucket, a role of the source. Pure."""

import json
from typing import Final

from hackorda_ops.engines.rights import RoleRights

BUCKET: Final = (
    "Lock what is written there: make the bucket with object lock, and set lock (mode: compliance) in databases.yaml.",
    "Take the right to delete from this machine's key: `hackorda-ops blast-radius --policy` prints a policy to paste. "
    "Let a key that isn't on this machine, or a rule of the bucket's life cycle, delete what retention doesn't keep.",
)
FOLDER: Final = (
    "A folder on this machine goes with it: rely on a bucket elsewhere for this, or let another user "
    "own the folder than the one that runs this.",
)

# What a night, a week, a drill and the extension of locks need, and nothing that destroys.
_OF_OBJECTS: Final = (
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectVersion",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
)
_OF_THE_BUCKET: Final = (
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketVersioning",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
)
_NEVER: Final = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
)


def bucket_policy(bucket: str, folder: str) -> str:
    """The policy of the daemon's own user, as JSON: put, get and list below a folder, and nothing that destroys.

    Args:
        bucket: the bucket's name.
        folder: the store's folder in it, as S3 has it: "a/b/", or "" for all.
    """
    whole = f"arn:aws:s3:::{bucket}"
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Keep",
                    "Effect": "Allow",
                    "Action": list(_OF_OBJECTS),
                    "Resource": f"{whole}/{folder}*",
                },
                {"Sid": "Look", "Effect": "Allow", "Action": list(_OF_THE_BUCKET), "Resource": whole},
                {"Sid": "Never", "Effect": "Deny", "Action": list(_NEVER), "Resource": [whole, f"{whole}/*"]},
            ],
        },
        indent=1,
    )


def role_remedies(rights: RoleRights) -> tuple[str, ...]:
    """What gives the source a role that can only read; nothing where it has one."""
    if rights.reach == "reads":
        return ()
    return (
        "CREATE ROLE hackorda_backup LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '...';",
        "GRANT pg_read_all_data TO hackorda_backup;",
        "ALTER ROLE hackorda_backup BYPASSRLS; -- only where tables have row-level security",
        "Then put this role into the connection string that databases.yaml names for the source.",
    )
