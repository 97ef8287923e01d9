"""The process that books the scenarios of a ledger for its pages: see `in_a_process.py`."""

import sys

from beancount_compute.scenarios.in_a_process import answer

answer(*sys.argv[1:])
