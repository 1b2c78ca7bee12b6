"""A plugin of pytest for emulated processors, ten times slower: Hypothesis tries few examples of each test.

tests/conftest.py chooses its own profile; `--hypothesis-profile=few` chooses this one after it.
"""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("few", max_examples=3, deadline=None, derandomize=True)
