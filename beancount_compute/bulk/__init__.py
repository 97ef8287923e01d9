"""Past one ledger: a month's events in Parquet, booked by the same rules.

    events/2026-05/*.parquet, the ledger's terms, bulk/2026-04/   ->   bulk/2026-05/

    month_run.py     a month asked for (month_asked.py): the way through all of these
    bulk_terms.py    what the ledger says: terms, names, what people wrote by hand
    rows/            the files found, here or in a store, read in threads and as a table of DuckDB;
                     repeats; who belongs together; rows become events
    shard_run.py     the shards of a month found and booked
    earlier_months.py, closed_months.py   those before it, in bulk and the ledger's own: for what
                     reversals name, and money back
    by_engine/       a shard goes through `economy.engine`, its legs are added up; the operator's
                     own part; a sample of those who went the plain way is booked here too
    plain/           subscribers whose month is plain go through numpy, on integers
    spark/           shards on a server of Spark Connect
    month_finish.py  all tables put together, tied and written
    folder/          tables, state, ties, the journal; a month is there whole or not at all
    booked_again.py  a closed month booked once more, for `verify`
    looking_up/      subscribers and their statements, looked up in a month's files

The engine decides; what takes another way is compared with it in each run. Nothing of this is
imported by the plugin. DuckDB, numpy and pyarrow are the extra `[bulk]`, PySpark's client is
`[spark]`.
"""

HOW_TO_GET_IT = 'pip install "beancount_compute[bulk]"'
NO_PAYMENTS = "Payments stand in the general ledger, not by subscriber: this is what was charged."
