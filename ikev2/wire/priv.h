/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/priv.h - what the files of ikev2/wire share among themselves.
 */
#ifndef TAPIR_IKEV2_WIRE_PRIV_H
#define TAPIR_IKEV2_WIRE_PRIV_H

#include "ikev2/wire/wire.h"

/**
 * Fill perr for an error at a payload and return the error.
 *
 * ERR_CRITICAL answers UNSUPPORTED_CRITICAL_PAYLOAD with the type, our own
 * lack of memory answers nothing, all else INVALID_SYNTAX (3.10.1).
 */
int perr_set(struct ike_perr *perr, int err, uint8_t pl_type);

#endif
