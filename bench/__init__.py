"""Measurements; never part of the tests, which assert nothing about time."""
