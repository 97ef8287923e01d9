"""What books say of people: who stays, for how long, what they are worth, how a market grows.

    Books  ->  watched.py   ends of periods, each with what was used and done with tokens before
           ->  survival.py, lifetime_model.py, exponent.py     curves and fits, on plain numbers
           ->  retention.py, lifetime.py, growth.py            tables, each figure with its interval
           ->  vintage_flows.py, going_on.py, replayed_months.py, forecast.py      what is deferred
           ->  months_of_subscribers.py, regime_values.py, breakeven.py

Nothing here is booked, and the plugin imports nothing of it. numpy and scipy are the extra
`[insight]`; `ESTIMATES` names the reports without them.
"""

HOW_TO_GET_IT = 'pip install "beancount_compute[insight]"'
ESTIMATES = {
    "retention": "Who stays, and which groups leave",
    "lifetime": "How long subscribers stay, and what they are worth",
    "growth": "Trade and those who take part",
    "forecast": "What becomes of what is deferred, by month to come",
    "breakeven": "At which fee, share sold and retention gain a market earns what breakage would",
}
