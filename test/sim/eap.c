/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/eap.c - EAP as the secure process would talk it: a made-up method in
 * which the client says its word in the clear, some rounds after it was asked.
 *
 *   Request 1 -> Response 1 .. Request n -> Response n(word) -> Success, Failure
 *
 * The word is the key that comes of it.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/str.h"
#include "test/sim/world.h"

#define TYPE 254

static struct view
word_of(const struct sim_host *h)
{
	return (struct view){ (const uint8_t *)h->eap_word,
			      strlen(h->eap_word) };
}

static void
say(struct sim_event *e, uint8_t code, uint8_t id, struct view data)
{
	const struct ike_eap eap = { .code = code, .id = id, .type = TYPE,
				     .data = data };
	struct wcur w;

	wcur_init(&w, e->auth, sizeof(e->auth));
	enc_eap(&w, &eap);
	if (w.err != 0)
		abort();
	e->ans.eap = wcur_done(&w);
}

bool
sim_eap_set(struct sim_host *h, const char *key, const char *val)
{
	if (strcmp(key, "eap") == 0)
		str_copy(h->eap_word, sizeof(h->eap_word), val);
	else if (strcmp(key, "eap-rounds") == 0)
		h->eap_rounds = (uint8_t)strtoul(val, NULL, 0);
	else if (strcmp(key, "eap-session") == 0)
		h->eap_session_s = (uint32_t)strtoul(val, NULL, 0);
	else if (strcmp(key, "eap-only") == 0)
		h->eap_only = strcmp(val, "yes") == 0;
	else if (strcmp(key, "eap-bare") == 0)
		h->eap_bare = strcmp(val, "yes") == 0;
	else
		return false;
	return true;
}

static void
client(struct sim_host *h, const struct ike_eap *in, struct sim_event *e)
{
	switch (in->code) {
	case IKE_EAP_REQUEST:
		say(e, IKE_EAP_RESPONSE, in->id, word_of(h));
		e->ans.eap_end = IKE_EAP_MORE;
		e->ans.has_word = true;
		break;
	case IKE_EAP_SUCCESS:
		e->ans.eap_end = IKE_EAP_OK;
		break;
	default:
		e->ans.eap_end = IKE_EAP_NO;
		e->ans.has_word = true;
		str_copy(e->ans.why, sizeof(e->ans.why),
			 "the server refused us");
		break;
	}
}

static void
gateway(struct sim_host *h, const struct ike_eap *in, struct sim_event *e)
{
	struct view word = word_of(h), none = { NULL, 0 };

	e->ans.eap_end = IKE_EAP_MORE;
	if (in->id < MAX(h->eap_rounds, 1)) {
		say(e, IKE_EAP_REQUEST, in->id + 1, none);
	} else if (in->data.len == word.len &&
		   memcmp(in->data.p, word.p, word.len) == 0) {
		e->ans.eap_end = IKE_EAP_OK;
		say(e, IKE_EAP_SUCCESS, in->id, none);
	} else {
		e->ans.eap_end = IKE_EAP_NO;
		say(e, IKE_EAP_FAILURE, in->id, none);
		str_copy(e->ans.why, sizeof(e->ans.why), "wrong password");
	}
}

void
sim_eap_talk(struct sim_host *h, const struct ike_ask *ask, struct sim_event *e)
{
	struct ike_eap in = { 0 };
	struct cur c;

	cur_init(&c, ask->eap.p, ask->eap.len);
	if (ask->eap.len > 0 && dec_eap(&c, &in) != 0) {
		e->ans.eap_end = IKE_EAP_NO;
		str_copy(e->ans.why, sizeof(e->ans.why), "malformed EAP");
	} else if (ask->is_initiator) {
		client(h, &in, e);
	} else {
		gateway(h, &in, e);
	}
}
