"""The page of the language names all that the tables of the code know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from beancount_compute import manual
from beancount_compute.economy.capacities import CAPACITY_KEYS
from beancount_compute.economy.kinds import EVENTS, KINDS
from beancount_compute.economy.meters import METER_KEYS
from beancount_compute.economy.options import OPTIONS, PLAN_KEYS
from beancount_compute.economy.roles import ROLES, Role, Root
from beancount_compute.economy.term_values import DrawDown
from beancount_compute.ledger.rows import COLUMNS
from tests.manual.blocks import MANUAL, ROOT, blocks

TEXT = manual.pages()["language"].text
ROOTS = {
    Root.ASSETS: "Assets",
    Root.LIABILITIES: "Liabilities",
    Root.INCOME: "Income",
    Root.EXPENSES: "Expenses",
}


def section(number: int) -> str:
    """What stands under a heading with a number."""
    (found,) = re.findall(rf"(?ms)^## {number}\. .*?(?=^## |\Z)", TEXT)
    return str(found)


def test_the_sections_keep_their_numbers() -> None:
    """Code and tests cite them."""
    titles = re.findall(r"(?m)^## (.*)$", TEXT)
    assert titles == [
        "1. The idea",
        "2. Directives",
        "3. Event files",
        "4. Order",
        "5. What is booked",
        "6. What is refused",
        "7. The story in numbers",
    ]


def test_every_citation_names_the_page_and_a_section_of_it() -> None:
    """So that a reader of the code finds what it rests on."""
    cited = []
    for path in [*ROOT.glob("beancount_compute/**/*.py"), *ROOT.glob("tests/**/*.*")]:
        if path.suffix in (".py", ".beancount") and path != Path(__file__):
            text = " ".join(path.read_text("utf-8").split())
            cited += re.findall(r"(\S*)language\.md(?:, sections? (\d)(?: and (\d))?)?", text)
    assert len(cited) >= 40
    assert {before.lstrip('("') for before, _, _ in cited} == {"manual/"}
    numbers = {number for _, *found in cited for number in found if number}
    assert numbers <= {"1", "2", "3", "4", "5", "6", "7"}


@pytest.mark.parametrize("name", [*OPTIONS, *PLAN_KEYS, *METER_KEYS, *CAPACITY_KEYS])
def test_every_option_and_key_of_terms_is_there(name: str) -> None:
    """In the tables of directives."""
    assert re.search(rf"(?m)^\| [^|]*`{name}`", section(2))


@pytest.mark.parametrize("kind", EVENTS)
def test_every_kind_of_event_has_an_example(kind: str) -> None:
    """Among the directives; and what it may hold besides is named."""
    text = "".join(block.text for block in blocks(MANUAL / "language.md", "beancount"))
    assert f'"compute-{kind}"' in text
    for form in KINDS[kind].forms:
        for name in (*form.optional, *form.needed):
            assert f"`{name}`" in section(2)


def test_the_columns_of_files_are_those_of_the_code() -> None:
    """In the same order."""
    (listed,) = re.findall(r"(?m)^    (id,.*\n.*)$", section(3))
    assert re.split(r",\s*", listed) == list(COLUMNS)


@pytest.mark.parametrize("order", list(DrawDown))
def test_every_draw_down_order_is_there(order: str) -> None:
    """In the table of orders."""
    assert f"| `{order}` |" in section(4)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_is_there_with_its_account(role: Role) -> None:
    """In the table of roles, under its root."""
    row = ROLES[role]
    (line,) = re.findall(rf"(?m)^\| [^|]*`{role}`.*$", section(5))
    account = f"{ROOTS[row.root]}:{row.account}"
    assert account in line or f"...:{account.split(':', 2)[2]}" in line
