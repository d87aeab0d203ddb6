/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/lab_cert.h - certificates for the gateways of a lab, good and bad.
 */
#ifndef TAPIR_CLI_LAB_LAB_CERT_H
#define TAPIR_CLI_LAB_LAB_CERT_H

#include "daemon/base/base.h"

enum lab_cert {
	LAB_CERT_NONE,
	LAB_CERT_GOOD,
	LAB_CERT_OTHER_CA,	/* by an authority that gw-a does not know */
	LAB_CERT_EXPIRED,
	LAB_CERT_NOT_YET,
	LAB_CERT_CLOCK,		/* begins in two hours */
	LAB_CERT_REVOKED,
	LAB_CERT_NAME,		/* for somebody else */
	LAB_CERT_USAGE,		/* for signing programs */
	LAB_CERT_NO_LIST,	/* good, and there is no ca.crl */
	LAB_CERT_LONG		/* good; gw-a's has many names */
};

/**
 * Make an authority and certificates below lab_dir/pki, and put own.pem, own.key,
 * ca.pem and ca.crl into keys/ of both gateways; gw-b's own is as how says.
 *
 * @param why cap bytes, a sentence on failure.
 * @return 0 or an error.
 */
MUST_USE int lab_cert_write(const char *lab_dir, enum lab_cert how, char *why,
			    size_t cap);

#endif
