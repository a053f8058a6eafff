"""What is produced: the assets of the credit default model, their checks, and the definitions that Dagster loads."""
