"""What the past says about the future: expected returns and covariances, a module each."""
