"""The addresses of the emulator, one module a family."""
