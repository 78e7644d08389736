"""The endpoints of the emulator, one module a family."""
