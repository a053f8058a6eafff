"""The benchmarks: what the platform costs, beside what one would otherwise do. Run as `python -m bench`."""
