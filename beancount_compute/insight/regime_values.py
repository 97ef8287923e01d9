"""What a subscriber is worth with a market and without, and where the two are equal.

    a month without a market earns 160.00; with one 160.00 - 4.00, as 40 CU sold are used at a cost,
    + 2.50 of fees; of 100 a month 5 leave with a market, 6 without

    over 12 months, discounted by 10 % a year        with 1402.04, without 1346.09

Of a subscriber there is so much in the first month, and of each later one what is left of those who
stay, discounted:

    worth(month, churn) = month x (1 + v + ... + v ^ (months - 1))
                      v = (1 - churn) / (1 + discount)
    month with a market = month without + unused x (share x (price x fee - cost) - kept)

`share` of what is left `unused` (at carrying amount) is sold, at `price` times its carrying amount;
`cost` is what a sold part costs because it did not lapse, `kept` what unused units cost that were
kept and used later. The retention gain is how much lower churn is, a month, than without a market.
"""

from __future__ import annotations

from typing import NamedTuple

from scipy.optimize import brentq

_SAME = 1e-9  # below it the sum of powers of nearly 1 loses digits


class MonthsCompared(NamedTuple):
    """For how many months, and what a month later counts less."""

    months: int
    discount: float  # a month

    def worth(self, churn: float) -> float:
        """The months of one subscriber, this one and those to come."""
        kept = (1 - churn) / (1 + self.discount)
        if abs(1 - kept) < _SAME:
            return float(self.months)
        return float((1 - kept**self.months) / (1 - kept))


class RegimeTerms(NamedTuple):
    """A month of a subscription, and what a market changes of it."""

    margin: float  # of a month without a market
    unused: float  # at carrying amount
    share: float  # of it that is sold
    price: float  # of what is sold, over its carrying amount: each time it is
    fee: float  # over the price
    cost: float  # of a part that is sold, over its carrying amount
    kept: float  # the cost of units that are kept, over all that is unused
    churn: float  # a month, with a market
    gain: float  # how much higher it would be without

    @property
    def without(self) -> float:
        """Churn without a market."""
        return min(1.0, max(0.0, self.churn + self.gain))

    @property
    def brings(self) -> float:
        """What the market adds to a month, or takes from it."""
        earned = self.share * (self.price * self.fee - self.cost)
        return self.unused * (earned - self.kept)


class Solution(NamedTuple):
    """Where the two are equal; or None, and why nowhere."""

    at: float | None
    said: str = ""


NOT_SOLD = "nothing was sold"
MORE, LESS = "the market earns more whatever it is", "the market earns less whatever it is"


def worths(terms: RegimeTerms, over: MonthsCompared) -> tuple[float, float]:
    """What a subscriber is worth with a market, and without."""
    with_market = (terms.margin + terms.brings) * over.worth(terms.churn)
    return with_market, terms.margin * over.worth(terms.without)


def difference(terms: RegimeTerms, over: MonthsCompared) -> float:
    """How much more a subscriber is worth with a market."""
    with_market, without = worths(terms, over)
    return with_market - without


def break_even_fee(terms: RegimeTerms, over: MonthsCompared) -> Solution:
    """The fee at which the two are equal, the rest as it is."""
    gross = terms.unused * terms.share * terms.price
    if gross <= 0:
        return Solution(None, NOT_SOLD)
    costs = terms.unused * (terms.share * terms.cost + terms.kept)
    return _within((_needed(terms, over) + costs) / gross, rising=True)


def break_even_share(terms: RegimeTerms, over: MonthsCompared) -> Solution:
    """The share of unused units sold at which the two are equal."""
    if terms.unused * terms.share * terms.price <= 0:
        return Solution(None, NOT_SOLD)
    slope = terms.unused * (terms.price * terms.fee - terms.cost)
    least = _needed(terms, over) + terms.unused * terms.kept
    if not slope:
        return Solution(None, MORE if least < 0 else LESS)
    return _within(least / slope, rising=slope > 0)


def break_even_gain(terms: RegimeTerms, over: MonthsCompared) -> Solution:
    """The retention gain, in churn a month, at which the two are equal."""
    if over.months == 1:
        return Solution(None, "over one month it changes nothing")
    if terms.margin <= 0:
        return Solution(None, "a month earns nothing without a market")
    wanted = over.worth(terms.churn) * (1 + terms.brings / terms.margin)
    if not terms.brings:
        return Solution(0.0)
    if wanted > over.worth(0):
        return Solution(None, MORE)
    if wanted < over.worth(1):
        return Solution(None, LESS)
    churn = brentq(lambda each: over.worth(each) - wanted, 0.0, 1.0, xtol=1e-12)
    return Solution(float(churn) - terms.churn)


def _needed(terms: RegimeTerms, over: MonthsCompared) -> float:
    """What the market has to bring a month."""
    return terms.margin * (over.worth(terms.without) / over.worth(terms.churn) - 1)


def _within(part: float, *, rising: bool) -> Solution:
    """A part of 0 to 1; beyond these the market is better, or worse, at all of them."""
    if part < 0:
        return Solution(None, MORE if rising else LESS)
    if part > 1:
        return Solution(None, LESS if rising else MORE)
    return Solution(part)
