"""A week's copy."""

from pathlib import Path

from bench.variants.given import NAME, protected
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.week import week


def ship(folder: Path) -> None:
    """The newest night's copy to the bucket, read back."""
    of = protected(folder)
    week.ship(of, choose(read_judged({"store": of.store}, NAME), None).candidates[0].manifest)
