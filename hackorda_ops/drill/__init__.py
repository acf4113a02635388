"""The restore drill: scratch, comparison, migrations, verdict, report."""
