"""The files of each format, on the story's June, to the character; headers are the vendors' own.

June by hand: both are billed 200.00; alice's 800 CU of May (160.00) become tokens; bob buys 500 of
them (100.00) for 125.00 less 6.25, and uses 1000 CU (200.00) and 400 tokens (80.00).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader

from beancount_compute.close.general_ledger.account_map import (
    AccountMap,
    NoMap,
    Target,
    Unmapped,
    read_map,
)
from beancount_compute.close.general_ledger.formats import By, LimitExceeded, Setting, file_text
from beancount_compute.close.general_ledger.journals import Journal, JournalLine, files_of, parts_of
from beancount_compute.close.general_ledger.month_export import (
    FORMATS,
    ExportRequest,
    File,
    export,
)
from beancount_compute.close.general_ledger.slots import Only
from beancount_compute.economy.months import Month
from beancount_compute.reports.books import read_books

ROUNDING = "Expenses:Rounding"
STORY = Path(__file__).parents[2] / "golden" / "story" / "ledger.beancount"
MAP = read_map(
    """\
account,code,name,tax
Assets:Receivable,1200,Receivables,
Liabilities:Payable,2100,Payable to sellers,
Liabilities:DeferredRevenue,2400,Deferred revenue,BAS Excluded
Income:Compute,4000,Token revenue,
Income:Fees,4100,=Fees,
""",
    "accounts.csv",
)
CSV = """\
journal,date,currency,account,code,name,plan,subscriber,description,debit,credit
TOK-2026-06-USD,2026-06-30,USD,Assets:Receivable:Alice,,,,,Assets:Receivable:Alice,200.00,
TOK-2026-06-USD,2026-06-30,USD,Assets:Receivable:Bob,,,,,Assets:Receivable:Bob,325.00,
TOK-2026-06-USD,2026-06-30,USD,Income:Compute,,,,,Income:Compute,,280.00
TOK-2026-06-USD,2026-06-30,USD,Income:Fees,,,,,Income:Fees,,6.25
TOK-2026-06-USD,2026-06-30,USD,Liabilities:DeferredRevenue:Allocations:Alice,,,,,\
Liabilities:DeferredRevenue:Allocations:Alice,,40.00
TOK-2026-06-USD,2026-06-30,USD,Liabilities:DeferredRevenue:Tokens:Alice,,,,,\
Liabilities:DeferredRevenue:Tokens:Alice,,60.00
TOK-2026-06-USD,2026-06-30,USD,Liabilities:DeferredRevenue:Tokens:Bob,,,,,\
Liabilities:DeferredRevenue:Tokens:Bob,,20.00
TOK-2026-06-USD,2026-06-30,USD,Liabilities:Payable:Alice,,,,,Liabilities:Payable:Alice,,118.75
"""
QUICKBOOKS = """\
Journal No.,Journal Date,Account Name,Description,Debits,Credits,Name
TOK-2026-06-USD,06/30/2026,Receivables,Assets:Receivable,525.00,,
TOK-2026-06-USD,06/30/2026,Payable to sellers,Liabilities:Payable,,118.75,
TOK-2026-06-USD,06/30/2026,Deferred revenue,Liabilities:DeferredRevenue,,120.00,
TOK-2026-06-USD,06/30/2026,Token revenue,Income:Compute,,280.00,
TOK-2026-06-USD,06/30/2026,'=Fees,Income:Fees,,6.25,
"""
XERO = """\
*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount,\
TrackingName1,TrackingOption1,TrackingName2,TrackingOption2
TOK-2026-06-USD,30/06/2026,Assets:Receivable,1200,Tax Exempt,525.00,,,,
TOK-2026-06-USD,30/06/2026,Liabilities:Payable,2100,Tax Exempt,-118.75,,,,
TOK-2026-06-USD,30/06/2026,Liabilities:DeferredRevenue,2400,BAS Excluded,-120.00,,,,
TOK-2026-06-USD,30/06/2026,Income:Compute,4000,Tax Exempt,-280.00,,,,
TOK-2026-06-USD,30/06/2026,Income:Fees,4100,Tax Exempt,-6.25,,,,
"""
NETSUITE = """\
External ID,Date,Subsidiary,Currency,Memo,Journal Entry - Line: Account,\
Journal Entry - Line: Debit,Journal Entry - Line: Credit,Journal Entry - Line: Memo
TOK-2026-06-USD,06/30/2026,Parent Company,US Dollar,"Compute tokens, 2026-06",\
1200 Receivables,525.00,,Assets:Receivable
TOK-2026-06-USD,06/30/2026,Parent Company,US Dollar,"Compute tokens, 2026-06",\
2100 Payable to sellers,,118.75,Liabilities:Payable
TOK-2026-06-USD,06/30/2026,Parent Company,US Dollar,"Compute tokens, 2026-06",\
2400 Deferred revenue,,120.00,Liabilities:DeferredRevenue
TOK-2026-06-USD,06/30/2026,Parent Company,US Dollar,"Compute tokens, 2026-06",\
4000 Token revenue,,280.00,Income:Compute
TOK-2026-06-USD,06/30/2026,Parent Company,US Dollar,"Compute tokens, 2026-06",\
4100 =Fees,,6.25,Income:Fees
"""


def files_of_june(form: str, names: AccountMap, subsidiary: str = "") -> list[File]:
    entries, errors, options = loader.load_file(str(STORY))
    assert not errors
    books, month = read_books(entries, options), Month.parse("2026-06")
    request = ExportRequest(FORMATS[form], By.ACCOUNT, Only.BOOKED, names, ROUNDING, subsidiary)
    return export(books, month, request)


def long_journal(lines: int, currency: str = "USD") -> Journal:
    """That many lines, a multiple of seven: 0.21 against 0.01 to 0.06, again and again."""
    made = [
        JournalLine(
            Target("1000"), "", Decimal("0.21") if not at % 7 else Decimal(-(at % 7)) / 100, ""
        )
        for at in range(lines)
    ]
    return Journal(f"TOK-2026-05-{currency}", date(2026, 5, 31), currency, "memo", tuple(made))


@pytest.mark.parametrize(
    ("form", "names", "subsidiary", "name", "text"),
    [
        ("csv", NoMap(), "", "2026-06-journal.csv", CSV),
        ("quickbooks", MAP, "", "2026-06-quickbooks-USD.csv", QUICKBOOKS),
        ("xero", MAP, "", "2026-06-xero-USD.csv", XERO),
        ("netsuite", MAP, "Parent Company", "2026-06-netsuite-USD.csv", NETSUITE),
    ],
)
def test_the_story_in_each_format(
    form: str, names: AccountMap, subsidiary: str, name: str, text: str
) -> None:
    """525.00 = 118.75 + 120.00 + 280.00 + 6.25, under the vendor's own headers."""
    assert files_of_june(form, names, subsidiary) == [File(name, text)]


def test_plain_csv_shows_code_and_name_beside_the_account() -> None:
    """Where a map gives them."""
    (file,) = files_of_june("csv", MAP)
    assert ",Income:Compute,4000,Token revenue,,,Income:Compute,,280.00\n" in file.text


def test_quickbooks_takes_the_names_of_the_ledger_where_there_is_no_map() -> None:
    """`Parent:Sub-account` is how both name accounts."""
    (file,) = files_of_june("quickbooks", NoMap())
    assert "TOK-2026-06-USD,06/30/2026,Income:Compute,Income:Compute,,280.00,\n" in file.text


def test_a_currency_of_netsuite_goes_by_its_name_there() -> None:
    """A line of the map wins; one that NetSuite doesn't bring along must be in the map."""
    lines = "account,code\nAssets,1\nIncome,4\nLiabilities,2\n"
    (file,) = files_of_june("netsuite", read_map(f"{lines}USD,USA\n", "map"))
    assert "06/30/2026,,USA," in file.text
    ledger = (
        'plugin "beancount.plugins.auto_accounts"\n'
        '2026-06-01 * "x"\n  Assets:Bank 1 CHF\n  Income:X\n'
    )
    entries, _, options = loader.load_string(ledger)
    month, names = Month.parse("2026-06"), read_map(lines, "map")
    with pytest.raises(Unmapped) as caught:
        export(
            read_books(entries, options),
            month,
            ExportRequest(FORMATS["netsuite"], By.ACCOUNT, Only.ALL, names, ROUNDING),
        )
    assert caught.value.accounts == ["CHF"]


def pieces(form: str, journal: Journal) -> Iterator[list[Journal]]:
    kind = FORMATS[form]
    yield from files_of(parts_of(journal, kind.most_in_journal), kind.most_in_file)


@pytest.mark.parametrize(
    ("form", "rows", "lines_in_journal"),
    [("quickbooks", 1000, 999), ("xero", 301, 300), ("netsuite", 25_001, 10_000)],
)
def test_no_file_and_no_journal_exceeds_what_the_vendor_takes(
    form: str, rows: int, lines_in_journal: int
) -> None:
    """Rows of a file with its header; 30,009 lines make several files in any case, whose journals
    are as long as may be."""
    whole = long_journal(30_009)
    files = list(pieces(form, whole))
    assert len(files) > 1
    for journals in files:
        text = file_text(FORMATS[form], journals, Setting(By.ACCOUNT, "", {"USD": "US Dollar"}))
        assert len(text.splitlines()) <= rows
    lengths = [len(each.lines) for journals in files for each in journals]
    assert max(lengths) == lines_in_journal
    assert 30_009 <= sum(lengths) <= 30_009 + len(lengths)  # a line is cut in two at each end
    assert len({each.id for journals in files for each in journals}) == sum(map(len, files))


@pytest.mark.parametrize(
    ("form", "journal", "message"),
    [
        ("netsuite", long_journal(7, "KWD"), "KWD has 3 decimals, NetSuite takes 2"),
        (
            "netsuite",
            long_journal(7)._replace(
                lines=(JournalLine(Target("1"), "", Decimal("10000000000.00"), "Assets:Bank"),)
            ),
            "10,000,000,000.00 USD on Assets:Bank has more than the 10 digits",
        ),
        ("quickbooks", long_journal(7, "LONGCURRENCY"), "QuickBooks takes 21"),
        (
            "xero",
            long_journal(7)._replace(
                lines=(
                    JournalLine(Target("Assets:Cash", "", "", "Assets:Cash"), "", Decimal(1), ""),
                )
            ),
            "account code Assets:Cash of Assets:Cash has 11 characters, Xero takes 10",
        ),
    ],
)
def test_what_a_vendor_would_refuse_is_refused_here(
    form: str, journal: Journal, message: str
) -> None:
    """With what exceeds the limit, by how much, and what to do."""
    with pytest.raises(LimitExceeded) as caught:
        FORMATS[form].check(journal, Setting(By.ACCOUNT))
    assert message in str(caught.value)


FORMULAS = (
    *(f"{start}1+1" for start in ["=", "+", "-", "@", "\t", "\r"]),
    "x;=cmd|' /C calc'!A0",
    'x;"=1+1',
    "\u200b=1+1",
    "\ufeff=1+1",
    '"=1+1',
    "x\r=1+1",
    "x\n=1+1",
    "\uff1d1+1",
)
# A sign at the beginning of a cell or of what may be taken for one, and no apostrophe before it.
RUNS = re.compile(r"(?:\A|[;\t\r\n])[\s\"\u200b\ufeff]*[=+@\uff1d-]")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("by", [*By])
@pytest.mark.parametrize("text", FORMULAS)
def test_no_format_has_a_cell_that_a_spreadsheet_would_run(form: str, by: By, text: str) -> None:
    """Whoever wrote the text: as account, code, name, tax, key, description, memo, journal,
    currency or subsidiary; a negative number stays a number."""
    line = JournalLine(Target(text, text, text, text), text, Decimal("-1.00"), text)
    journal = Journal(text, date(2026, 5, 31), text, text, (line,))
    written = file_text(FORMATS[form], [journal], Setting(by, text, {text: text}))
    (_, row) = csv.reader(io.StringIO(written, newline=""))
    numbers = [cell for cell in row if cell in ("-1.00", "1.00")]
    assert numbers == (["-1.00"] if form == "xero" else ["1.00"])
    assert [cell for cell in row if RUNS.search(cell) and cell not in numbers] == []
    assert [cell.replace("'", "") for cell in row].count(text.replace("'", "")) >= 3


def refused(form: str, by: By, *targets: tuple[Target, str]) -> str:
    """Why a journal of lines on those accounts is refused; "" where it is not."""
    lines = tuple(JournalLine(target, key, Decimal(1), "") for target, key in targets)
    journal = Journal("TOK", date(2026, 5, 31), "USD", "memo", lines)
    try:
        FORMATS[form].check(journal, Setting(by))
    except LimitExceeded as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("1200", "Accounts receivable"),
        ("1200", "ACCOUNTS  Receivable"),
        ("610", ""),
        ("800", ""),
        ("2000", "Accounts Payable"),
        ("960", "Retained Earnings"),
        ("090", ""),
        ("090", "Business Bank Account"),
        ("1000", "Bank"),
        ("1", "Unrealised Currency Gains"),
        ("1", "Unrealized Currency Gains"),
        ("877", ""),
        ("Accounts receivable", ""),
    ],
)
def test_what_xero_keeps_by_itself_is_refused(code: str, name: str) -> None:
    """With the account, where it leads, the reason, and what to do instead."""
    found = refused("xero", By.SUBSCRIBER, (Target(code, name, "", "Assets:X"), "alice"))
    assert found.startswith(f"Xero takes no journals on:\n\nAssets:X -> {code}")
    assert found.endswith("map to an account of your own, such as a clearing account")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("610", "Compute receivables"),  # a chart of accounts is its owner's
        ("1150", "Compute clearing"),
        ("404", "Bank fees"),
        ("611", "Accounts receivable 2"),
        ("840", "Historical adjustment"),
    ],
)
def test_what_xero_takes_is_taken(code: str, name: str) -> None:
    assert refused("xero", By.ACCOUNT, (Target(code, name, "", "Assets:X"), "")) == ""


def test_quickbooks_wants_names_on_receivables_and_payables() -> None:
    """So they go out by subscriber, all lines with one; all that lack it are one error."""
    receivable = Target("1", "Accounts receivable (A/R)", "", "Assets:Receivable")
    payable = Target("2", "Accounts Payable:Sellers", "", "Liabilities:Payable")
    fine = Target("3", "Token revenue", "", "Income:Compute")
    lines = ((receivable, "alice"), (payable, "bob"), (fine, ""))
    assert refused("quickbooks", By.SUBSCRIBER, *lines) == ""
    assert refused("quickbooks", By.SUBSCRIBER, *lines, (receivable, "")) == (
        "QuickBooks takes no journals on:\n\nAssets:Receivable -> 1 Accounts receivable (A/R): "
        "QuickBooks wants a customer on each of its lines\n\nexport --by subscriber, or map to an "
        "account of your own, such as a clearing account"
    )
    for by in (By.ACCOUNT, By.PLAN):
        found = refused("quickbooks", by, *lines)
        assert "1 Accounts receivable (A/R): QuickBooks wants a customer" in found
        assert "2 Accounts Payable:Sellers: QuickBooks wants a supplier" in found
        assert "Token revenue" not in found
    assert "profit" in refused("quickbooks", By.SUBSCRIBER, (Target("Retained Earnings"), "a"))
