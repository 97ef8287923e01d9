"""Where amounts are rounded and split."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from beancount_compute.economy.rounding import (
    EXACT,
    CostStepTooCoarse,
    average_price,
    decimals_of,
    default_cost_step,
    digits_of,
    is_power_of_ten,
    minor_unit,
    multiply_money,
    part,
    proportion,
    round_half_even,
    round_money,
    shares_of_total,
    split,
    trim,
)

D = Decimal


@pytest.mark.parametrize(
    ("currency", "unit"),
    [
        *((each, "0.01") for each in ("USD", "EUR", "MRU", "MGA", "BTC")),
        *((each, "1") for each in ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"]),
        *((each, "1") for each in ["RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"]),
        *((each, "0.001") for each in ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
        *((each, "0.0001") for each in ("CLF", "UYW")),
    ],
)
def test_the_minor_unit_is_that_of_iso_4217(currency: str, unit: str) -> None:
    """USD 0.01, JPY 1, KWD 0.001
    (manual/language.md, section 5); a code that ISO 4217 lacks: 0.01."""
    assert minor_unit(currency) == D(unit)


@pytest.mark.parametrize(
    ("number", "currency", "rounded"),
    [
        ("0.005", "USD", "0.00"),  # a half goes to the even neighbour
        ("0.015", "USD", "0.02"),
        ("0.0050000001", "USD", "0.01"),
        ("-0.015", "USD", "-0.02"),
        ("2.5", "JPY", "2"),
        ("3.5", "JPY", "4"),
        ("0.0005", "KWD", "0.000"),
        ("0.0015", "KWD", "0.002"),
    ],
)
def test_money_is_rounded_half_even(number: str, currency: str, rounded: str) -> None:
    """Half-even to the currency's minor unit, on both sides of zero."""
    assert round_money(D(number), currency) == D(rounded)
    assert str(round_money(D(number), currency)) == rounded


def test_a_product_is_rounded_once() -> None:
    """3 x 0.335 = 1.005 -> 1.00; rounding the price first would give 1.02 or 0.99.

    And the product of two numbers of 14 digits is not cut to 28 before it is rounded:
    99999999999999 x 0.00000000000005 = 4.99999999999995.
    """
    assert multiply_money(D(3), D("0.335"), "USD") == D("1.00")
    assert multiply_money(D(99999999999999), D("0.00000000000005"), "USD") == D("5.00")


def test_rounding_to_the_digits_written() -> None:
    """An assertion of 280 is met by 280.4, one of 280.0 is not."""
    assert round_half_even(D("280.4"), D(1)) == D(280)
    assert round_half_even(D("280.4"), D("0.1")) == D("280.4")


@pytest.mark.parametrize(
    ("trades", "price"),
    [
        ([("0.25", "500")], "0.25"),
        ([("0.25", "100"), ("0.31", "200")], "0.29"),  # 87 / 300
        ([("0.5", "2"), ("1", "1")], "0.666667"),  # 2 / 3
        ([("0", "2"), ("1", "1")], "0.333333"),
        ([("100", "1")], "100.00"),  # at least two decimals, as prices are written
        ([("0.0000005", "7")], "0.00"),  # a half goes to the even neighbour
        ([("0.0000015", "7")], "0.000002"),
        ([("99999999999999", "0.00000000000001"), ("1", "99999999999999")], "1.00"),
    ],
)
def test_the_average_price(trades: list[tuple[str, str]], price: str) -> None:
    """Weighted by volume, half-even to 0.000001
    (manual/language.md, section 5), without idle zeros."""
    assert str(average_price(((D(each), D(units)) for each, units in trades), "USD")) == price


def test_an_average_price_is_written_as_its_currency_is() -> None:
    """Yen have no decimals, Kuwaiti dinars three."""
    trades = [(D("10"), D("2"))]
    written = {each: str(average_price(trades, each)) for each in ("JPY", "USD", "KWD")}
    assert written == {"JPY": "10", "USD": "10.00", "KWD": "10.000"}


@pytest.mark.parametrize(
    ("number", "decimals", "text"),
    [
        ("1.2300", 0, "1.23"),
        ("1.2300", 3, "1.230"),
        ("1000", 0, "1000"),
        ("1E+3", 0, "1000"),
        ("0.000", 0, "0"),
        ("0", 2, "0.00"),
        ("0.0000002", 2, "0.0000002"),
    ],
)
def test_idle_zeros_go(number: str, decimals: int, text: str) -> None:
    """The value stays; at least the wanted decimals stay too."""
    assert f"{trim(D(number), decimals):f}" == text


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+3", "1000"), ("1E-7", "0.0000001"), ("-1.50", "-1.50"), ("0E-8", "0.00000000")],
)
def test_a_number_is_written_in_all_its_digits(number: str, text: str) -> None:
    """As the format `f` writes it: without an exponent, idle zeros kept."""
    assert digits_of(D(number)) == text == f"{D(number):f}"


@pytest.mark.parametrize("number", ["1", "10", "1000", "0.1", "0.000001", "1.00", "1E+2"])
def test_powers_of_ten(number: str) -> None:
    """Whatever way a power of ten is written, it is one."""
    assert is_power_of_ten(D(number))


@pytest.mark.parametrize("number", ["0", "-1", "-0.1", "2", "0.5", "11", "0.0011"])
def test_other_numbers_are_no_powers_of_ten(number: str) -> None:
    """Neither are zero, negative numbers and multiples."""
    assert not is_power_of_ten(D(number))


@pytest.mark.parametrize(
    ("units", "currency", "step"),
    [
        ("1000", "USD", "0.000001"),  # 0.01 / 1000 = 0.00001: the largest step is finer
        ("10000", "USD", "0.000001"),  # 0.01 / 10000 = 0.000001
        ("10001", "USD", "1E-7"),  # a little less than 0.000001
        ("1000000000", "USD", "1E-11"),  # fine units
        ("30000", "JPY", "0.000001"),  # 1 / 30000 = 0.00003
        ("3000000", "JPY", "1E-7"),
        ("0.5", "KWD", "0.000001"),
    ],
)
def test_the_default_cost_step(units: str, currency: str, step: str) -> None:
    """The largest power of ten at most 0.000001 and at most one minor unit over the units."""
    assert default_cost_step(D(units), currency) == D(step)


def shares(paid: str, units: str, currency: str = "USD", step: str = "") -> list[tuple[str, str]]:
    found = split(D(paid), D(units), currency, D(step) if step else None)
    return [(f"{share.units:f}", f"{share.cost:f}") for share in found]


def test_a_cost_that_terminates_is_one_lot() -> None:
    """200.00 / 1000 = 0.20; 200.00 / 1,000,000,000 = 0.0000002 (manual/language.md, section 5)."""
    assert shares("200.00", "1000") == [("1000", "0.20")]
    assert shares("200.00", "1000000000") == [("1000000000", "0.0000002")]


def test_a_cost_that_does_not_is_split_in_two() -> None:
    """20.00 for 3000 at step 0.0001: 1000 x 0.0066 + 2000 x 0.0067 = 6.60 + 13.40."""
    assert shares("20.00", "3000", step="0.0001") == [("1000", "0.0066"), ("2000", "0.0067")]


def test_half_units_are_split_exactly() -> None:
    """0.01 over 2.5 at the default step is 0.004; 0.01 over 0.3: 0.033333 x 0.2 + 0.033334 x 0.1.

    0.01 / 0.3 = 0.0333.., floor 0.033333; left 0.01 - 0.0099999 = 0.0000001 = 0.1 units a step.
    """
    assert shares("0.01", "2.5") == [("2.5", "0.004")]
    assert shares("0.01", "0.3") == [("0.2", "0.033333"), ("0.1", "0.033334")]


def test_costs_have_at_least_the_decimals_of_the_currency() -> None:
    """0.20 and not 0.2 USD; 5 and not 5.00 JPY."""
    assert shares("5", "1", "JPY") == [("1", "5")]
    assert shares("5", "1", "KWD") == [("1", "5.000")]


def test_what_costs_nothing_is_one_lot_at_zero() -> None:
    """A free tier."""
    assert shares("0", "1000") == [("1000", "0.00")]


def test_a_step_under_which_units_would_cost_nothing_is_refused() -> None:
    """0.01 over 2000 is 0.000005 each: less than a step of 0.0001, so most would cost nothing."""
    with pytest.raises(CostStepTooCoarse):
        split(D("0.01"), D(2000), "USD", D("0.0001"))


AMOUNTS = st.integers(1, 10**9).map(lambda n: D(n).scaleb(-2))
UNITS = st.builds(lambda n, places: D(n).scaleb(-places), st.integers(1, 10**9), st.integers(0, 4))


@given(AMOUNTS, UNITS, st.sampled_from([None, D("1e-6"), D("1e-9"), D("1e-12")]))
def test_a_split_loses_nothing(paid: Decimal, units: Decimal, step: Decimal | None) -> None:
    """Units and money come out as they went in; the costs are neighbours and multiples of the step.

    Money is drawn independently of units: tidy prices hide what one cent over two units shows.
    """
    try:
        found = split(paid, units, "USD", step)
    except CostStepTooCoarse:
        assert step is not None
        assert Fraction(paid) / Fraction(units) < Fraction(step)
        return
    used = step or default_cost_step(units, "USD")
    assert sum(Fraction(share.units) for share in found) == Fraction(units)
    assert sum(Fraction(share.units) * Fraction(share.cost) for share in found) == Fraction(paid)
    assert all(share.units > 0 and share.cost > 0 for share in found)
    assert all(Fraction(share.cost) % Fraction(used) == 0 for share in found)
    if len(found) == 2:
        low, high = found
        assert high.cost - low.cost == used
    else:
        assert len(found) == 1


def test_a_part_of_a_lot_is_exact() -> None:
    """A third of 7777 units at three decimals: 7777 x 0.333 = 2589.741; half of 800 is 400.

    Without idle zeros: it is written into the ledger.
    """
    assert part(D(7777), D("0.333"), D("0.002571")) == D("2589.741")
    assert str(part(D(800), D("0.50"), D("0.20"))) == "400"


def test_a_part_that_28_digits_cannot_hold_is_rounded_down_as_little_as_need_be() -> None:
    """0.12345678901234 x 0.98765432109877 has 28 decimals, and so many at most may stay that it
    costs at most 28 digits: 0.01505... with 6 decimals of the cost leaves it 23.

    With 1000 units more it is 987.77... and costs 121.9...: 3 digits more, and one zero less behind
    the point, leave 19.
    """
    rate, cost = D("0.98765432109877"), D("0.123456")
    exact = 12345678901234 * 98765432109877  # in units of 1E-28
    assert part(D("0.12345678901234"), rate, cost) == D(exact // 10**5).scaleb(-23)
    exact = 100012345678901234 * 98765432109877
    assert part(D("1000.12345678901234"), rate, cost) == D(exact // 10**9).scaleb(-19)


def test_what_is_left_of_a_part_fits_28_digits_too() -> None:
    """A millionth of 99999999.9999999 CU at 1.2345678901 USD: the part alone would fit in full."""
    units, cost = D("99999999.9999999"), D("1.2345678901234")
    taken = part(units, D("0.00000123456789"), cost)
    with localcontext(EXACT):
        taken * cost
        (units - taken) * cost
    assert 123 < taken < 124


@pytest.mark.parametrize(
    ("total", "weights", "step", "expected"),
    [
        ("1.00", "1 1 1", "0.01", "0.33 0.34 0.33"),  # 0.333.., 0.666.. as 0.67, then the rest
        ("-1.00", "-1 -1 -1", "0.01", "-0.33 -0.34 -0.33"),
        ("0.01", "1 1 1", "0.01", "0.00 0.01 0.00"),
        ("5", "2 3", "1", "2 3"),
        ("0.375", "1 1", "0.01", "0.19 0.185"),  # the last takes what is finer than the step
        ("7.00", "1 -1", "0.01", "0 7.00"),  # weights that sum to zero tell nothing
        ("7.00", "3", "0.01", "7.00"),
    ],
)
def test_shares_of_a_total_add_up_to_it(total: str, weights: str, step: str, expected: str) -> None:
    """Each share is what its weight adds to the rounded running total."""
    shares = shares_of_total(Decimal(total), map(Decimal, weights.split()), Decimal(step))
    assert shares == [Decimal(share) for share in expected.split()]
    assert sum(shares) == Decimal(total)


def test_no_weights_have_no_shares() -> None:
    """Nobody is there to take anything."""
    assert shares_of_total(Decimal(1), [], Decimal("0.01")) == []


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.sampled_from(["USD", "JPY", "KWD"]))
@example(100, 4, "USD")
def test_whole_units_are_split_as_any_others(cents: int, number: int, currency: str) -> None:
    """Nothing is lost, the lower cost is the floor, and both are written without idle zeros."""
    paid = D(cents).scaleb(-decimals_of(currency))
    for step in (None, D("0.1"), D("1e-3"), D("1e-9")):
        try:
            found = split(paid, D(number), currency, step)
        except CostStepTooCoarse:
            assert step is not None
            assert Fraction(paid) / number < Fraction(step)
            continue
        assert sum(share.units for share in found) == number
        used = Fraction(step or default_cost_step(D(number), currency))
        for units, cost in found:
            assert units.as_tuple().exponent == 0 or Fraction(paid) % used
            assert str(cost) == str(trim(cost, decimals_of(currency)))
        assert Fraction(found[0].cost) == Fraction(paid) / number // used * used


def test_a_proportion_is_rounded_half_even_to_a_millionth() -> None:
    """A third, two of three, and the very half of a step."""
    third, two = (proportion(D("1.00"), D(weight), D(3)) for weight in (1, 2))
    assert (str(third), str(two)) == ("0.333333", "0.666667")
    assert str(proportion(D("0.000001"), D(1), D(2))) == "0"
    assert str(proportion(D("0.000003"), D(1), D(2))) == "0.000002"
    assert str(proportion(D("-80.00"), D(-5), D(-10))) == "-40"
