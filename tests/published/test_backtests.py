"""Backtests of VaR and CVaR that papers published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy import stats

from portbal import vartest
from portbal.vartest import Transitions

CASES = json.loads((Path(__file__).parent / "data" / "var_backtests.json").read_text())
CRITICAL = stats.chi2(1).ppf(0.95)


def test_jorion_jp_morgan_1998() -> None:
    """Jorion, Value at Risk: 20 exceptions in 252 days at 95%, six of them after another."""
    case = CASES["jorion_jpmorgan_1998"]
    by_count = vartest.kupiec(case["T"], case["N"], case["p"])
    by_order = vartest.independence(Transitions(*(case[n] for n in ("n00", "n01", "n10", "n11"))))
    assert by_count == pytest.approx(case["published"]["LR_uc"], abs=0.006)
    assert by_order == pytest.approx(case["published"]["LR_ind"], abs=0.006)
    assert by_count + by_order == pytest.approx(case["published"]["LR_cc"], abs=0.006)


@pytest.mark.parametrize("share", CASES["kupiec_regions_95pct"])
def test_kupiec_regions(share: str) -> None:
    """Kupiec (1995), table: the numbers of exceptions that do not reject at 95%."""
    for count, region in CASES["kupiec_regions_95pct"][share].items():
        kept = [n for n in range(int(count) + 1)
                if vartest.kupiec(int(count), n, float(share)) < CRITICAL]
        low, high = kept[0] - 1, kept[-1] + 1
        published = region["published"].replace("N<", f"{low}<N<") if region[
            "published"].startswith("N<") else region["published"]
        assert f"{low}<N<{high}" == published
        for n, theirs in zip(
            (kept[0] - 1, kept[0], kept[-1], kept[-1] + 1), region["lr_at_edges"], strict=True
        ):
            assert vartest.kupiec(int(count), n, float(share)) == pytest.approx(theirs, rel=1e-9)


def test_basel_traffic_light() -> None:
    """Basel Committee (1996), table 2: 250 days at 99%, cumulative probability to the left."""
    published = {0: 8.11, 1: 28.58, 2: 54.32, 3: 75.81, 4: 89.22, 5: 95.88, 6: 98.63, 7: 99.60,
                 8: 99.89, 9: 99.97, 10: 99.99}
    for exceptions, percent in published.items():
        colour, more = vartest.zone(250, exceptions, 0.01)
        fewer = 100 * (1 - vartest.zone(250, exceptions + 1, 0.01)[1])
        assert fewer == pytest.approx(percent, abs=0.006)
        assert more == pytest.approx(1 - stats.binom(250, 0.01).cdf(exceptions - 1))
        assert colour == ("green" if exceptions < 5 else "yellow" if exceptions < 10 else "red")


@pytest.mark.parametrize(
    ("freedom", "published"), [(3, -0.82), (5, -0.74), (10, -0.71), (100, -0.70), (1e9, -0.70)]
)
def test_acerbi_szekely_critical_values(freedom: float, published: float) -> None:
    """Acerbi and Szekely (2014), table of critical values of Z2 for 250 days and 97.5%: 5% of
    right models have a Z2 as low."""
    law = stats.t(freedom)
    ratio = -law.expect(lambda x: x, ub=law.ppf(0.025)) / 0.025 / -law.ppf(0.025)
    assert vartest.shortfall_p(published, 250, 0.025, ratio) == pytest.approx(0.05, abs=0.005)
