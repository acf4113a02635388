"""Alerting people: what a message says, and how it reaches them. No Dagster here."""

import logging

# httpx logs every URL that it requests, at INFO. Here URLs are secrets.
logging.getLogger("httpx").setLevel(logging.WARNING)
