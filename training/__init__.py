"""Train styles: an accelerate trainer for matched instance-norm and batch-norm generators."""
