"""What the zoo is made of: animals, each a small piece of a sound database, and the databases that they share."""

from dataclasses import dataclass

MAJORS = (15, 16, 17, 18)
# What the builds at hand were compiled with: Debian's 15 and three wheels.
WITH_CONTRIB = (15, 17, 18)
WITH_XML = (15, 17)
WITH_ICU = (15,)
WITH_VECTOR = (16, 18)


@dataclass(frozen=True)
class Animal:
    """One thing that a sound database may hold, and that a dump, a restore or a comparison may stumble over.

    Attributes:
        name: of the animal, and of the schema that it lives in.
        description: what is odd about it, in a line.
        sql: what makes it, run with its own schema as the search path.
        majors: the Postgres versions that it is tried on.
        elsewhere: why not on the others; "" where `majors` are all.
    """

    name: str
    description: str
    sql: str
    majors: tuple[int, ...] = MAJORS
    elsewhere: str = ""


@dataclass(frozen=True)
class Enclosure:
    """A database of the zoo.

    Attributes:
        name: of the database.
        animals: what lives in it, made in this order.
        options: what CREATE DATABASE says beyond its name.
        majors: the Postgres versions that it is made on.
        temporary: what a session that stays open meanwhile has of its own.
    """

    name: str
    animals: tuple[Animal, ...]
    options: str = ""
    majors: tuple[int, ...] = MAJORS
    temporary: str = ""

    def animals_on(self, major: int) -> tuple[Animal, ...]:
        """Those that a server of this version can hold."""
        return tuple(animal for animal in self.animals if major in animal.majors)
