"""Links to reports: of a web server that the configuration names, presigned for a time, or none."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.orchestration import links
from hackorda_ops_tests.stores.examples import put

KEY = "shop/drills/20261004T060000Z-4c5d6e/report.html"
KEYS = {"OFFSITE_ACCESS_KEY_ID": "key", "OFFSITE_SECRET_ACCESS_KEY": "hunter2-is-a-secret"}


def _shop(tmp_path: Path, **settings: Any) -> Protected:
    policy = Policy.model_validate(
        {"store": str(tmp_path / "backups"), "offsite": "s3://kept/below", **settings}
    )
    return Protected("shop", policy, KEYS)


def _stored(shop: Protected) -> list[str]:
    return [f"{store.describe()}/{KEY}" for store in shop.known_stores]


def test_places_are_named_for_people_and_the_bucket_gives_the_link(tmp_path: Path) -> None:
    shop = _shop(tmp_path)

    shown = links.where(shop, KEY, "report", stored=_stored(shop))

    assert shown["report in the store"].value == f"{tmp_path}/backups/{KEY}"
    assert shown["report off-site"].value == f"s3://kept/below/{KEY}"
    link = urlsplit(str(shown["open the report"].value))
    asked = parse_qs(link.query)
    assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert asked["X-Amz-Expires"] == [str(7 * 86_400)]
    assert asked["response-content-type"] == ["text/html; charset=utf-8"]
    assert "hunter2" not in str(shown)


def test_a_place_that_lacks_the_report_is_neither_named_nor_linked_to(tmp_path: Path) -> None:
    shop = _shop(tmp_path)
    assert list(links.where(shop, KEY, "report", stored=_stored(shop)[:1])) == ["report in the store"]
    assert links.where(shop, KEY, "report", stored=[]) == {}


def test_a_web_server_that_the_configuration_names_goes_before_the_bucket(tmp_path: Path) -> None:
    shop = _shop(tmp_path, reports={"base_url": "https://reports.example.org/backups/"})
    shown = links.where(shop, KEY, "report", stored=_stored(shop))
    assert shown["open the report"].value == f"https://reports.example.org/backups/{KEY}"


def test_no_link_is_made_where_none_is_wanted(tmp_path: Path) -> None:
    shop = _shop(tmp_path, reports={"link_days": 0})
    assert list(links.where(shop, KEY, "report", stored=_stored(shop))) == [
        "report in the store",
        "report off-site",
    ]


def test_nights_that_go_straight_off_site_have_one_place(tmp_path: Path) -> None:
    settings = {"offsite": "s3://kept/below", "copies": "nightly"}
    shop = Protected("shop", Policy.model_validate(settings), KEYS)
    shown = links.where(shop, KEY, "report", stored=_stored(shop))
    assert list(shown) == ["open the report", "report off-site"]


def test_a_copy_in_the_teams_own_folder_is_named_by_that(tmp_path: Path) -> None:
    shop = _shop(tmp_path)
    shown = links.where(shop, KEY, "report", stored=["/repository/docs/2026-Q1-dr-test.md"])
    assert {label: value.value for label, value in shown.items()} == {
        "report in /repository/docs/2026-Q1-dr-test.md": "/repository/docs/2026-Q1-dr-test.md"
    }


@pytest.mark.parametrize(
    "url",
    [
        "reports.example.org",
        "ftp://reports.example.org",
        "https://user:secret@host/",
        "https://host/?token=1",
    ],
)
def test_a_url_with_a_secret_or_of_no_web_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"reports\.base_url") as caught:
        Policy.model_validate({"reports": {"base_url": url}})
    assert "secret" not in str(caught.value)
    assert "token=1" not in str(caught.value)


@pytest.mark.server
def test_a_link_opens_in_a_browser_until_it_expires(
    s3_server: S3Server, new_bucket: str, tmp_path: Path
) -> None:
    shop = Protected(
        "shop",
        Policy.model_validate(
            {
                "store": str(tmp_path),
                "offsite": {
                    "bucket": new_bucket,
                    "endpoint_url": s3_server.endpoint_url,
                    "region": s3_server.region,
                },
            }
        ),
        {
            "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
        },
    )
    put(shop.offsite, KEY, b"<title>FAIL</title>")

    link = shop.offsite.link(KEY, media_type=links.PAGE, lasts=timedelta(minutes=5))

    assert link is not None
    answer = httpx.get(link)
    assert (answer.status_code, answer.text) == (200, "<title>FAIL</title>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"] == "inline"
