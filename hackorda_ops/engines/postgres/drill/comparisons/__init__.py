"""What a drill compares: schema, branch, production, materialized views, and the self-test."""
