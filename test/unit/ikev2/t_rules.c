/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_rules.c - the grammar of messages.
 *
 * A message is written as a list of payload names and notify numbers; only
 * which payloads are there matters to the grammar.
 */
#include <stdio.h>

#include "ikev2/wire/rules.h"
#include "test/unit/ikev2/wire_help.h"

struct msg {
	struct ike_pl pl[IKE_MAX_PAYLOADS];
	struct ike_ntf ntf[IKE_MAX_NOTIFIES];
	struct ike_pls pls;
};

static void
add(struct msg *m, uint8_t type)
{
	m->pl[m->pls.n_pl++].type = type;
	m->pls.pl = m->pl;
	if (type == IKE_PL_SK || type == IKE_PL_SKF)
		m->pls.sk_type = type;
}

/* "SA KE Nonce N16390 V": names from iana.def, N with a number. */
static void
fill(struct msg *m, const char *text)
{
	char word[32], name[IKE_WORD_MAX];
	int used;
	unsigned t;

	memset(m, 0, sizeof(*m));
	for (; sscanf(text, "%31s%n", word, &used) == 1; text += used) {
		if (word[0] == 'N' && word[1] >= '0' && word[1] <= '9') {
			m->ntf[m->pls.n_ntf++].type = (uint16_t)atoi(word + 1);
			m->pls.ntf = m->ntf;
			add(m, IKE_PL_N);
			continue;
		}
		for (t = 33; t < 64; t++)
			if (strcmp(ike_name(IKE_SET_PL, t, name), word) == 0)
				break;
		if (t == 64)
			fail_msg("no payload is called %s", word);
		add(m, (uint8_t)t);
	}
}

#define REQ_I	(struct ike_hdr){ .is_initiator = true }
#define REQ_R	(struct ike_hdr){ .is_initiator = false }
#define RESP_I	(struct ike_hdr){ .is_initiator = true, .is_response = true }
#define RESP_R	(struct ike_hdr){ .is_response = true }

/* The form of a message, or the error; inner NULL: all in clear. */
static int
check(struct ike_hdr h, uint8_t xchg, const char *clear, const char *inner,
      struct ike_perr *perr)
{
	enum ike_form form = IKE_FORM_NONE;
	struct msg c, i;
	int err;

	h.xchg = xchg;
	fill(&c, clear);
	if (inner != NULL)
		fill(&i, inner);
	memset(perr, 0, sizeof(*perr));
	err = ike_rules_check(&h, &c.pls, inner != NULL ? &i.pls : NULL,
			      &form, perr);
	if (err != 0)
		assert_int_equal(form, IKE_FORM_NONE);
	return err != 0 ? err : (int)form;
}

enum side { QI, QR, PI, PR };	/* request, response; initiator, responder */

static struct ike_hdr
hdr_of(enum side s)
{
	switch (s) {
	case QI:
		return REQ_I;
	case QR:
		return REQ_R;
	case PI:
		return RESP_I;
	default:
		return RESP_R;
	}
}

#define INIT IKE_XCHG_IKE_SA_INIT
#define AUTH IKE_XCHG_IKE_AUTH
#define CHILD IKE_XCHG_CREATE_CHILD_SA
#define INFO IKE_XCHG_INFORMATIONAL
#define BAD ERR_GRAMMAR

struct row {
	uint8_t xchg;
	enum side side;
	const char *clear, *inner;
	int want;		/* form or ERR_* */
};

static void
check_rows(const struct row *row, size_t n)
{
	struct ike_perr perr;
	size_t i;

	for (i = 0; i < n; i++) {
		int got = check(hdr_of(row[i].side), row[i].xchg,
				row[i].clear, row[i].inner, &perr);

		if (got != row[i].want)
			fail_msg("row %zu: got %d, want %d", i, got,
				 row[i].want);
		if (got < 0)
			assert_int_equal(perr.notify, IKE_N_INVALID_SYNTAX);
	}
}

TEST(grammar_of_ike_sa_init)
{
	static const struct row row[] = {
		{ INIT, QI, "SA KE Nonce", NULL, IKE_FORM_INIT },
		{ INIT, QI, "N16390 SA KE Nonce N16388 N16389 V V", NULL,
		  IKE_FORM_INIT },
		{ INIT, QR, "SA KE Nonce", NULL, BAD },
		{ INIT, QI, "KE Nonce", NULL, BAD },
		{ INIT, QI, "SA Nonce", NULL, BAD },
		{ INIT, QI, "SA KE", NULL, BAD },
		{ INIT, QI, "SA SA KE Nonce", NULL, BAD },
		{ INIT, QI, "SA KE KE Nonce", NULL, BAD },
		{ INIT, QI, "SA KE Nonce AUTH", NULL, BAD },
		{ INIT, QI, "SA KE Nonce TSi", NULL, BAD },
		{ INIT, QI, "SA KE Nonce D", NULL, BAD },
		{ INIT, QI, "N14", NULL, BAD },
		{ INIT, QI, "", NULL, BAD },
		{ INIT, QI, "SK", "SA KE Nonce", BAD },
		{ INIT, QI, "SA KE Nonce SK", NULL, BAD },
		{ INIT, PR, "SA KE Nonce CERTREQ N16388", NULL,
		  IKE_FORM_INIT },
		{ INIT, PI, "SA KE Nonce", NULL, BAD },
		{ INIT, PR, "N16390 V", NULL, IKE_FORM_INIT_COOKIE },
		{ INIT, PR, "N17", NULL, IKE_FORM_INIT_INVALID_KE },
		{ INIT, PR, "N16407", NULL, IKE_FORM_INIT_REDIRECT },
		{ INIT, PR, "N16407 N14", NULL, IKE_FORM_INIT_ERROR },
		{ INIT, PI, "N16407", NULL, BAD },
		{ INIT, QI, "N16407", NULL, BAD },
		{ INIT, PR, "N14", NULL, IKE_FORM_INIT_ERROR },
		{ INIT, PR, "N999", NULL, IKE_FORM_INIT_ERROR },
		{ INIT, PR, "N16390 SA", NULL, BAD },
		{ INIT, PR, "N16388", NULL, BAD },
		{ INIT, PR, "V", NULL, BAD },
	};

	check_rows(row, N_OF(row));
}

TEST(grammar_of_ike_session_resume)
{
	const uint8_t RESUME = IKE_XCHG_IKE_SESSION_RESUME;
	const struct row row[] = {
		{ RESUME, QI, "Nonce N16413", NULL, IKE_FORM_RESUME },
		{ RESUME, QI, "N16390 N16413 Nonce N16388 N16389 V", NULL,
		  IKE_FORM_RESUME },
		{ RESUME, QI, "Nonce", NULL, BAD },
		{ RESUME, QI, "N16413", NULL, BAD },
		{ RESUME, QI, "SA KE Nonce N16413", NULL, BAD },
		{ RESUME, QR, "Nonce N16413", NULL, BAD },
		{ RESUME, QI, "SK", "Nonce N16413", BAD },
		{ RESUME, PR, "Nonce N16388 N16389", NULL, IKE_FORM_RESUME },
		{ RESUME, PR, "N16390", NULL, IKE_FORM_INIT_COOKIE },
		{ RESUME, PR, "N16412", NULL, IKE_FORM_RESUME_NACK },
		{ RESUME, PR, "N14", NULL, IKE_FORM_RESUME_NACK },
		{ RESUME, PR, "Nonce N14", NULL, BAD },
		{ RESUME, PI, "Nonce", NULL, BAD },
		{ RESUME, PR, "SA KE Nonce", NULL, BAD },
	};

	check_rows(row, N_OF(row));
}

TEST(grammar_of_ike_auth)
{
	static const struct row row[] = {
		{ AUTH, QI, "SK", "IDi AUTH SA TSi TSr", IKE_FORM_AUTH },
		{ AUTH, QI, "SKF", "IDi AUTH SA TSi TSr", IKE_FORM_AUTH },
		{ AUTH, QI, "SK", "IDi CERT CERT N16384 CERTREQ IDr AUTH CP "
		  "N16391 SA TSi TSr V", IKE_FORM_AUTH },
		{ AUTH, QI, "V SK", "IDi AUTH SA TSi TSr", IKE_FORM_AUTH },
		{ AUTH, QR, "SK", "IDi AUTH SA TSi TSr", BAD },
		{ AUTH, QI, "IDi AUTH SA TSi TSr", NULL, BAD },
		{ AUTH, QI, "IDi SK", "AUTH SA TSi TSr", BAD },
		{ AUTH, QI, "N16384 SK", "IDi AUTH SA TSi TSr", BAD },
		{ AUTH, QI, "SK", "AUTH SA TSi TSr", BAD },
		{ AUTH, QI, "SK", "IDi IDi AUTH SA TSi TSr", BAD },
		{ AUTH, QI, "SK", "IDi AUTH AUTH SA TSi TSr", BAD },
		{ AUTH, QI, "SK", "IDi AUTH SA TSi", BAD },
		{ AUTH, QI, "SK", "IDi AUTH TSi TSr", BAD },
		{ AUTH, QI, "SK", "IDi AUTH SA TSi TSr EAP", BAD },
		{ AUTH, QI, "SK", "IDi AUTH SA TSi TSr SK", BAD },
		{ AUTH, QI, "SK", "IDi AUTH", IKE_FORM_AUTH_CHILDLESS },
		{ AUTH, QI, "SK", "IDi AUTH TSi", BAD },
		{ AUTH, QI, "SK", "N24", BAD },
		{ AUTH, QI, "SK", "", BAD },
		{ AUTH, QI, "SK", "IDi SA TSi TSr", IKE_FORM_AUTH_EAP_FIRST },
		{ AUTH, QI, "SK", "EAP", IKE_FORM_AUTH_EAP },
		{ AUTH, QI, "SK", "AUTH", IKE_FORM_AUTH_EAP_LAST },
		{ AUTH, PR, "SK", "IDr AUTH SA TSi TSr", IKE_FORM_AUTH },
		{ AUTH, PI, "SK", "IDr AUTH SA TSi TSr", BAD },
		{ AUTH, PR, "SK", "IDi AUTH SA TSi TSr", BAD },
		{ AUTH, PR, "SK", "IDr CERT AUTH CP SA TSi TSr N16386",
		  IKE_FORM_AUTH },
		{ AUTH, PR, "SK", "IDr AUTH N38", IKE_FORM_AUTH_NO_CHILD },
		{ AUTH, PR, "SK", "IDr AUTH N16386",
		  IKE_FORM_AUTH_CHILDLESS },
		{ AUTH, PR, "SK", "IDr AUTH TSr", BAD },
		{ AUTH, PR, "SK", "IDr AUTH EAP", IKE_FORM_AUTH_EAP_FIRST },
		{ AUTH, PR, "SK", "EAP", IKE_FORM_AUTH_EAP },
		{ AUTH, PR, "SK", "AUTH SA TSi TSr", IKE_FORM_AUTH_EAP_LAST },
		{ AUTH, PR, "SK", "AUTH N14",
		  IKE_FORM_AUTH_EAP_LAST_NO_CHILD },
		{ AUTH, PR, "SK", "N24", IKE_FORM_AUTH_ERROR },
		{ AUTH, PR, "SK", "N24 AUTH IDr SA", IKE_FORM_AUTH_ERROR },
		{ AUTH, PR, "SK", "IDr AUTH SA TSi TSr N60",
		  IKE_FORM_AUTH_ERROR },
		{ AUTH, PR, "SK", "IDr AUTH AUTH N24", BAD },
		{ AUTH, PR, "SK", "AUTH SA TSi TSr N24", IKE_FORM_AUTH_ERROR },
		{ AUTH, PR, "SK", "IDr AUTH SA TSi TSr N40000",
		  IKE_FORM_AUTH },
		{ AUTH, PR, "N24", NULL, IKE_FORM_UNPROTECTED },
		{ AUTH, PR, "IDr AUTH SA TSi TSr", NULL, BAD },
		{ AUTH, PR, "", "IDr AUTH SA TSi TSr", BAD },
	};

	check_rows(row, N_OF(row));
}

TEST(grammar_of_create_child_sa)
{
	static const struct row row[] = {
		{ CHILD, QI, "SK", "SA Nonce TSi TSr", IKE_FORM_CHILD_NEW },
		{ CHILD, QR, "SK", "N16391 SA Nonce KE TSi TSr",
		  IKE_FORM_CHILD_NEW },
		{ CHILD, QR, "SK", "N16393 SA Nonce KE TSi TSr",
		  IKE_FORM_CHILD_REKEY },
		{ CHILD, QI, "SK", "SA Nonce KE", IKE_FORM_IKE_REKEY },
		{ CHILD, QI, "SK", "N16393 SA Nonce KE", BAD },
		{ CHILD, QI, "SK", "SA Nonce", BAD },
		{ CHILD, QI, "SK", "SA TSi TSr", BAD },
		{ CHILD, QI, "SK", "SA Nonce TSi", BAD },
		{ CHILD, QI, "SK", "SA Nonce TSi TSr AUTH", BAD },
		{ CHILD, QI, "SK", "SA Nonce KE KE", BAD },
		{ CHILD, QI, "SK", "N14", BAD },
		{ CHILD, QI, "SA Nonce KE", NULL, BAD },
		{ CHILD, PR, "SK", "SA Nonce TSi TSr", IKE_FORM_CHILD_NEW },
		{ CHILD, PI, "SK", "SA Nonce KE", IKE_FORM_IKE_REKEY },
		{ CHILD, PI, "SK", "N43", IKE_FORM_CHILD_ERROR },
		{ CHILD, PI, "SK", "SA Nonce KE TSi TSr N60",
		  IKE_FORM_CHILD_ERROR },
		{ CHILD, PI, "SK", "SA Nonce KE N60", IKE_FORM_CHILD_ERROR },
		{ CHILD, PI, "SK", "SA Nonce TSi TSr N40000",
		  IKE_FORM_CHILD_NEW },
		{ CHILD, PI, "SK", "N16391", BAD },
		{ CHILD, PI, "N4", NULL, IKE_FORM_UNPROTECTED },
	};

	check_rows(row, N_OF(row));
}

TEST(grammar_of_informational)
{
	static const struct row row[] = {
		{ INFO, QI, "SK", "", IKE_FORM_INFO },
		{ INFO, PR, "SK", "", IKE_FORM_INFO },
		{ INFO, QR, "SK", "D D N16401 CP V", IKE_FORM_INFO },
		{ INFO, PI, "SK", "D", IKE_FORM_INFO },
		{ INFO, QI, "SK", "SA", BAD },
		{ INFO, QI, "SK", "CP CP", BAD },
		{ INFO, QI, "SK", "AUTH", BAD },
		{ INFO, QI, "SK", "SKF", BAD },
		{ INFO, QI, "", NULL, BAD },
		{ INFO, QI, "D", NULL, BAD },
		{ INFO, PI, "D", NULL, BAD },
		{ INFO, QI, "N11", NULL, IKE_FORM_UNPROTECTED },
		{ INFO, QI, "N24", NULL, BAD },
		{ INFO, QI, "N11 D", NULL, BAD },
		{ INFO, PR, "N4", NULL, IKE_FORM_UNPROTECTED },
		{ INFO, PR, "N16384", NULL, BAD },
	};

	check_rows(row, N_OF(row));
}

TEST(exchanges_without_rows_are_not_supported)
{
	struct ike_perr perr;
	unsigned x;

	for (x = 0; x < 256; x++) {
		int got = check(REQ_I, (uint8_t)x, "SK", "", &perr);

		if (x == INFO)
			assert_int_equal(got, IKE_FORM_INFO);
		else if (x == IKE_XCHG_IKE_INTERMEDIATE)
			assert_int_equal(got, IKE_FORM_INTER);
		else if ((x >= INIT && x < INFO) ||
			 x == IKE_XCHG_IKE_SESSION_RESUME ||
			 x == IKE_XCHG_IKE_FOLLOWUP_KE)
			assert_int_equal(got, ERR_GRAMMAR);
		else
			assert_int_equal(got, ERR_UNSUP);
	}
}

TEST(the_payload_at_fault_is_named)
{
	struct ike_perr perr;

	assert_int_equal(check(REQ_I, INIT, "SA Nonce", NULL, &perr), BAD);
	assert_int_equal(perr.pl_type, IKE_PL_KE);
	assert_int_equal(check(REQ_I, AUTH, "SK", "IDi AUTH SA TSi TSr D",
			       &perr), BAD);
	assert_int_equal(perr.pl_type, IKE_PL_D);
	assert_int_equal(check(REQ_I, AUTH, "IDi SK", "AUTH", &perr), BAD);
	assert_int_equal(perr.pl_type, IKE_PL_IDI);
	assert_int_equal(perr.err, ERR_GRAMMAR);
}

TEST(every_form_has_a_name)
{
	int f;

	for (f = IKE_FORM_NONE; f < IKE_FORM_END; f++) {
		const char *name = ike_form_name((enum ike_form)f);

		assert_non_null(name);
		assert_true(f == IKE_FORM_NONE || strcmp(name, "none") != 0);
	}
	assert_string_equal(ike_form_name(IKE_FORM_END), "none");
}

/* RFC 7296 1.7, 2.5: the order of payloads is no reason to refuse. */
TEST(payloads_may_come_in_any_order)
{
	static const char *const turn[] = {
		"IDi AUTH SA TSi TSr", "TSr TSi SA AUTH IDi",
		"SA TSi TSr IDi CERT AUTH N16384", "N16384 AUTH TSr IDi SA TSi",
		"CERT CERT TSi SA N16391 TSr CERTREQ IDi IDr AUTH"
	};
	struct ike_perr perr;

	for (size_t i = 0; i < N_OF(turn); i++)
		assert_int_equal(check(REQ_I, IKE_XCHG_IKE_AUTH, "SK", turn[i],
				       &perr), IKE_FORM_AUTH);
	assert_int_equal(check(REQ_I, IKE_XCHG_IKE_SA_INIT, "Nonce KE V SA",
			       NULL, &perr), IKE_FORM_INIT);
}
