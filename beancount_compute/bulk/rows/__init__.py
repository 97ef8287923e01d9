"""A month's files as rows: read, named, without repeats, parted by who belongs together."""
