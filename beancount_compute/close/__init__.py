"""The month end: tie-outs, frozen months and their seals, exports.

    bean-compute close 2026-05 LEDGER  ->  closed/2026-05.beancount, closed/2026-05.events.csv,
                                           a seal in closed/index.beancount, the close pack

`closing` works a month out, `storage` writes it so that nothing is ever half there, `verifying`
works closed months out again, `reopening` and `carrying_over` go back and on.
"""
