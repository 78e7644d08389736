"""``chatferry demo``: the whole pipeline from an emulated iAdvize to a CRM, over real HTTP."""
