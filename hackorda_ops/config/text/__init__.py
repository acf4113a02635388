"""databases.yaml as a text: its lines, what isn't YAML, and what isn't a configuration."""
