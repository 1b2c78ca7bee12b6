"""The work behind `lenet-edge benchmark`: jobs in child processes, the report, its tables and its chart."""
