"""How many random examples the tests try: a sample in each run, the whole on demand.

python -m pytest -n 3                                       ; a sample of each law
BEANCOUNT_COMPUTE_EXAMPLES=whole python -m pytest -n 3      ; every law on its whole count
BEANCOUNT_COMPUTE_EXAMPLES=5000 python -m pytest tests/laws/test_laws.py    ; as many as you like
"""

from __future__ import annotations

import os

ASKED = os.environ.get("BEANCOUNT_COMPUTE_EXAMPLES", "")


def examples(sample: int, whole: int) -> int:
    """How many examples to try: `sample` in a usual run, `whole` where the whole is asked for."""
    if ASKED == "whole":
        return whole
    return int(ASKED) if ASKED else sample
