"""`offsite` as one bucket or as a list of them."""

from pathlib import Path

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops_tests.config.test_models import problems


def test_a_single_bucket_is_called_offsite_and_keeps_its_usual_variables() -> None:
    policy = Policy.model_validate({"offsite": "s3://nights/hackorda"})

    assert list(policy.offsites) == ["offsite"]
    assert policy.offsites["offsite"].access_key_id_env == "OFFSITE_ACCESS_KEY_ID"
    assert policy.offsites["offsite"].prefix == "hackorda"


def test_each_of_a_list_has_a_name_and_variables_of_its_own() -> None:
    policy = Policy.model_validate(
        {
            "offsite": [
                "s3://frankfurt-nights/hackorda",
                {"name": "b2", "bucket_env": "B2_BUCKET", "endpoint_url": "https://s3.example"},
            ]
        }
    )

    assert list(policy.offsites) == ["frankfurt-nights", "b2"]
    first, second = policy.offsites.values()
    assert first.access_key_id_env == "OFFSITE_FRANKFURT_NIGHTS_ACCESS_KEY_ID"
    assert second.bucket_env == "B2_BUCKET"
    assert second.secret_access_key_env == "OFFSITE_B2_SECRET_ACCESS_KEY"  # a variable's name


def test_the_missing_variables_of_each_are_named_with_the_copy() -> None:
    policy = Policy.model_validate({"offsite": ["s3://one", {"name": "b2"}]})

    with pytest.raises(ConfigError) as refused:
        Protected("shop", policy, {}).require("offsite")

    assert "databases.shop.offsite[one].access_key_id_env: set OFFSITE_ONE_ACCESS_KEY_ID" in str(
        refused.value
    )
    assert "databases.shop.offsite[b2].bucket_env: set OFFSITE_B2_BUCKET" in str(refused.value)


@pytest.mark.parametrize(
    ("offsite", "says"),
    [
        ("[{endpoint_url: https://s3.example}]", "needs a name"),
        ("[s3://one, s3://one]", "two copies are called one"),
        ("[{name: a-b, bucket: x}, {name: a_b, bucket: y}]", "two copies are called a_b"),
        ("[{name: store, bucket: x}]", "another name"),
        ("[{name: 'a b', bucket: x}]", "letters, digits"),
        (
            "[{name: a, bucket: x, endpoint_url: https://s3.example, prefix: p/},"
            " {name: b, bucket: x, endpoint_url: https://s3.example, prefix: p}]",
            "same place",
        ),
        ("[]", "at least 1"),
        ("[{bucket: x, buckett: y}]", "did you mean bucket"),
    ],
)
def test_a_list_that_cannot_work_is_refused_with_the_reason(tmp_path: Path, offsite: str, says: str) -> None:
    assert says in problems(tmp_path, f"databases: {{shop: {{offsite: {offsite}}}}}")


def test_each_place_keeps_what_it_says_or_what_off_site_keeps() -> None:
    policy = Policy.model_validate(
        {
            "offsite": [
                "s3://one",
                {"bucket": "two", "retention": {"nights": 30}},
                {"bucket": "three", "retention": None},
            ],
            "retention": {"offsite": {"nights": 9}},
        }
    )

    kept = {name: policy.keep_in(name) for name in policy.offsites}
    assert kept["one"] is not None
    assert kept["one"].nights == 9
    assert kept["two"] is not None
    assert kept["two"].nights == 30
    assert kept["three"] is None


def test_nights_that_go_straight_off_site_are_in_the_first_and_copied_to_the_others() -> None:
    policy = Policy.model_validate({"copies": "nightly", "offsite": ["s3://one", "s3://two"]})

    assert policy.copied_to == ("two",)
    assert Protected("shop", policy, {}).place_names == ("one", "two")
    assert not Policy.model_validate({"copies": "nightly", "offsite": "s3://one"}).has_weeks


def test_one_bucket_may_be_named_and_is_still_called_by_its_usual_variables() -> None:
    policy = Policy.model_validate({"offsite": {"name": "b2", "bucket": "nights"}})

    assert list(policy.offsites) == ["b2"]
    assert policy.offsites["b2"].access_key_id_env == "OFFSITE_ACCESS_KEY_ID"
