"""Past one ledger: a month's events in Parquet, booked by the same rules.

    events/2026-05/*.parquet, the ledger's terms, bulk/2026-04/   ->   bulk/2026-05/

    bulk_terms.py       what the ledger says: terms, names, what people wrote by hand
    event_table.py      the files as one table of DuckDB: types, columns, the month
    file_scan.py        the same files read by threads, as columns; kept_rows.py: some rows of them
    text_words.py       texts as words: hashes of ids, codes of names
    repeats.py          rows that say the same again, by their id
    parts.py            who must be booked together, and the shards that follow from it
    arrow_events.py     rows become events, by the readers that the plugin has
    engine_way.py       a shard goes through `economy.engine`
    plain_way.py        subscribers whose month is plain go through numpy, on integers (plain_*.py)
    operator_run.py     the operator's part: what all others used (served_uses.py), and its state
    ledger_events.py    events of the ledger itself; stated.py: its assertions and control totals
    sample_proof.py     some of them go through the engine too, and every figure is compared
    leg_sums.py         the journal's legs, added up
    month_tables.py     sums as tables of Arrow; state_tables.py and month_state.py: the state
    ties.py             what must agree in every run, and control.csv
    cohort_journal.py   the month for the general ledger
    month_folder.py     all of it written, whole or not at all
    shard_run.py        the shards of a month found and booked; earlier_months.py: for reversals
    spark_run.py        the same on a server of Spark Connect (spark_link.py): subscribers fall into
                        groups (groups.py), which its workers book (spark_tasks.py, blobs.py)
    month_finish.py     their tables put together, tied and written
    month_run.py        a month asked for (month_asked.py): the way through all of these
    booked_again.py     a closed month booked once more, for `verify`

    lookup.py           subscribers looked up in a month's files: standings.py, how they stand;
                        months_of_one.py and statement_of_months.py, the statement of one of them

The engine decides; what takes another way is compared with it in each run. Nothing of this is
imported by the plugin. DuckDB, numpy and pyarrow are the extra `[bulk]`, PySpark's client is
`[spark]`.
"""

HOW_TO_GET_IT = 'pip install "beancount_compute[bulk]"'
NO_PAYMENTS = "Payments stand in the general ledger, not by subscriber: this is what was charged."
