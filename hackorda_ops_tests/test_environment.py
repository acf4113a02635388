"""What a configuration names is looked up at run time, and all that is missing is told at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.stores.folder import FolderStore

OFFSITE = {
    "OFFSITE_BUCKET": "bucket",
    "OFFSITE_ACCESS_KEY_ID": "id",
    "OFFSITE_SECRET_ACCESS_KEY": "hunter2",
}


def test_every_missing_variable_is_told_with_its_key() -> None:
    with pytest.raises(ConfigError) as caught:
        Protected("hackorda", Policy(), {}).require("source", "store", "offsite")
    said = caught.value.what
    assert "4 environment variable(s)" in said
    for part in (
        "databases.hackorda.source.url_env: set DATABASE_URL",
        "databases.hackorda.offsite.bucket_env: set OFFSITE_BUCKET",
        "databases.hackorda.offsite.access_key_id_env: set OFFSITE_ACCESS_KEY_ID",
        "databases.hackorda.offsite.secret_access_key_env: set OFFSITE_SECRET_ACCESS_KEY",
    ):
        assert part in said


def test_what_an_operation_does_not_use_need_not_be_set() -> None:
    Protected("hackorda", Policy(), {}).require("store")
    Protected("hackorda", Policy(), OFFSITE).require("offsite")


def test_an_empty_variable_counts_as_missing() -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        Protected("hackorda", Policy(), {"DATABASE_URL": ""}).require("source")


def test_a_store_in_s3_needs_its_own_variables() -> None:
    database = Policy.model_validate(
        {"store": {"bucket": "b", "access_key_id_env": "NIGHT_ID", "secret_access_key_env": "NIGHT_SECRET"}}
    )
    with pytest.raises(ConfigError) as caught:
        Protected("hackorda", database, OFFSITE).require("store")
    assert "databases.hackorda.store.access_key_id_env: set NIGHT_ID" in caught.value.what
    assert "NIGHT_SECRET" in caught.value.what


def test_stores_are_opened_as_configured_and_show_no_secret() -> None:
    assert Protected("hackorda", Policy(), {}).store == FolderStore(Path("backups"))
    offsite = Protected("hackorda", Policy(), OFFSITE).offsite
    assert offsite.describe() == "s3://bucket"
    assert "hunter2" not in repr(offsite)


def test_a_place_is_opened_once_and_a_variant_opens_its_own() -> None:
    protected = Protected("hackorda", Policy(), OFFSITE)
    variant = replace(protected, environ={**OFFSITE, "OFFSITE_BUCKET": "another"})

    assert protected.offsite is protected.offsite
    assert protected.store is protected.store
    assert variant.offsite.describe() == "s3://another"
    assert protected.offsite.describe() == "s3://bucket"


def test_what_is_known_of_the_places_is_opened_and_what_is_missing_is_no_error() -> None:
    only_night, both = (Protected("hackorda", Policy(), environ) for environ in ({}, OFFSITE))

    assert only_night.known_stores == (FolderStore(Path("backups")),)
    assert [store.describe() for store in both.known_stores] == ["backups", "s3://bucket"]
    assert not only_night.mentions_offsite
    assert both.mentions_offsite
    assert Protected("hackorda", Policy(), {"OFFSITE_BUCKET": "b"}).mentions_offsite


def test_a_protected_database_shows_no_value_of_its_environment(tmp_path: Path) -> None:
    environ = {
        **OFFSITE,
        "DATABASE_URL": "postgresql://me:hunter2@one/x",
        "NEON_API_KEY": "hunter2",
        "NIGHT_HEARTBEAT": "https://monitor.example/hunter2",
    }
    policy = Policy.model_validate({"heartbeats": {"night_env": "NIGHT_HEARTBEAT"}})
    protected = Protected("hackorda", policy, environ)
    # What it has opened is part of it from then on.
    opened = (protected.offsite, protected.source(private_folder=tmp_path), protected.monitor("night"))

    for shown in (repr(protected), str(protected), f"{protected}", repr(opened), repr([protected])):
        assert "hunter2" not in shown
        assert "monitor.example" not in shown
    assert "hackorda" in repr(protected)


def test_the_source_is_its_direct_endpoint_with_tls_as_configured(tmp_path: Path) -> None:
    url = "postgresql://me:hunter2@ep-calm-sea-123-pooler.eu-central-1.aws.neon.tech/neondb?sslmode=require"
    target = Protected("hackorda", Policy(), {"DATABASE_URL": url, "DB_SSL_MODE": "verify"}).source(
        private_folder=tmp_path
    )
    assert target.host == "ep-calm-sea-123.eu-central-1.aws.neon.tech"
    assert target.parameters["sslmode"] == "verify-full"
    assert "hunter2" not in repr(target)


@pytest.mark.parametrize(
    "url",
    [
        "  postgresql://me:hunter2@one/x\r\n",
        '"postgresql://me:hunter2@one/x"',
        "'postgresql://me:hunter2@one/x'\n",
        '\t" postgresql://me:hunter2@one/x "',
    ],
)
def test_what_stands_around_a_connection_string_is_no_part_of_it(tmp_path: Path, url: str) -> None:
    environ = {"DATABASE_URL": url, "DB_SSL_MODE": ' "disable"\r\n'}
    target = Protected("hackorda", Policy(), environ).source(private_folder=tmp_path)
    assert (target.host, target.database, target.password) == ("one", "x", "hunter2")


def test_what_stands_around_a_buckets_settings_is_no_part_of_them() -> None:
    pasted = {name: f' "{value}"\r\n' for name, value in OFFSITE.items()}
    pasted |= {"OFFSITE_ENDPOINT_URL": "'https://s3.example.com'\n", "OFFSITE_REGION": " fr-par\n"}

    store = Protected("hackorda", Policy(), pasted).offsite

    assert (store.bucket, store.access_key_id, store.secret_access_key) == ("bucket", "id", "hunter2")
    assert (store.endpoint_url, store.region) == ("https://s3.example.com", "fr-par")


@pytest.mark.parametrize("nothing", [" ", "\r\n", '""', "' '"])
def test_a_variable_of_blanks_or_empty_quotes_counts_as_missing(nothing: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        Protected("hackorda", Policy(), {"DATABASE_URL": nothing}).require("source")


def test_blanks_around_the_values_of_the_configuration_are_no_part_of_them() -> None:
    database = Policy.model_validate(
        {
            "source": {"url_env": " APP_URL\n"},
            "offsite": {"bucket": "nights \n", "endpoint_url": " https://s3.example.com\n"},
        }
    )
    assert database.source.url_env == "APP_URL"
    assert (database.offsite.bucket, database.offsite.endpoint_url) == ("nights", "https://s3.example.com")


def test_a_direct_variable_is_preferred_where_the_configuration_names_one(tmp_path: Path) -> None:
    database = Policy.model_validate({"source": {"direct_url_env": "DIRECT_DATABASE_URL"}})
    environ = {"DATABASE_URL": "postgresql://a@one/x", "DIRECT_DATABASE_URL": "postgresql://a@two/x"}
    target = Protected("hackorda", database, environ).source(private_folder=tmp_path)
    assert target.host == "two"


def test_a_connection_string_that_is_none_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Protected("hackorda", Policy(), {"DATABASE_URL": "hunter2 = what?"}).source(private_folder=tmp_path)
    assert "DATABASE_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)
