"""What a configuration names is looked up at run time, and all that is missing is told at once."""

from pathlib import Path

import pytest

from hackorda_ops import environment
from hackorda_ops.config.models import Database
from hackorda_ops.errors import ConfigError
from hackorda_ops.stores.folder import FolderStore

OFFSITE = {
    "OFFSITE_BUCKET": "bucket",
    "OFFSITE_ACCESS_KEY_ID": "id",
    "OFFSITE_SECRET_ACCESS_KEY": "hunter2",
}


def test_every_missing_variable_is_told_with_its_key() -> None:
    with pytest.raises(ConfigError) as caught:
        environment.require("hackorda", Database(), {}, {"source", "store", "offsite"})
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
    environment.require("hackorda", Database(), {}, {"store"})
    environment.require("hackorda", Database(), OFFSITE, {"offsite"})


def test_an_empty_variable_counts_as_missing() -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        environment.require("hackorda", Database(), {"DATABASE_URL": ""}, {"source"})


def test_a_store_in_s3_needs_its_own_variables() -> None:
    database = Database.model_validate(
        {"store": {"bucket": "b", "access_key_id_env": "NIGHT_ID", "secret_access_key_env": "NIGHT_SECRET"}}
    )
    with pytest.raises(ConfigError) as caught:
        environment.require("hackorda", database, OFFSITE, {"store"})
    assert "databases.hackorda.store.access_key_id_env: set NIGHT_ID" in caught.value.what
    assert "NIGHT_SECRET" in caught.value.what


def test_stores_are_opened_as_configured_and_show_no_secret() -> None:
    assert environment.open_store("hackorda", Database(), {}) == FolderStore(Path("backups"))
    offsite = environment.open_offsite("hackorda", Database(), OFFSITE)
    assert offsite.describe() == "s3://bucket"
    assert "hunter2" not in repr(offsite)


def test_the_source_is_its_direct_endpoint_with_tls_as_configured(tmp_path: Path) -> None:
    url = "postgresql://me:hunter2@ep-calm-sea-123-pooler.eu-central-1.aws.neon.tech/neondb?sslmode=require"
    target = environment.source_target(
        "hackorda", Database(), {"DATABASE_URL": url, "DB_SSL_MODE": "verify"}, private_folder=tmp_path
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
    target = environment.source_target("hackorda", Database(), environ, private_folder=tmp_path)
    assert (target.host, target.database, target.password) == ("one", "x", "hunter2")


def test_what_stands_around_a_buckets_settings_is_no_part_of_them() -> None:
    pasted = {name: f' "{value}"\r\n' for name, value in OFFSITE.items()}
    pasted |= {"OFFSITE_ENDPOINT_URL": "'https://s3.example.com'\n", "OFFSITE_REGION": " fr-par\n"}

    store = environment.open_offsite("hackorda", Database(), pasted)

    assert (store.bucket, store.access_key_id, store.secret_access_key) == ("bucket", "id", "hunter2")
    assert (store.endpoint_url, store.region) == ("https://s3.example.com", "fr-par")


@pytest.mark.parametrize("nothing", [" ", "\r\n", '""', "' '"])
def test_a_variable_of_blanks_or_empty_quotes_counts_as_missing(nothing: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        environment.require("hackorda", Database(), {"DATABASE_URL": nothing}, {"source"})


def test_blanks_around_the_values_of_the_configuration_are_no_part_of_them() -> None:
    database = Database.model_validate(
        {
            "source": {"url_env": " APP_URL\n"},
            "offsite": {"bucket": "nights \n", "endpoint_url": " https://s3.example.com\n"},
        }
    )
    assert database.source.url_env == "APP_URL"
    assert (database.offsite.bucket, database.offsite.endpoint_url) == ("nights", "https://s3.example.com")


def test_a_direct_variable_is_preferred_where_the_configuration_names_one(tmp_path: Path) -> None:
    database = Database.model_validate({"source": {"direct_url_env": "DIRECT_DATABASE_URL"}})
    environ = {"DATABASE_URL": "postgresql://a@one/x", "DIRECT_DATABASE_URL": "postgresql://a@two/x"}
    target = environment.source_target("hackorda", database, environ, private_folder=tmp_path)
    assert target.host == "two"


def test_a_connection_string_that_is_none_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        environment.source_target(
            "hackorda", Database(), {"DATABASE_URL": "hunter2 = what?"}, private_folder=tmp_path
        )
    assert "DATABASE_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)
