"""``chatferry demo``: the whole way from an emulated iAdvize to a CRM, with real HTTP."""
