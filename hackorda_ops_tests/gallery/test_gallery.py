"""Every damage of the gallery is noticed, and what is damaged is named."""

import pytest

from hackorda_ops_tests.condemning import CONDEMNING, condemns
from hackorda_ops_tests.drill.fixtures import EMPTY, databases_on
from hackorda_ops_tests.gallery.catalogue import DAMAGES
from hackorda_ops_tests.gallery.damages import Damage, Harmless
from hackorda_ops_tests.gallery.gallery import Gallery
from hackorda_ops_tests.gallery.sound import HARMLESS

pytestmark = pytest.mark.server


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(
            damage,
            id=f"{damage.way.place}: {damage.name}",
            # A room of the gallery is made by the worker that enters it.
            marks=pytest.mark.xdist_group(f"gallery: {damage.way.place}"),
        )
        for damage in DAMAGES
    ],
)
def test_a_damage_is_noticed_and_named(gallery: Gallery, damage: Damage) -> None:
    outcome = damage.way.inflicted(gallery)

    assert outcome.verdict == damage.verdict, outcome
    assert damage.noticed(outcome), outcome
    assert [each for each in outcome.findings if condemns(each) and each.code not in CONDEMNING] == []
    assert databases_on(gallery.scratch) == EMPTY


@pytest.mark.parametrize("harmless", HARMLESS, ids=lambda harmless: harmless.name)
def test_what_does_not_matter_passes(gallery: Gallery, harmless: Harmless) -> None:
    outcome = harmless.way.inflicted(gallery)

    assert (outcome.verdict, outcome.findings, outcome.reason) == ("PASS", (), "")


def test_no_two_damages_have_the_same_name() -> None:
    names = [(damage.way.place, damage.name) for damage in DAMAGES]
    assert len(set(names)) == len(names)
