"""`bean-compute`: arguments in; text and an exit code out.

bean-compute check LEDGER         every error, then what is open, earned and whether it ties
bean-compute print LEDGER         the booked ledger as plain Beancount text
bean-compute report NAME LEDGER   roll-forward, revenue, market and others, see reports/
bean-compute close MONTH LEDGER   tie out, freeze and seal a month; verify, reopen, carry go with it
bean-compute export MONTH LEDGER  a month's journal for the general ledger
bean-compute new FOLDER           a small commented ledger to start from
"""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from beancount_compute.cli.closed_months import carry_, reopen, verify
from beancount_compute.cli.export import export_command
from beancount_compute.cli.ledgers import check, new, print_
from beancount_compute.cli.month_end import close
from beancount_compute.cli.report import Shell, report_command
from beancount_compute.cli.shell import (
    load,
    say_if_empty,
    show_errors,
    uncollected,
    width,
    writing,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="beancount_compute", message="%(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """The books of the compute-token economy, beside bean-check and Fava."""
    context.with_resource(uncollected())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name must not fail in a narrow encoding
            stream.reconfigure(errors="replace")


for command in (
    check,
    print_,
    report_command(Shell(load, show_errors, writing, width, say_if_empty)),
    close,
    verify,
    reopen,
    carry_,
    export_command,
    new,
):
    main.add_command(command)
