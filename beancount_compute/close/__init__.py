"""The month end: what leaves the books for the general ledger."""
