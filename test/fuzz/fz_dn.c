/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_dn.c - any bytes as a distinguished name: a name that has a text
 * is that name, when the text needs no escapes.
 */
#include <stdlib.h>
#include <string.h>
#include "secure-proc/id/dn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view der = { data, size };
	struct conf_rdn r[CONF_RDN_MAX];
	char text[256];
	uint8_t out[512];
	int n_rdn;
	size_t n;

	(void)sec_dn_is(der, "C=JP, O=Example, CN=vpn");
	if ((n_rdn = sec_dn_read(der, r, CONF_RDN_MAX)) > 0)
		(void)conf_rdn_has(r, (unsigned)n_rdn, "O=Example, CN=vpn");
	if (!sec_dn_text(der, text, sizeof(text)) || strlen(text) > 200 ||
	    strpbrk(text, "\\,") != NULL)
		return 0;
	if (sec_dn_enc(text, out, sizeof(out), &n) == 0 &&
	    !sec_dn_is((struct view){ out, n }, text))
		abort();
	return 0;
}
