"""Assumptions are whole numbers; whatever is wrong with them is said with its line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.simulation.assumptions import (
    AssumptionError,
    read_assumptions,
    usual_text,
)


def test_the_usual_ones_are_millionths() -> None:
    found = read_assumptions(usual_text())
    basic = found.plans[0]
    assert (basic.name, basic.price, basic.units) == ("basic", Decimal("20.00"), 20000)
    assert (basic.among, basic.wanted[5]) == (700_000, 440_000)
    assert (found.base, found.unused[1], found.tokens) == (20_000, (500_000, 10_000), 500_000)


def line_of(text: str) -> int:
    """The line of the usual assumptions on which a text stands."""
    return next(at for at, line in enumerate(usual_text().splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("base = 0.02", "bse = 0.02", "no key of [churn]: they are base, unused, tokens"),
        ("base = 0.02", "base = -0.02", "-0.02 is not between 0 and 1"),
        ("base = 0.02", 'base = "2 %"', "no number"),
        ("base = 0.02", "base = true", "no number"),
        ("base = 0.02", "base = 0.0200001", "more than six decimals"),
        ("days = 10 ", "days = 40 ", "no whole number from 1 to 28"),
        ("among = 0.7 ", "among = 0.6 ", "the shares of all plans must add up to 1"),
        ("price = 20.00 ", "price = 20.001 ", "more than 2 decimals"),
        ("[1.00, 0.040]]", "[0.90, 0.040]]", "the shares must rise up to 1"),
        ("ask = [0.30, 0.90]", "ask = [0.90, 0.30]", "the first is the least"),
        ('first_month = "2026-01"', 'first_month = "January"', "no month such as 2026-01"),
        ("[0.02, 0.10,", "[0.12, 0.10,", "shares must not fall"),
        ("season = [1.00, ", "season = [", "no list of 12 numbers"),
        ('name = "pro"', 'name = "basic"', "two plans have one name"),
        ("[market]", "[markt]", "no part of the assumptions"),
        ("units = 20000 ", "units = 0 ", "no whole number from 1 to 1000000000"),
        ("units = 20000 ", "units = true ", "no whole number from 1 to 1000000000"),
        ("price = 20.00 ", "price = 1e30 ", "1E+30 is not between 0 and 1000000000"),
        ("price = 20.00 ", "price = -1 ", "-1 is not between 0 and 1000000000"),
        ("base = 0.02", "base = 1e-30", "more than six decimals"),
        ("base = 0.02", "base = 1e999999", "is not between 0 and 1"),
        ('first_month = "2026-01"', 'first_month = "9999-12"', "no year from 1900 to 2999"),
        ('currency = "USD"', 'currency = "CU"', "the same as the commodity"),
        ("base = 0.02", "base = nan", "inf and nan are no numbers"),
        ('name = "pro"', 'name = "grant"', "a taken one (top-up, grant)"),
        ("price = 200.00", 'price = "200"', "no number"),
        ("overage = 0.0012", "averege = 0.0012", "no key of [plan]"),
        ("varies = 0.15", "x.y = 1", "no key of [use]"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, said: str) -> None:
    text = usual_text()
    assert old in text
    with pytest.raises(AssumptionError, match=r"line \d+: ") as error:
        read_assumptions(text.replace(old, new, 1))
    assert said in str(error.value)
    if "add up" not in said:
        assert f"line {line_of(old)}: " in str(error.value)


def test_what_is_missing_or_no_toml_is_said() -> None:
    for text, said in (
        (usual_text().replace("tokens = 0.5", "#"), "tokens is missing"),
        (
            usual_text().replace("overage = 0.0012", "#"),
            f"line {line_of('among = 0.3') - 2}: plan: overage is missing",
        ),
        (usual_text().partition("[market]")[0], "no [market]"),
        ("[churn", "no TOML"),
        (usual_text().replace("base = 0.02", "base = nan"), "no numbers of an economy"),
    ):
        with pytest.raises(AssumptionError) as error:
            read_assumptions(text)
        assert said in str(error.value)
