"""Training and fine-tuning: distorted digits, recipes, the training loop, metrics. Needs Keras."""
