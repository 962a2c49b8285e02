"""Test applications that use scripe: a pytest plugin over the emulator, which pytest loads by itself."""
