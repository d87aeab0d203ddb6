/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_addr.c - text to addresses, and back to the same address.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/addr.h"
#include "daemon/base/str.h"

#define TEXT_MOST 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
same(bool is_ok)
{
	if (!is_ok)
		abort();
}

static void
addresses(const char *text)
{
	char out[IP_TEXT_MAX];
	struct ip_addr a, b, lo, hi;
	struct ip_net n, n2;
	struct net_ep e, e2;

	if (ip_parse(text, &a) == 0) {
		same(ip_parse(ip_text(&a, out), &b) == 0);
		same(ip_equal(&a, &b));
	}
	if (net_ep_parse(text, &e) == 0) {
		same(net_ep_parse(net_ep_text(&e, out), &e2) == 0);
		same(net_ep_equal(&e, &e2));
	}
	if (ip_net_parse(text, &n) == 0) {
		same(ip_net_parse(ip_net_text(&n, out), &n2) == 0);
		same(ip_equal(&n.addr, &n2.addr) && n.bits == n2.bits);
		same(ip_net_has(&n, &n.addr));
		ip_net_range(&n, &lo, &hi);
		same(ip_range_nets(&lo, &hi, &n2, 1) == 1);
		same(n2.bits == n.bits);
	}
}

static void
hardware(const char *text)
{
	char out[MAC_TEXT_MAX];
	struct mac m, m2;

	if (mac_parse(text, &m) == 0) {
		same(mac_parse(mac_text(&m, out), &m2) == 0);
		same(mac_equal(&m, &m2));
	}
}

static void
strings(const char *text, size_t len)
{
	static const char *const words[] = { "realm", "peer", "identity" };
	char out[4 * TEXT_MOST + 1];
	uint8_t raw[TEXT_MOST];
	uint64_t v;
	int n;

	str_escape(out, sizeof(out), text, len);
	same(strlen(out) >= len);
	str_escape(out, len / 2 + 1, text, len);
	same(strlen(out) <= len / 2);
	if ((n = str_unhex(text, len, raw, sizeof(raw))) >= 0)
		same((size_t)n == len / 2);
	if (str_u64(text, 1000, &v) == 0)
		same(v <= 1000);
	same(str_glob("*", text));
	same(str_distance(text, text) == 0);
	(void)str_closest(text, words, N_OF(words));
	(void)str_glob(text, "alice@example.org");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[TEXT_MOST + 1];

	if (len > TEXT_MOST)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	addresses(text);
	hardware(text);
	strings(text, len);
	return 0;
}
