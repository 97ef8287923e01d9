"""The review: what may be right but looks wrong, before a month is closed.

    look = looked_at(booking, books)     what there is to look at, put in order once
    review_month(booking, books, "2026-05")   the findings of a month, each with its answer

Rules are pure: each gives the findings of one month from what is looked at (`rules_of_review.py`
lists them). A load never asks for them; commands and pages do.
"""

from beancount_compute.review.finding import Amounts, Finding
from beancount_compute.review.openings import NO_OPENING_LOT
from beancount_compute.review.reviewing import Judged, Review, review_month, review_open
from beancount_compute.review.rules_of_review import RULES
from beancount_compute.review.telling import (
    answers_told,
    notes_of,
    table_of,
    to_paste,
    told,
)
