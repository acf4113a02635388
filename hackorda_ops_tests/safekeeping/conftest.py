"""The places of the tests of retention."""

from hackorda_ops_tests.retention.conftest import places

__all__ = ["places"]
