"""From a page to what a model sees: find the ink, the digit or the line, bring it into MNIST's form."""
