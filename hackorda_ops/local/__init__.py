"""The embedded stack: Postgres and an S3 server, for the demo and the tests."""
