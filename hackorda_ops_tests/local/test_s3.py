"""The embedded S3 server."""

import pytest

from hackorda_ops.local.s3 import S3Server, create_bucket


@pytest.mark.server
def test_what_is_put_into_a_bucket_is_read_back(s3_server: S3Server, new_bucket: str) -> None:
    client = s3_server.client()
    client.put_object(Bucket=new_bucket, Key="a/b", Body=b"content")

    assert client.get_object(Bucket=new_bucket, Key="a/b")["Body"].read() == b"content"
    assert "Contents" not in client.list_objects_v2(Bucket=new_bucket, Prefix="c/")


@pytest.mark.server
def test_a_bucket_that_is_there_is_left_as_it_is(s3_server: S3Server, new_bucket: str) -> None:
    s3_server.client().put_object(Bucket=new_bucket, Key="kept", Body=b"")

    create_bucket(s3_server, new_bucket)

    assert s3_server.client().list_objects_v2(Bucket=new_bucket)["KeyCount"] == 1


@pytest.mark.server
def test_a_bucket_with_object_lock_can_hold_back_deletion(s3_server: S3Server) -> None:
    create_bucket(s3_server, "locked", object_lock=True)

    answer = s3_server.client().get_object_lock_configuration(Bucket="locked")
    assert answer["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"


def test_the_secret_is_not_in_the_servers_representation() -> None:
    server = S3Server(endpoint_url="http://127.0.0.1:1")

    assert server.secret_access_key not in repr(server)
