"""A key of databases.yaml that names exactly one of several kinds, with that kind's own section below it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
    model_validator,
)

from hackorda_ops.config import engines
from hackorda_ops.config.values import Section


class KindSection(Section):
    """The section of one kind."""

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:  # noqa: ARG002  # some need none
        """What must be set before it can be used: a line for each variable, with its key and remedy.

        Args:
            at: the section's own key, as "databases.shop.scratch.server".
            environ: the environment.
        """
        return iter(())


class ScratchSection(KindSection):
    """What databases.yaml says of one provider of scratch.

    Attributes:
        engine: whose databases it can hold, by the engine's key.
        brings_history: the key of the history that the provider keeps of the source: its section is then such a
            history's, too. None where it keeps none.
    """

    engine: ClassVar[str] = engines.FIRST
    brings_history: ClassVar[str | None] = None


class HistorySection(KindSection):
    """What databases.yaml says of one kind of history."""

    def anchored(self, at: Callable[[Path], Path]) -> Self:  # noqa: ARG002  # not every kind has folders
        """The same, with its relative folders made absolute.

        Args:
            at: makes a folder absolute.
        """
        return self


class Choice(Section):
    """A mapping of a kind's name to its section.

    Attributes:
        provider: the kind's key.
        section: what is said of it.
        kinds: the sections there are, by their keys.
        has_default: whether the first of them is meant where none is named.
    """

    kinds: ClassVar[Mapping[str, type[KindSection]]]
    has_default: ClassVar[bool] = False

    provider: str
    section: SerializeAsAny[KindSection]

    @classmethod
    def as_written(cls) -> type[BaseModel]:
        """The mapping as it stands in databases.yaml: a key for each kind there is."""
        # Made anew, because a kind may have been added.
        fields: dict[str, Any] = {key: (each | None, None) for key, each in cls.kinds.items()}
        return create_model(cls.__name__, __base__=Section, __doc__=cls.__doc__, **fields)

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        given = {next(iter(cls.kinds)): {}} if cls.has_default and value == {} else value
        written = cls.as_written().model_validate(given)
        named = {key: section for key, section in written if section is not None}
        if len(named) != 1:
            *others, last = cls.kinds
            raise ValueError(f"needs exactly one of {', '.join(others)} and {last}")
        [(provider, section)] = named.items()
        return {"provider": provider, "section": section}

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {self.provider: handler(self)["section"]}
