"""The configuration: ``chatferry.toml`` and the environment, validated into :class:`Settings`."""
