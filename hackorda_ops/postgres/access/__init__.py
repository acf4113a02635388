"""Roles, owners and grants."""
