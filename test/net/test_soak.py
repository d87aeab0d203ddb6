# SPDX-License-Identifier: Apache-2.0
"""Some seconds of what `make soak` does for ten minutes under sanitizers."""
from soak import Soak


def test_mixed_traffic_and_bad_luck(capsys):
    """Every word of the verdict."""
    soak = Soak(seed=20)
    try:
        wrong = soak.run(20)
    finally:
        soak.lab.close()
    print(capsys.readouterr().out)
    assert not wrong, "\n".join(wrong)
