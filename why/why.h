/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why/why.h - evidence -> causes and cures, in words.
 *
 *   struct why_facts -> checks, in the order in which a connection comes about
 *                    -> rules of why.def that hold, the most specific first
 *
 * Pure: nothing is asked, changed or sent.  Thread: any.
 */
#ifndef TAPIR_WHY_WHY_H
#define TAPIR_WHY_WHY_H

#include "why/evidence.h"

#define WHY_CAUSE_MAX  6	/* causes of a report; ours */
#define WHY_WORDS_MAX  768	/* a cause or cure, with NUL */
#define WHY_DETAIL_MAX 192	/* what a check saw, with NUL */

enum why_lang { WHY_EN, WHY_JA, WHY_LANG_END };
/** "ja", "ja_JP.UTF-8" -> WHY_JA; anything else English. */
enum why_lang why_lang_of(const char *text);

enum why_check {
#define WHY_CHECK(name_, code_, en_, ja_) WHY_C_##name_,
#define WHY_RULE(num_, name_, code_, check_, grade_, ...)
#include "why/why.def"
#undef WHY_CHECK
#undef WHY_RULE
	WHY_CHECK_END
};

enum why_rule {
#define WHY_CHECK(name_, code_, en_, ja_)
#define WHY_RULE(num_, name_, code_, check_, grade_, ...) WHY_R_##name_,
#include "why/why.def"
#undef WHY_CHECK
#undef WHY_RULE
	WHY_RULE_END
};

enum why_result {
	WHY_OK,
	WHY_FAILED,
	WHY_WARNED,		/* it works, and something is to be known */
	WHY_UNKNOWN,
	WHY_NOT_REACHED		/* something before it failed */
};
/** "ok", "failed", "warning", "unknown", "not-reached". */
const char *why_result_name(enum why_result r);

/* What the table says. */
struct why_rule_info {
	unsigned num;		/* stable: W followed by three digits */
	const char *code;	/* stable */
	enum why_check check;
	bool is_note;		/* nothing fails by it */
	const char *cause[WHY_LANG_END], *cure[WHY_LANG_END];
};
const struct why_rule_info *why_rule_info(enum why_rule r);
const char *why_check_code(enum why_check c);
const char *why_check_text(enum why_check c, enum why_lang lang);

struct why_checked {
	enum why_result result;
	char detail[WHY_DETAIL_MAX]; /* addresses and numbers; may be empty */
};

struct why_cause {
	enum why_rule rule;
	char cause[WHY_WORDS_MAX], cure[WHY_WORDS_MAX];
};

struct why_report {
	struct why_checked check[WHY_CHECK_END];
	unsigned n_cause;	/* 0: nothing is wrong that could be seen */
	struct why_cause cause[WHY_CAUSE_MAX];
	bool has_pairs;		/* the comparison of the facts belongs to it */
};

/**
 * Judge.
 *
 * @param lang  of cause and cure.
 * @param out   written whole; the first cause is the most specific.
 */
void why_judge(const struct why_facts *f, enum why_lang lang,
	       struct why_report *out);

/** Have two lists of a comparison an entry in common?  An empty one is not
 * known and differs from nothing. */
bool why_pair_fits(const struct why_pair *p);

/* Sentences of the process that verifies: what went wrong with a proof. */
enum why_proof {
	WHY_PROOF_OTHER,
	WHY_PROOF_PSK,		/* AUTH of a pre-shared key is wrong */
	WHY_PROOF_METHOD,	/* certificate here, PSK there, or the reverse */
	WHY_PROOF_EAP,		/* EAP where it is not configured */
	WHY_PROOF_EAP_WORD,	/* a user's password is wrong */
	WHY_PROOF_EAP_USER,	/* there is no such user */
	WHY_PROOF_EAP_WAIT,	/* too many failures before */
	WHY_PROOF_EAP_SILENT,	/* no RADIUS server answers */
	WHY_PROOF_EAP_RADIUS,	/* the RADIUS server refuses a user */
	WHY_PROOF_EAP_KEY,	/* ... or lets one in, and gives no key */
	WHY_PROOF_ID,		/* no realm and peer for this identity */
	WHY_PROOF_ID_OURS,	/* it asked for a name that is not ours */
	WHY_PROOF_ID_OTHER,	/* not the one that was dialled */
	WHY_PROOF_CA,		/* unknown authority */
	WHY_PROOF_PIN,		/* another key or certificate than told */
	WHY_PROOF_EXPIRED,
	WHY_PROOF_NOT_YET,
	WHY_PROOF_REVOKED,
	WHY_PROOF_UNVOUCHED,	/* strict, and nobody says it is good */
	WHY_PROOF_NAME,		/* the identity is not in the certificate */
	WHY_PROOF_USAGE,
	WHY_PROOF_WEAK,
	WHY_PROOF_SIGNATURE,
	WHY_PROOF_NONE,		/* no certificate came */
	WHY_PROOF_OWN,		/* our own key or certificate cannot be used */
	WHY_PROOF_PPK
};
enum why_proof why_proof_of(const char *said);

#endif
