"""A subscriber, or a page of them, looked up in files of months: only what is asked is read."""
