"""Loaded directives in, plain tables out."""
