"""Beancount in, Beancount out."""
