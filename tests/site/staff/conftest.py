"""Lets the tests here find their cast, and gives them a campaign."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import staff_cast as cast


@pytest.fixture
def statement(db, site):
    return cast.campaign()
