"""Runs all tests of this folder; the exit code says whether they passed."""

import unittest

unittest.main(module=None, argv=["test.py", "discover", "--start-directory", "."], verbosity=2)
