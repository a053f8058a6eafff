"""When to run: schedules and sensors."""
