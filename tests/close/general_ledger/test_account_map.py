"""The map of accounts: the longest line that fits, and one clear error for a wrong one."""

from __future__ import annotations

import re

import pytest

from beancount_compute.close.general_ledger.account_map import MapError, NoMap, read_map

MAP = """\
account,code,name
Liabilities:DeferredRevenue,2400,Deferred revenue
Liabilities:DeferredRevenue:Tokens,2410,Token liability
Income:Compute,4000,"Revenue, tokens"
"""


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ("Liabilities:DeferredRevenue:Allocations:Alice", "2400"),
        ("Liabilities:DeferredRevenue:Tokens:Alice", "2410"),
        ("Liabilities:DeferredRevenue:Tokens", "2410"),
        ("Income:Compute", "4000"),
        ("Income:ComputeMore", None),
        ("Liabilities", None),
        ("Assets:Bank", None),
    ],
)
def test_a_line_stands_for_its_account_and_all_below_it(account: str, code: str | None) -> None:
    """The longest line wins; a name that merely begins alike is another account."""
    target = read_map(MAP, "accounts.csv").find(account)
    assert (target.code if target else None) == code


def test_columns_may_come_in_any_order_and_from_a_spreadsheet() -> None:
    """With a byte order mark, spaces around cells, empty lines and no names."""
    found = read_map("\ufeffcode, account\r\n 2400 ,Liabilities\r\n,\r\n", "accounts.csv")
    target = found.find("Liabilities:X")
    assert target is not None
    assert (target.code, target.name) == ("2400", "")


@pytest.mark.parametrize("line", ["Assets:Receivable,,1100", "Assets:Receivable,1100,"])
def test_of_code_and_name_one_will_do(line: str) -> None:
    """It stands for the account in every suite; the line covers the branch."""
    found = read_map(f"account,code,name\n{line}\n", "map").find("Assets:Receivable:Alice")
    assert found is not None and (found.code, found.name) == ("1100", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'accounts.csv:1: the first line is "": write account,code,name'),
        ("account,number\n", 'the first line is "account,number"'),
        ("account,code,class\n", 'the first line is "account,code,class"'),
        ("account;code\n", 'the first line is "account;code"'),
        ("account,code\nIncome,4000\nIncome,4100\n", "accounts.csv:3: Income stands twice"),
        ("account,code\nIncome,\n", "accounts.csv:2: account or code is empty"),
        ("account,code\nIncome\n", "accounts.csv:2: too many or too few columns"),
        ("account,code\nIncome,1,2\n", "accounts.csv:2: too many or too few columns"),
        ('account,code\n"Income,1\n', "not CSV"),
        (
            "account,code,name\nIncome,4000,Sales\nAssets,4000,Cash\n",
            "accounts.csv:3: code 4000 has another name or tax at Income",
        ),
    ],
)
def test_a_wrong_map_is_one_clear_error(text: str, message: str) -> None:
    """With file and line, and what to write instead."""
    with pytest.raises(MapError, match=re.escape(message)):
        read_map(text, "accounts.csv")


def test_without_a_map_an_account_stands_for_itself() -> None:
    """Its own name is the code."""
    assert NoMap().find("Assets:Bank").code == "Assets:Bank"
