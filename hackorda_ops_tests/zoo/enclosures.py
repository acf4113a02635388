"""The zoo's databases, and who lives in which."""

from hackorda_ops_tests.zoo import (
    built_in,
    constraints,
    crowds,
    databases,
    everyday,
    foundations,
    names,
    objects,
    programs,
    tables,
    unwilling,
    values,
)
from hackorda_ops_tests.zoo.animals import Enclosure

ENCLOSURES = (
    Enclosure("values", values.ANIMALS),
    Enclosure("names", names.ANIMALS),
    Enclosure("tables", tables.ANIMALS + constraints.ANIMALS),
    Enclosure("programs", programs.ANIMALS),
    Enclosure("objects", objects.ANIMALS),
    *databases.ENCLOSURES,
    *built_in.ENCLOSURES,
    *foundations.ENCLOSURES,
    *everyday.ENCLOSURES,
    *unwilling.ENCLOSURES,
    *crowds.ENCLOSURES,
)

ANIMALS = tuple(
    dict.fromkeys(animal for enclosure in (*ENCLOSURES, crowds.THOUSANDS) for animal in enclosure.animals)
)
