"""What can be had back on demand: the disclosure on months in bulk is that of the plugin."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from beancount_compute.reports import Selection
from beancount_compute.reports.registry import disclosure
from tests.bulk.both_ledgers import both_ledgers
from tests.bulk.test_reports_of_months import assert_same_tables
from tests.reports.showing import figures
from tests.reports.test_disclosure import REFUNDABLE, TOTAL

# In March 20.00 go back of carol's top-up, 30.00 are charged back of dave's, and bob leaves for the
# plan of alice and erin; half of erin's April is refunded, and she leaves at once.
MONEY_BACK = """\
2026-01-02 custom "compute-allocation" "carol" 100 CU 50.00 USD
  id: "of-carol"
2026-01-16 custom "compute-allocation" "dave" 100 CU 50.00 USD
  id: "of-dave"
2026-03-01 custom "compute-subscription" "erin" "pro"
  id: "s-erin"
2026-03-10 custom "compute-refund" "carol" 20.00 USD
  of: "of-carol"
2026-03-12 custom "compute-chargeback" "of-dave" 30.00 USD
2026-03-20 custom "compute-change" "bob" "firm" "pro"
2026-04-10 custom "compute-refund" "erin" 100.00 USD
  of: "s-erin/2026-04-01"
2026-04-12 custom "compute-cancellation" "erin" "pro"
  now: TRUE
"""


def test_the_refund_liability_is_the_plugin_s(tmp_path: Path) -> None:
    """Of alice's and carol's 50.00, sold while top-ups could be had back, 20.00 leave the refund
    liability; bob's and dave's were sold later, and 30.00 leave the contract liability."""
    (tmp_path / "both").mkdir()
    ledger = tmp_path / "main.beancount"
    ledger.write_text(REFUNDABLE + MONEY_BACK, encoding="utf-8")
    both = both_ledgers(ledger, tmp_path / "both")
    assert not both.plugin.errors and not both.bulk.errors
    plugin, months = both.books()
    march = Selection(date(2026, 3, 1), date(2026, 3, 31))
    selections = [
        Selection(),
        Selection(end=date(2026, 2, 28)),
        march,
        Selection(date(2026, 1, 10), date(2026, 4, 10)),
        Selection(plan="pro"),
        Selection(plan="top-up"),
    ]
    report = disclosure(pattern=2)
    assert "refundable" in {layout.name for layout in report.layouts(months, march)}
    assert assert_same_tables(plugin, months, selections, [report]) >= 6 * 6
    of_top_ups = Selection(march.start, march.end, plan="top-up")
    for table, row, voided in (
        ("refundable", ("USD",), {"opening": "100.00", "voided": "-20.00", "closing": "80.00"}),
        ("movement", TOTAL, {"opening": "100.00", "voided": "-30.00", "closing": "70.00"}),
    ):
        assert figures(report, months, of_top_ups, table)[row] == voided
    # alice's and erin's 200.00, and 200.00 x 13/31 of bob
    assert figures(report, months, march, "refundable")["USD",]["allocated"] == "483.87"
