# SPDX-License-Identifier: Apache-2.0
"""Some seconds of what `make soak` does for ten minutes under sanitizers."""
import pytest

from soak import FORMS, Soak


@pytest.mark.parametrize("form", list(FORMS))
def test_mixed_traffic_and_bad_luck(form):
    """Every word of the verdict."""
    soak = Soak(20, form)
    try:
        wrong = soak.run(10)
    finally:
        soak.lab.close()
    assert not wrong, "\n".join(wrong)
