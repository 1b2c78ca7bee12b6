"""The work of `lenet-edge convert`: make each file, check it on digits, audit it for its target."""
