"""The test cases of the connector contract, one topic a module."""
