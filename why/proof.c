/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why/proof.c - what the sentences of those who verify mean.
 *
 * The secure process and its child say in words why somebody is not believed;
 * the engine hands them on.  This is the only place that reads them; the system
 * test of each cause notices when one is written anew.
 *
 * Thread: any.
 */
#include <string.h>
#include "why/why.h"

enum why_proof
why_proof_of(const char *said)
{
	static const struct {
		const char *in;
		enum why_proof proof;
	} row[] = {
		{ "of the ticket", WHY_PROOF_OTHER },
		{ "not the one of IKE", WHY_PROOF_OTHER },
		{ "wrong pre-shared key", WHY_PROOF_PSK },
		{ "uses a pre-shared key, a certificate", WHY_PROOF_METHOD },
		{ "a pre-shared key is configured", WHY_PROOF_METHOD },
		{ "does not come by EAP", WHY_PROOF_METHOD },
		{ "method of authentication that is not", WHY_PROOF_METHOD },
		{ "wants EAP of us", WHY_PROOF_METHOD },
		{ "does not ask for EAP", WHY_PROOF_METHOD },
		{ "does not prove who it is", WHY_PROOF_METHOD },
		{ "by EAP", WHY_PROOF_EAP },
		{ ": wrong password", WHY_PROOF_EAP_WORD },
		{ "no such user", WHY_PROOF_EAP_USER },
		{ "too many failures before", WHY_PROOF_EAP_WAIT },
		{ "no RADIUS server answers", WHY_PROOF_EAP_SILENT },
		{ "the RADIUS server refused", WHY_PROOF_EAP_RADIUS },
		{ "accepts and gives no key", WHY_PROOF_EAP_KEY },
		{ " is silent", WHY_PROOF_EAP_SILENT },
		{ "no realm for identity", WHY_PROOF_ID },
		{ "fits more than one peer", WHY_PROOF_ID },
		{ "but none of its peers is", WHY_PROOF_ID },
		{ "wants to talk to", WHY_PROOF_ID_OURS },
		{ "the peer calls itself", WHY_PROOF_ID_OTHER },
		{ "not the configured identity", WHY_PROOF_ID_OTHER },
		{ "unknown CA", WHY_PROOF_CA },
		{ "the signature of an", WHY_PROOF_CA },
		{ "the signature of the c", WHY_PROOF_CA },
		{ "not the one of cert=", WHY_PROOF_PIN },
		{ "not the one of pubkey=", WHY_PROOF_PIN },
		{ "has expired", WHY_PROOF_EXPIRED },
		{ "not yet valid", WHY_PROOF_NOT_YET },
		{ "was revoked", WHY_PROOF_REVOKED },
		{ "nobody says that", WHY_PROOF_UNVOUCHED },
		{ "identity is not", WHY_PROOF_NAME },
		{ "name constraints", WHY_PROOF_NAME },
		{ "wrong usage", WHY_PROOF_USAGE },
		{ "path length", WHY_PROOF_USAGE },
		{ "policy constraints", WHY_PROOF_USAGE },
		{ "critical extension", WHY_PROOF_USAGE },
		{ "weak:", WHY_PROOF_WEAK },
		{ "SHA-1 is not accepted", WHY_PROOF_WEAK },
		{ "without RFC 7427", WHY_PROOF_WEAK },
		{ "does not belong to its key", WHY_PROOF_SIGNATURE },
		{ "sent no certificate", WHY_PROOF_NONE },
		{ "has no pre-shared key", WHY_PROOF_OWN },
		{ "realm has no certificate", WHY_PROOF_OWN },
		{ "our private key", WHY_PROOF_OWN },
		{ "our key can make", WHY_PROOF_OWN },
		{ "does not announce hash", WHY_PROOF_OWN },
		{ "PPK", WHY_PROOF_PPK },
	};

	for (unsigned i = 0; i < N_OF(row); i++)
		if (strstr(said, row[i].in) != NULL)
			return row[i].proof;
	return WHY_PROOF_OTHER;
}
