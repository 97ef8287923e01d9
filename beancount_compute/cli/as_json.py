"""`--format json`: what commands found, as one object with the same keys in every version.

    {"command": "review", "agrees": false, "sentence": "...", "errors": [], "findings": [], ...}

Each command writes all of its keys, whatever it found; what there is none of is an empty list or
null. Numbers of units and money are text, in full digits. The manual lists the keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from beancount.core.data import BeancountError

from beancount_compute.cli.printing import hand_on, in_one_line
from beancount_compute.close.difference import Difference
from beancount_compute.close.sealing import CloseResult, NotClosed
from beancount_compute.close.storage import CloseError
from beancount_compute.close.tie_outs import TieOut
from beancount_compute.reports import Table, table_as_json
from beancount_compute.review import Judged, Review, notes_of

Document = dict[str, Any]
_NO_REVIEW = Review([], [])


def write_json(document: Document) -> None:
    """Write an object out."""
    hand_on(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def of_check(
    sentence: str,
    *,
    agrees: bool,
    errors: Sequence[BeancountError],
    tables: Iterable[Table],
    review: Review,
    notes: Sequence[str],
) -> Document:
    """What `check` found."""
    return {
        "command": "check",
        "agrees": agrees,
        "sentence": sentence,
        "errors": _errors(errors),
        "tables": [table_as_json(table) for table in tables],
        "findings": _findings(review.judged),
        "notes": list(notes),
    }


def of_review(
    sentence: str, month: str, errors: Sequence[BeancountError], review: Review | None
) -> Document:
    """What `review` found; `month` is "" for all that are open, no review where it was stopped."""
    found = review or _NO_REVIEW
    return {
        "command": "review",
        "agrees": not (errors or found.unanswered or review is None),
        "sentence": sentence,
        "month": month or None,
        "errors": _errors(errors),
        "findings": _findings(found.judged),
        "notes": notes_of(found),
    }


def of_close(
    month: str, result: CloseResult | None, stopped: CloseError | None, *, dry_run: bool
) -> Document:
    """What became of a close: its result, or what stopped it."""
    more = stopped if isinstance(stopped, NotClosed) else NotClosed("")
    closing = result.closing if result else more.closing
    review = closing.review if closing else _NO_REVIEW
    written = result is not None and not dry_run
    return {
        "command": "close",
        "agrees": result is not None,
        "sentence": str(stopped or _done(month, result, dry_run=dry_run)),
        "month": month or None,
        "dry_run": dry_run,
        "written": written and (closing is not None or bool(result and result.pack_files)),
        "seal": result.seal.digest if result else None,
        "events": closing.events if closing else None,
        "late": closing.late if closing else None,
        "pack": str(result.pack) if result else None,
        "errors": _errors(more.errors),
        "tie_outs": [_tie(tie) for tie in (closing.ties if closing else ())],
        "findings": _findings(review.judged),
        "differences": list(more.differences),
        "notes": notes_of(review),
    }


def of_init(sentence: str, *, written: bool) -> Document:
    """What became of the first index, with the keys of a close: it is of no month."""
    nothing = of_close("", None, CloseError(sentence), dry_run=False)
    return {**nothing, "agrees": written, "written": written}


def _done(month: str, result: CloseResult | None, *, dry_run: bool) -> str:
    if result is None or result.closing is None:
        return f"{month} is closed already."
    return f"{month} can be closed." if dry_run else f"{month} is closed."


def of_whatif(
    sentence: str,
    selection: Mapping[str, str],
    *,
    errors: Sequence[BeancountError],
    scenarios: Iterable[tuple[str, str]],
    tables: Iterable[Table],
) -> Document:
    """The books beside scenarios; these by name and file."""
    return {
        "command": "whatif",
        "agrees": not errors,
        "sentence": sentence,
        "selection": dict(selection),
        "errors": _errors(errors),
        "scenarios": [{"name": name, "file": file} for name, file in scenarios],
        "tables": [table_as_json(table) for table in tables],
    }


def of_verify(
    sentence: str,
    *,
    errors: Sequence[BeancountError],
    differences: Iterable[Difference],
    closed: Iterable[str],
    seal: str | None,
    stopped: bool = False,
) -> Document:
    """What `verify` found."""
    found = [
        {"month": each.month or None, "place": each.place or None, "text": each.text}
        for each in differences
    ]
    return {
        "command": "verify",
        "agrees": not errors and not found and not stopped,
        "sentence": sentence,
        "closed": list(closed),
        "seal": seal,
        "errors": _errors(errors),
        "differences": found,
    }


def _errors(errors: Iterable[BeancountError]) -> list[Document]:
    return [
        {
            "file": (error.source or {}).get("filename"),
            "line": (error.source or {}).get("lineno"),
            "message": in_one_line(error.message),
        }
        for error in errors
    ]


def _findings(judged: Iterable[Judged]) -> list[Document]:
    return [
        {
            "id": each.id,
            "month": each.month,
            "kind": each.kind,
            "text": each.text,
            "file": each.place.file,
            "line": each.place.line,
            "figures": [
                {"name": one.name, "number": _number(one.number), "unit": one.unit or None}
                for one in each.figures
            ],
            "answer": answer
            and {
                "date": str(answer.date),
                "reason": answer.reason,
                "file": answer.place.file,
                "line": answer.place.line,
            },
        }
        for each, answer in judged
    ]


def _tie(tie: TieOut) -> Document:
    return {
        "name": tie.name,
        "about": tie.about,
        "left": _number(tie.left),
        "right": _number(tie.right),
        "difference": _number(tie.difference),
        "holds": tie.holds,
        "lines": list(tie.lines),
    }


def _number(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
