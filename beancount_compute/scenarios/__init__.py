"""What if: the same events under other terms. The books are never touched.

2026-06-01 custom "compute-scale" "plan-price" 0.50    ; scenarios/prices-crash.beancount

                books   scenario   difference
revenue        180.00     138.00       -42.00

scenario_file   a file of terms and scales
merging         the terms under it
replaying       all events booked again, from the first day
tally           bookings added up
compared        figures of the books beside those of scenarios
what_if         all of it: what the command and pages call
"""

from beancount_compute.scenarios.compared import PartedBy, WhatIf
from beancount_compute.scenarios.scenario_file import Scenario
from beancount_compute.scenarios.tally import DaysAsked
from beancount_compute.scenarios.what_if import (
    CannotCompare,
    UnderScenario,
    read_scenarios,
    what_if,
)
