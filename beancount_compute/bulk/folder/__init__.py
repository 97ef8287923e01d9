"""What is written of a month and read by the next: tables, state, ties, journal, folder."""
