"""The web side: the webhook endpoint and what orchestrators and iAdvize look at.

Nothing is imported here: the process of the runner starts the server and needs no Flask.
"""
