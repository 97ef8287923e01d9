"""`python -m beancount_compute.cli`."""

from beancount_compute.cli import main

main()
