"""Tests of `sealing`."""
