# SPDX-License-Identifier: Apache-2.0
"""cipher=: who answers has the choice, of what is offered."""
import pytest

from gateway import Gateway, office

# cipher= of who dials and of who answers; what packets have then
CASES = {"both": ("aes128", "aes128", "aes128-gcm"),
         "who answers": ("aes256", "chacha20", "chacha20-poly1305"),
         "not who dials": ("chacha20", "aes128", "aes128-gcm")}


@pytest.mark.parametrize("case", CASES)
def test_packets_have_the_cipher_that_is_preferred(lab, case):
    """After a rekey as well."""
    dials, answers, want = CASES[case]
    b = Gateway(lab, "gw-b", office("osaka", attrs=f'bridge="br-lan" cipher="{answers}"')).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2",
                                    attrs=f'bridge="br-lan" cipher="{dials}"')).start()
    try:
        assert lab.until_ping("host-a", "10.0.0.2", 10)
        for gw in (a, b):
            assert {c["suite"] for c in gw.peer()["children"]} == {f"{want}-iiv"}
        assert a.tapir("rekey", "branches/osaka", "child").returncode == 0
        assert lab.ping("host-a", "10.0.0.2", 10) == 10
        assert {c["suite"] for c in a.peer()["children"]} == {f"{want}-iiv"}
    finally:
        a.stop()
        b.stop()
