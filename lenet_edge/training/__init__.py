"""Training and fine-tuning: distorted digits, recipes, the loop, what is measured of it. Needs Keras."""
