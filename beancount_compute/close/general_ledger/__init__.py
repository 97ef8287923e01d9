"""A month's journal for the general ledger: figures, journals, and one writer for each suite."""
