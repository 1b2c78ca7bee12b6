"""What `lenet-edge benchmark` is made of: jobs in child processes, the report, its tables and its picture."""
