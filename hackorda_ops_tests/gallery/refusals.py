"""Restores that must not begin."""

from typing import Final

from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.ways import OntoAnother, OntoTheSource

DAMAGES: Final = (
    Damage(
        "a restore over a clone that has the tables already",
        "a restore command with the clone's URL",
        OntoAnother("CREATE TABLE customers (id int)"),
        "",
        "is not empty. It holds table public.customers",
        "REFUSED",
    ),
    Damage(
        "a restore over the source",
        "a restore command with production's URL",
        OntoTheSource(),
        "",
        "is the source itself",
        "REFUSED",
    ),
)
