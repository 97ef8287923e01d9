"""Months on a server of Spark Connect: its workers book groups by what runs here too."""
