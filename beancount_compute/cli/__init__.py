"""`bean-compute`: arguments in; text and an exit code out.

bean-compute check LEDGER         every error, then what is open, earned and whether it ties
bean-compute accounts LEDGER      the accounts of each subscriber, for payments
bean-compute print LEDGER         the booked ledger as plain Beancount text
bean-compute report NAME LEDGER   roll-forward, revenue, market and others, see reports/
bean-compute review LEDGER        what may be right but looks wrong, with the lines that answer it
bean-compute close MONTH LEDGER   tie out, freeze and seal a month; verify, reopen, carry go with it
bean-compute whatif LEDGER        the books beside scenarios: other prices, costs, policies
bean-compute simulate FOLDER      an economy that is made up, as an ordinary ledger
bean-compute compare LEDGER...     ledgers side by side, or many simulated economies
bean-compute export MONTH LEDGER  a month's journal for the general ledger
bean-compute bulk MONTH LEDGER    a month of events in Parquet, too many for a ledger
bean-compute prices LEDGER METER  published prices as dated lines to paste
bean-compute new FOLDER           a small commented ledger to start from
bean-compute help PAGE            a page of the manual
"""

from __future__ import annotations

import sys
from importlib import import_module
from io import StringIO, TextIOWrapper
from typing import Any

import click

from beancount_compute.cli.printing import say
from beancount_compute.collector import nothing_collected

_COMMANDS = {  # where each is found in this package
    "check": "check:check",
    "accounts": "ledgers:accounts",
    "print": "ledgers:print_",
    "report": "report:report",
    "review": "review:review",
    "whatif": "whatif:whatif",
    "simulate": "simulate:simulate",
    "compare": "compare:compare",
    "close": "close:close",
    "verify": "close:verify",
    "reopen": "close:reopen",
    "carry": "close:carry_",
    "export": "export:export_command",
    "bulk": "bulk:bulk",
    "prices": "list_prices:prices",
    "new": "ledgers:new",
    "help": "help:help_",
}


class _Commands(click.Group):
    """Commands that are imported when they are asked for: none waits for what others need."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; a full disk is an error of one line, and `| head` says nothing."""
        extra["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **extra))
        except click.ClickException as error:
            text = StringIO()
            error.show(text)
            say(text.getvalue().rstrip("\n"), err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(1)
        except OSError as error:
            at = f"{error.filename}: " if error.filename else "can't write: "
            say(f"Error: {at}{error.strerror or error}", err=True)
            sys.exit(1)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return found


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  bean-compute new books\n  bean-compute help start",
)
@click.version_option(package_name="beancount_compute", message="%(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """The books of the compute-token economy, beside bean-check and Fava."""
    context.with_resource(nothing_collected())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name must not fail in a narrow encoding
            stream.reconfigure(errors="replace")


for command in _COMMANDS:
    main.add_command(click.Command(command))  # its name alone: for lists, and for "did you mean"
