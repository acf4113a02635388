"""Neon's control API: a thin client, and branches that are provably ours."""
