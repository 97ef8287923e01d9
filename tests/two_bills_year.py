"""A year of two bills: credits at 1.00, then 0.40 a unit and a machine; sold at 1.20 a unit."""

from __future__ import annotations

YEAR = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-01-01 custom "compute-plan" "wrap" 120.00 USD 100 CU
2026-05-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 1 OAI
  provider: "openai"
2026-06-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.40 USD
  provider: "llama"
2026-01-01 custom "compute-option" "meter" "chat"
2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "llama"
  life: "48 months"
2026-05-01 custom "compute-purchase" "openai" 200 OAI 200.00 USD
  expires: "12 months"
2026-05-01 custom "compute-subscription" "alice" "wrap"
2026-05-20 custom "compute-consumption" "alice" 80 CU
2026-06-10 custom "compute-consumption" "alice" 50 CU
"""
