"""The limit language: words, to measures, to constraints, checks and explanations."""
