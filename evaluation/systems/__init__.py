"""What can be evaluated: predictions in a file, endpoints, local models, baselines."""
