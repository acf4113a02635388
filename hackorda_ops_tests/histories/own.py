"""A server of one's own, whose history a real Barman keeps, and a night of it."""

from dataclasses import dataclass

from hackorda_ops_tests.drill.fixtures import Night, Shipped
from hackorda_ops_tests.histories.barman import RealBarman


@dataclass(frozen=True)
class Own:
    """The server's Barman, and a night that its history reaches back to."""

    barman: RealBarman
    night: Night

    def shipped(self, shipped: Shipped) -> Shipped:
        """The same database, with Barman as its history."""
        return shipped.changed(history={"barman": self.barman.section})


def copies_of(shipped: Shipped) -> set[str]:
    """The copies that are recovered on this machine now."""
    folder = shipped.policy.dump.work_folder / "recovered" / shipped.name
    return {each.name for each in folder.iterdir()} if folder.is_dir() else set()
