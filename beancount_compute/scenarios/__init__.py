"""What if: the same events under other terms. The books are never touched.

2026-06-01 custom "compute-scale" "plan-price" 0.50    ; scenarios/prices-crash.beancount

                books   scenario   difference
revenue        180.00     138.00       -42.00

scenario_file   a file of terms and scales
merging         the terms under it
replaying       all events booked again, from the first day
tally           bookings added up
figures_of_runs what each figure is made of, and of the books beside scenarios
compared        all of them, and what was refused, as tables
what_if         all of it: what the command calls
in_a_process    the same apart from who asks: what pages call
"""

from beancount_compute.scenarios.compared import BOOKS, OF_SCENARIO, WhatIf
from beancount_compute.scenarios.figures_of_runs import HEADLINES, OF_DAYS, PartedBy
from beancount_compute.scenarios.in_a_process import ScenariosApart, ScenariosFound
from beancount_compute.scenarios.scenario_file import Scenario
from beancount_compute.scenarios.tally import DaysAsked
from beancount_compute.scenarios.what_if import (
    CannotCompare,
    UnderScenario,
    read_scenarios,
    what_if,
)
