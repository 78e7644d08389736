"""The webhook endpoint and the health checks.

Nothing is imported here: the runner's process starts the server without loading Flask.
"""
