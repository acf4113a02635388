"""How the nights of a database are proven, as databases.yaml says it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from hackorda_ops.config.values import Section


def _off(value: Any) -> Any:
    # YAML reads a plain off as false.
    return "off" if value is False else value


class ProofSection(Section):
    """How the nights are proven: a night's artifact is restored, compared in full, and taken down again.

    Attributes:
        every: "night"; "week": the first night of each week, and the next one where that wasn't proven; or "off".
            Where this isn't given, nothing fails for want of a server to restore on.
        within_minutes: after which it's given up and everything is taken down: nothing is proven then.
        where: what it's restored on. "local": a Postgres server of the source's major version (or redis-server) that is
            started for it on the machine where runs are, and that nobody else reaches. "scratch": where drills restore;
            on Neon each proof then makes a branch. Where it's not given: local, or scratch where that can't be.
    """

    every: Annotated[Literal["night", "week", "off"], BeforeValidator(_off)] = "night"
    within_minutes: Annotated[float, Field(gt=0)] = 60
    where: Literal["local", "scratch"] | None = None

    @property
    def demanded(self) -> bool:
        """Whether somebody has asked for it, so that it counts where it can't be made."""
        return self.every != "off" and bool({"every", "where"} & self.model_fields_set)
