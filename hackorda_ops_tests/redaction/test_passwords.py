"""Secrets are removed from what is shown, and nothing else of it."""

import pytest

from hackorda_ops.redaction.passwords import without_passwords, without_secrets
from hackorda_ops.stores.s3.errors import translated


@pytest.mark.parametrize(
    ("text", "secret", "shown"),
    [
        ("The specified bucket does not exist", "s", "The specified bucket does not exist"),
        ("postgres refused it", "post", "postgres refused it"),
        ("user=app password is post", "post", "user=app password is ***"),
        ("key 'ab:cd' is wrong", "cd", "key 'ab:***' is wrong"),
        ("at postgresql%3A%2F%2Fapp%3Apost%40host", "post", "at postgresql%3A%2F%2Fapp%3A***%40host"),
        ("at app:p%6Fst@host", "post", "at app:***@host"),
        ("xsecret-keyx", "secret-key", "x***x"),
        ("nothing to hide", "", "nothing to hide"),
    ],
)
def test_a_secret_of_a_few_characters_is_removed_as_a_word_and_a_longer_one_anywhere(
    text: str, secret: str, shown: str
) -> None:
    assert without_secrets(text, (secret, None)) == shown


def test_a_short_password_in_a_url_is_removed_although_letters_follow() -> None:
    assert without_passwords("postgresql://app:s@host/sales", ("s",)) == "postgresql://app:***@host/sales"


def test_a_bucket_that_does_not_exist_is_named_whatever_the_secret() -> None:
    from botocore.exceptions import ClientError

    answer = ClientError(
        {"Error": {"Code": "NoSuchBucket", "Message": "The specified bucket does not exist: a b"}},
        "ListObjectsV2",
    )
    error = translated(answer, doing="list s3://shop", endpoint="AWS", secret="s")
    assert "The specified bucket does not exist" in error.what
