/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/iana.c - names of the numbers in iana.def.
 */
#include "ikev2/wire/wire.h"

#include <stdio.h>

static const struct {
	enum ike_set set;
	unsigned num;
	const char *text;
} names[] = {
#define IANA(set_, name_, num_, text_) { IKE_SET_##set_, (num_), (text_) },
#include "ikev2/wire/iana.def"
#undef IANA
};

const char *
ike_name(enum ike_set set, unsigned num, char *out)
{
	size_t i;

	for (i = 0; i < N_OF(names); i++)
		if (names[i].set == set && names[i].num == num)
			return names[i].text;
	snprintf(out, IKE_WORD_MAX, "unknown(%u)", num);
	return out;
}

enum ike_set
ike_tr_set(uint8_t tr_type)
{
	switch (tr_type) {
	case IKE_TRT_ENCR:
		return IKE_SET_ENCR;
	case IKE_TRT_PRF:
		return IKE_SET_PRF;
	case IKE_TRT_INTEG:
		return IKE_SET_INTEG;
	case IKE_TRT_SN:
		return IKE_SET_SN;
	case IKE_TRT_KE:
	case IKE_TRT_ADDKE1:
	case IKE_TRT_ADDKE2:
	case IKE_TRT_ADDKE3:
	case IKE_TRT_ADDKE4:
	case IKE_TRT_ADDKE5:
	case IKE_TRT_ADDKE6:
	case IKE_TRT_ADDKE7:
		return IKE_SET_KE;
	default:
		return IKE_SET_END;
	}
}

const char *
ike_tr_name(uint8_t tr_type, uint16_t id, char *out)
{
	return ike_name(ike_tr_set(tr_type), id, out);
}
