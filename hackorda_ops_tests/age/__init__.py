"""Tests of `age`."""
