"""Published prices of providers, as dated lines to paste into a ledger: asked for, never loaded.

    openai, gpt-5, output    ->   2026-05-01 custom "compute-meter" "chat/output"
                                    per: 1000000
                                    cost: 10.00 USD
                                    provider: "openai"
                                    source: "genai-prices 0.2.3 on 2026-05-01: openai gpt-5 ..."

What is pasted stays: data that changes can't change a closed month. `published_prices` is the only
module that knows the library `genai-prices`, the extra `[prices]`.
"""
