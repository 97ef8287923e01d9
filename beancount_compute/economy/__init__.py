"""Pure rules: events and terms in, journal and lots out. No files, no clock, no Beancount."""
