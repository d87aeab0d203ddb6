/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_vpn_names.c - name servers as a line of text.
 *
 * What was understood is written, and that is understood the same.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/vpn_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[VPN_NAMES_TEXT], again[VPN_NAMES_TEXT];
	static struct vpn_cfg a, b;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (vpn_names_read(text, &a) != 0)
		return 0;
	vpn_names_write(&a, text, sizeof(text));
	if (strpbrk(text, "\n\t;|&$`'\"\\*?<>()") != NULL)
		abort();
	if (vpn_names_read(text, &b) != 0 || !vpn_cfg_equal(&a, &b))
		abort();
	vpn_names_write(&b, again, sizeof(again));
	if (strcmp(text, again) != 0)
		abort();
	return 0;
}
