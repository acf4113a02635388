"""A maintenance window: a dump before, schedules held, the work watched, the database compared afterwards."""
