"""This product as a part of another Dagster project: its component, and its definitions for a project in Python."""

from hackorda_ops.orchestration.component import ProtectedDatabases
from hackorda_ops.orchestration.component import embedded as build_defs

__all__ = ["ProtectedDatabases", "build_defs"]
