"""`bean-compute prices`: published prices of a provider, as dated lines to paste.

bean-compute prices LEDGER METER --provider openai --model gpt-5 --kind output
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import click
from beancount.core.data import Custom

from beancount_compute.cli.printing import hand_on, say
from beancount_compute.cli.shell import LEDGER, WRITTEN, load, refusing, show_errors
from beancount_compute.close.loading import Loaded
from beancount_compute.economy import Month, Refused
from beancount_compute.ledger import ORDER
from beancount_compute.price_list.price_lines import MeterAsked, PriceForm, price_lines

HOW_TO_GET_IT = 'published prices need genai-prices: pip install "beancount_compute[prices]"'


def _day(_ctx: click.Context, _param: click.Parameter, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no day: write one such as 2026-05-01") from None


def _pair(_ctx: click.Context, _param: click.Parameter, text: str) -> tuple[str, str] | None:
    key, equals, value = (part.strip() for part in text.partition("="))
    if text and not (key and equals and value):
        raise click.BadParameter(f"{text!r} is no variant: write one such as processing=batch")
    return (key, value) if text else None


@click.command(
    epilog="\b\nExample:\n  bean-compute prices main.beancount chat/output --provider openai \\\n"
    "    --model gpt-5 --kind output"
)
@click.argument("ledger", type=LEDGER)
@click.argument("meter")
@click.option("--provider", required=True, help="As the list names it.")
@click.option("--model", required=True, help="As the list or the provider names it.")
@click.option("--kind", required=True, help="Such as input, output, cache_read, web_searches.")
@click.option(
    "--as",
    "form",
    type=click.Choice([each.value for each in PriceForm]),
    help="Default: by who serves METER.",
)
@click.option("--date", "day", callback=_day, help="Default: the first open day.")
@click.option("--called", default="", help="The provider's name in LEDGER, if it is another.")
@click.option("--variant", default="", callback=_pair, help="Such as processing=batch.")
@click.option("--context", type=click.IntRange(min=0), default=0, help="Input tokens of a request.")
@refusing
def prices(
    ledger: Path,
    meter: str,
    provider: str,
    model: str,
    kind: str,
    form: str | None,
    day: date | None,
    called: str,
    variant: tuple[str, str] | None,
    context: int,
) -> None:
    """Print published prices as dated lines of METER, to paste into LEDGER.

    A `compute-meter` where the provider serves METER or nobody does yet, else a `compute-quote`;
    for the meter's own `per`, later prices that the list knows too. The list is that of the
    installed library genai-prices (extra [prices]): no network, and no load ever asks it.
    """
    try:
        from beancount_compute.price_list import published_prices as listed
    except ImportError:
        raise click.ClickException(HOW_TO_GET_IT) from None
    loaded = load(ledger)
    show_errors(loaded.errors)
    try:
        price = listed.AskedPrice(provider, model, kind, variant, context)
        found = listed.published(listed.bundled(), price, _date_of(loaded, day))
        asked = MeterAsked(meter, called or provider.lower(), PriceForm(form) if form else None)
        made = price_lines(loaded.booked.terms.terms, asked, found)
    except Refused as refused:
        raise click.ClickException(str(refused)) from None
    for note in made.notes:
        say(f"Note: {note}", err=True)
    hand_on("".join(f"{line}\n" for line in made.lines))
    sys.exit(1 if loaded.errors else 0)


def _date_of(loaded: Loaded, day: date | None) -> date:
    """The day from which the lines hold: one that was asked for, else the first that is open.

    The books of that day on can still change, those of closed months can't.
    """
    booked = loaded.booked
    if booked.chain.closed:
        last = max(Month.parse(each.month) for each in booked.chain.closed).last
        if day and day <= last:
            raise Refused(
                f"{day} is in a closed month: the first open day is {last + timedelta(1)}"
            )
        return day or last + timedelta(1)
    ours = [
        entry.date
        for entry in loaded.entries
        if ORDER in entry.meta or (isinstance(entry, Custom) and entry.type in WRITTEN)
    ]
    if not day and not ours:
        raise Refused("the ledger has no compute- directives, and so no first day: say --date")
    return day or min(ours)
