"""What `lenet-edge convert` does: each file made, examined on digits, audited for its target."""
