"""Runs all tests of this folder; the exit code says whether they passed."""

import unittest

if __name__ == "__main__":
    unittest.main(module=None, argv=["test.py", "discover", "--pattern", "test_*.py"], verbosity=2)
