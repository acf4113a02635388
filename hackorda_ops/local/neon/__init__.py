"""A stand-in for Neon's control API whose branches are real Postgres clones."""

from hackorda_ops.local.neon.plane import LocalNeon, running_local_neon

__all__ = ["LocalNeon", "running_local_neon"]
