"""Where a file of a database's stores is, named for people, and a link that opens it in a browser."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Final
from urllib.parse import quote

from dagster import MetadataValue

from hackorda_ops.config.offsite import STORE
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.orchestration.metadata import Metadata
from hackorda_ops.stores.store import Store

PAGE: Final = "text/html; charset=utf-8"
TEXT: Final = "text/plain; charset=utf-8"


def where(
    protected: Protected, key: str, called: str, *, stored: Collection[str], media_type: str = PAGE
) -> Metadata:
    """Where a file is, as metadata: "report off-site", "report in the store", and "open the report".

    Args:
        protected: the database.
        key: the file's place in a store.
        called: what the file is: "report".
        stored: the places that have it, as people name them; any other is left out.
        media_type: what a browser takes it for.
    """
    holders = {label: store for label, store in _places(protected) if f"{store.describe()}/{key}" in stored}
    shown: dict[str, MetadataValue] = {
        f"{called} {label}": MetadataValue.path(f"{store.describe()}/{key}")
        for label, store in holders.items()
    }
    named = {str(value.value) for value in shown.values()}
    shown |= {f"{called} in {place}": MetadataValue.path(place) for place in stored if place not in named}
    link = _link(protected, key, list(holders.values()), media_type)
    return {f"open the {called}": MetadataValue.url(link), **shown} if link else shown


def _places(protected: Protected) -> Iterator[tuple[str, Store]]:
    for name, store in protected.places.items():
        if name == STORE:
            yield "in the store", store
        else:
            yield "off-site" if not protected.several_offsite else f"in {name}", store


def _link(protected: Protected, key: str, holders: list[Store], media_type: str) -> str | None:
    reports = protected.policy.reports
    if reports.base_url is not None:
        return f"{reports.base_url}/{quote(key)}"
    lasts = timedelta(days=reports.link_days)
    if not lasts:
        return None
    for store in holders:
        try:
            link = store.link(key, media_type=media_type, lasts=lasts)
        except OpsError:
            # The file was stored there just now. Without a link its place is still shown.
            continue
        if link is not None:
            return link
    return None
