/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why/rules_link.c - why a peer does not come up.
 *
 * Thread: any.
 */
#include <stdio.h>
#include <string.h>
#include "daemon/base/str.h"
#include "why/priv.h"

/* RFC 7296 3.10.1 */
#define N_INVALID_KE	 17
#define N_NO_PROPOSAL	 14
#define N_AUTH_FAILED	 24
#define N_NO_ADDRESS	 36
#define N_NOT_ASKED	 37
#define N_TS		 38

#define FRESH_S	    300		/* older than this explains nothing; ours */
#define COOKIES	    3		/* one is normal, two after a change of secret */
#define IP_PACKET   1400	/* larger ones are cut on the way; ours */
#define MOVE_S	    3		/* getting in elsewhere takes a while */
#define TICKET_S    3600	/* what was refused is of interest so long */
#define SKEW_S	    (2 * 86400)	/* clocks differ by so much, dates by more */

static bool
fresh(int64_t age_s)
{
	return age_s != WHY_NEVER && age_s <= FRESH_S;
}

/* The newer of what we refused: the peer's attempt, or our own. */
static const struct why_end *
refused_by_us(const struct why_facts *f)
{
	const struct why_end *in = f->in.by == WHY_BY_US ? &f->in : NULL;
	const struct why_end *out = f->out.by == WHY_BY_US ? &f->out : NULL;

	if (why_is_up(f))
		return NULL;
	if (in == NULL || out == NULL)
		return in != NULL ? in : out;
	return in->age_s <= out->age_s ? in : out;
}

/* The newer of what the peer refused: our attempt, or what it began itself and
 * ended when it saw our proof. */
static const struct why_end *
refused_by_peer(const struct why_facts *f)
{
	const struct why_end *in = f->in.by == WHY_BY_PEER ? &f->in : NULL;
	const struct why_end *out = f->out.by == WHY_BY_PEER ? &f->out : NULL;

	if (why_is_up(f))
		return NULL;
	if (in == NULL || out == NULL)
		return in != NULL ? in : out;
	return in->age_s <= out->age_s ? in : out;
}

static bool
is_silent(const struct why_facts *f, enum why_stage stage)
{
	return !why_is_up(f) && f->out.by == WHY_BY_SILENCE &&
	    f->out.stage == stage;
}

/* Was this port heard since our last attempt began? */
static bool
is_heard(const struct why_facts *f, unsigned port)
{
	return f->port[port].heard_s != WHY_NEVER && f->try_s != WHY_NEVER &&
	    f->port[port].heard_s <= f->try_s;
}

/* ---- before anything is sent ---------------------------------------------- */

static bool
held(const struct why_facts *f, struct why_say *s UNUSED)
{
	return f->is_held && !why_is_up(f);
}

static bool
secure(const struct why_facts *f, struct why_say *s UNUSED)
{
	return f->is_secure_gone;
}

static bool
name(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->at);
	return !why_is_up(f) && f->is_dialled && f->is_name &&
	    f->is_unresolved && f->n_addr == 0;
}

static bool
route(const struct why_facts *f, struct why_say *s)
{
	size_t len = strcspn(f->remote, "[]");

	/* the address alone, for a command */
	if (f->remote[0] != '[')
		len = strcspn(f->remote, ":");
	snprintf(s->a, sizeof(s->a), "%.*s", (int)len, f->remote);
	if (f->remote[0] == '[')
		snprintf(s->a, sizeof(s->a), "%.*s",
			 (int)strcspn(f->remote + 1, "]"), f->remote + 1);
	return !why_is_up(f) && f->is_dialled && f->n_addr > 0 &&
	    !f->has_route;
}

/* ---- proofs ----------------------------------------------------------------- */

/* Did we refuse a proof for this reason?  {a} the sentence, {b} from whom,
 * {c} our clock. */
static bool
proof(const struct why_facts *f, struct why_say *s, enum why_proof want)
{
	const struct why_end *e = refused_by_us(f);

	/* our own proof may fail before it is on its way */
	if (e == NULL || why_proof_of(e->why) != want ||
	    (e->stage != WHY_AT_AUTH && (want != WHY_PROOF_OWN ||
					 e->stage != WHY_AT_INIT)))
		return false;
	str_copy(s->a, sizeof(s->a), e->why);
	str_copy(s->b, sizeof(s->b), e->from);
	str_copy(s->c, sizeof(s->c), f->now);
	return true;
}

static const char *
mark(const struct why_facts *f)
{
	return f->fingerprint[0] != '\0' ? f->fingerprint : "?";
}

static bool
psk(const struct why_facts *f, struct why_say *s)
{
	bool is_it = proof(f, s, WHY_PROOF_PSK);

	str_copy(s->a, sizeof(s->a), mark(f));
	return is_it;
}

#define PROOF(fn_, proof_)                                                     \
static bool                                                                    \
fn_(const struct why_facts *f, struct why_say *s)                              \
{                                                                              \
	return proof(f, s, WHY_PROOF_##proof_);                                \
}
PROOF(method, METHOD)
PROOF(eap, EAP)
PROOF(eap_word, EAP_WORD)
PROOF(eap_user, EAP_USER)
PROOF(eap_wait, EAP_WAIT)
PROOF(eap_silent, EAP_SILENT)
PROOF(eap_radius, EAP_RADIUS)
PROOF(eap_key, EAP_KEY)
PROOF(ca, CA)
PROOF(pin, PIN)
PROOF(expired, EXPIRED)
PROOF(revoked, REVOKED)
PROOF(unvouched, UNVOUCHED)
PROOF(cert_name, NAME)
PROOF(usage, USAGE)
PROOF(weak, WEAK)
PROOF(signature, SIGNATURE)
PROOF(no_cert, NONE)
PROOF(own_key, OWN)
PROOF(ppk, PPK)
PROOF(id_other, ID_OTHER)
PROOF(id_ours, ID_OURS)
#undef PROOF

/* We are the client, and a person has to do something. */
static bool
eap_ask(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->said);
	return f->needs_word && !why_is_up(f);
}

/* We are the client, and either end has ended it. */
static bool
eap_ours(const struct why_facts *f, struct why_say *s)
{
	static const char head[] = "EAP: ";
	const struct why_end *e = refused_by_peer(f);

	if (e == NULL)
		e = refused_by_us(f);
	if (e == NULL || e->stage != WHY_AT_AUTH)
		return false;
	if (strncmp(e->why, head, sizeof(head) - 1) == 0) {
		str_copy(s->a, sizeof(s->a), e->why + sizeof(head) - 1);
		return true;
	}
	str_copy(s->a, sizeof(s->a), s->lang == WHY_JA ?
		 "パスワードを尋ねる前に拒否されました" :
		 "it refuses before it asks for anything");
	return f->own_eap && e->by == WHY_BY_PEER &&
	    e->notify == N_AUTH_FAILED;
}

/* Seconds from now until the date in "... only from 2030-01-02 03:04 UTC on",
 * as days of a calendar without leap rules would be too coarse: by both texts
 * in minutes since year 0.  0 when it cannot be read. */
static int64_t
minutes(const char *text)
{
	static const int before[12] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
	};
	int y, mo, d, h, mi;

	if (sscanf(text, "%4d-%2d-%2d %2d:%2d", &y, &mo, &d, &h, &mi) != 5 ||
	    mo < 1 || mo > 12)
		return 0;
	if (mo <= 2)
		y--;			/* this year's leap day is to come */
	return (((int64_t)y * 365 + y / 4 - y / 100 + y / 400 +
		 (mo <= 2 ? 365 : 0) + before[mo - 1] + d) * 24 + h) * 60 + mi;
}

static int64_t
ahead_s(const struct why_facts *f, const char *said)
{
	const char *from = strstr(said, "only from ");
	int64_t then = from != NULL ? minutes(from + 10) : 0;
	int64_t now = minutes(f->now);

	return then == 0 || now == 0 ? 0 : (then - now) * 60;
}

static bool
clock_off(const struct why_facts *f, struct why_say *s)
{
	int64_t s_ahead;

	if (!proof(f, s, WHY_PROOF_NOT_YET))
		return false;
	s_ahead = ahead_s(f, s->a);
	if (s_ahead <= 0 || s_ahead > SKEW_S)
		return false;
	if (s_ahead < 7200)
		snprintf(s->b, sizeof(s->b), "%lld min",
			 (long long)s_ahead / 60);
	else
		snprintf(s->b, sizeof(s->b), "%lld h",
			 (long long)s_ahead / 3600);
	return true;
}

static bool
not_yet(const struct why_facts *f, struct why_say *s)
{
	return proof(f, s, WHY_PROOF_NOT_YET) && !clock_off(f, s) &&
	    proof(f, s, WHY_PROOF_NOT_YET);
}

/* Nobody fits, so it was noted of a stranger. */
static bool
id_unknown(const struct why_facts *f, struct why_say *s)
{
	const struct why_stranger *x = &f->stranger;

	if (why_is_up(f) || !fresh(x->age_s) ||
	    why_proof_of(x->said) != WHY_PROOF_ID)
		return false;
	str_copy(s->a, sizeof(s->a), x->id);
	str_copy(s->b, sizeof(s->b), x->from);
	s->c[0] = '\0';
	if (x->nearest[0] != '\0')
		snprintf(s->c, sizeof(s->c), s->lang == WHY_JA ?
			 " (最も近いもの: \"%.200s\")" : "; the nearest is \"%.200s\"",
			 x->nearest);
	return true;
}

static bool
refused_auth(const struct why_facts *f)
{
	const struct why_end *e = refused_by_peer(f);

	return e != NULL && e->stage == WHY_AT_AUTH &&
	    e->notify == N_AUTH_FAILED;
}

static bool
refused_psk(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), mark(f));
	return refused_auth(f) && !f->own_cert && !f->own_eap;
}

static bool
own_old(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->own_end);
	str_copy(s->c, sizeof(s->c), f->now);
	return refused_auth(f) && f->own_end[0] != '\0';
}

static bool
refused_cert(const struct why_facts *f, struct why_say *s UNUSED)
{
	return refused_auth(f) && f->own_cert;
}

/* ---- what they can ------------------------------------------------------------ */

/* {a}: what the peer has is known to the peer alone. */
static void
say_unknown(const struct why_facts *f, struct why_say *s,
	    enum why_pair_kind kind)
{
	bool has_peer = false;

	for (unsigned i = 0; i < f->n_pair && f->pair_kind == kind; i++)
		has_peer |= f->pair[i].peer[0] != '\0';
	s->a[0] = '\0';
	if (!has_peer)
		snprintf(s->a, sizeof(s->a), s->lang == WHY_JA ?
			 " (対向側の内容はこちらに知らされません: %.100s で tapir why を"
			 "実行してください)" : " (what %.100s has it does not tell us: ask "
			 "tapir why there)", f->peer);
}

/* Has somebody else this trouble with us, who may be the peer? */
static bool
stranger_said(const struct why_facts *f, const char *words)
{
	return !why_is_up(f) && fresh(f->stranger.age_s) &&
	    strstr(f->stranger.said, words) != NULL;
}

static bool
ended(const struct why_facts *f, enum why_stage stage, unsigned notify)
{
	const struct why_end *us = refused_by_us(f);
	const struct why_end *peer = refused_by_peer(f);

	return (us != NULL && us->stage == stage && us->notify == notify) ||
	    (peer != NULL && peer->stage == stage && peer->notify == notify);
}

/* Of the rows of the comparison only the groups differ. */
static bool
only_group(const struct why_facts *f, enum why_pair_kind kind)
{
	bool group = false, other = false;

	for (unsigned i = 0; i < f->n_pair && f->pair_kind == kind; i++) {
		bool is_group = strcmp(f->pair[i].what, "group") == 0;

		if (!why_pair_fits(&f->pair[i]))
			*(is_group ? &group : &other) = true;
	}
	return group && !other;
}

static bool
group(const struct why_facts *f, struct why_say *s)
{
	say_unknown(f, s, WHY_PAIR_IKE);
	if (ended(f, WHY_AT_INIT, N_INVALID_KE))
		return true;
	return (ended(f, WHY_AT_INIT, N_NO_PROPOSAL) ||
		stranger_said(f, "no proposal in common")) &&
	    only_group(f, WHY_PAIR_IKE);
}

static bool
proposal(const struct why_facts *f, struct why_say *s)
{
	say_unknown(f, s, WHY_PAIR_IKE);
	return (ended(f, WHY_AT_INIT, N_NO_PROPOSAL) ||
		ended(f, WHY_AT_AUTH, N_NO_PROPOSAL) ||
		stranger_said(f, "no proposal in common")) &&
	    !only_group(f, WHY_PAIR_IKE);
}

static bool
esp(const struct why_facts *f, struct why_say *s)
{
	say_unknown(f, s, WHY_PAIR_ESP);
	return ended(f, WHY_AT_CHILD, N_NO_PROPOSAL);
}

static bool
cookies(const struct why_facts *f, struct why_say *s)
{
	snprintf(s->a, sizeof(s->a), "%u", f->n_cookie);
	return !why_is_up(f) && f->n_cookie >= COOKIES;
}

/* The sentence of a mode that does not fit: {a}. */
static bool
mode(const struct why_facts *f, struct why_say *s)
{
	const struct why_end *us = refused_by_us(f);
	const struct why_end *peer = refused_by_peer(f);

	if (us != NULL && us->stage == WHY_AT_CHILD &&
	    us->notify != N_NOT_ASKED && (strstr(us->why, "EtherIP") != NULL ||
	     strstr(us->why, "transport mode") != NULL ||
	     strstr(us->why, "asks for IP mode") != NULL ||
	     strstr(us->why, "asks for GRE") != NULL)) {
		str_copy(s->a, sizeof(s->a), us->why);
		return true;
	}
	if (peer == NULL || peer->stage != WHY_AT_CHILD ||
	    peer->notify != N_TS || strcmp(f->mode, "ether") != 0)
		return false;
	snprintf(s->a, sizeof(s->a), s->lang == WHY_JA ?
		 "こちらは mode=\"ether\" で、%.100s はこれを拒否しました" :
		 "we have mode=\"ether\", and %.100s refuses it", f->peer);
	return true;
}

static bool
no_net(const struct why_facts *f, struct why_say *s)
{
	const struct why_end *us = refused_by_us(f);

	if (us == NULL || strstr(us->why, "needs <net") == NULL)
		return false;
	str_copy(s->a, sizeof(s->a), us->why);
	return true;
}

static bool
selectors(const struct why_facts *f, struct why_say *s)
{
	struct why_say other = *s;

	say_unknown(f, s, WHY_PAIR_TS);
	return ended(f, WHY_AT_CHILD, N_TS) && !mode(f, &other);
}

/* {a}: what we said, when it was us. */
static bool
pool(const struct why_facts *f, struct why_say *s)
{
	const struct why_end *us = refused_by_us(f);

	if (us != NULL && us->notify == N_NO_ADDRESS)
		snprintf(s->a, sizeof(s->a), ": %.200s", us->why);
	return ended(f, WHY_AT_CHILD, N_NO_ADDRESS);
}

static bool
not_asked(const struct why_facts *f, struct why_say *s)
{
	if (refused_by_us(f) != NULL)
		snprintf(s->a, sizeof(s->a), s->lang == WHY_JA ?
			 " (%.100s は要求しませんでした)" :
			 ", and %.100s did not", f->peer);
	return ended(f, WHY_AT_CHILD, N_NOT_ASKED);
}

/* ---- where it sends us (RFC 5685) ---------------------------------------- */

static void
say_moved(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->moved.from);
	str_copy(s->b, sizeof(s->b), f->moved.to);
	snprintf(s->c, sizeof(s->c), "%u", f->moved.n);
}

static bool
moved_loop(const struct why_facts *f, struct why_say *s)
{
	say_moved(f, s);
	return !why_is_up(f) && fresh(f->moved.age_s) &&
	    f->moved.how == WHY_MOVED_TOO_OFTEN;
}

/* Is this the address of a remote end, whatever the port? */
static bool
is_of(const char *remote, const char *ip)
{
	size_t len = strlen(ip);

	if (remote[0] == '[')
		remote++;
	return len > 0 && strncmp(remote, ip, len) == 0 &&
	    (remote[len] == '\0' || remote[len] == ']' ||
	     (remote[len] == ':' && strchr(ip, ':') == NULL));
}

/* {c}: what became of it. */
static bool
moved_failed(const struct why_facts *f, struct why_say *s)
{
	const struct why_end *e = &f->out;
	bool is_name = f->moved.how == WHY_MOVED_NOWHERE;

	say_moved(f, s);
	if (is_name)
		str_copy(s->c, sizeof(s->c), s->lang == WHY_JA ?
			 "この名前を別のアドレスに解決できません" :
			 "its name leads to no other address");
	else if (e->by == WHY_BY_SILENCE)
		str_copy(s->c, sizeof(s->c), s->lang == WHY_JA ?
			 "応答がありません" : "nobody answers");
	else
		str_copy(s->c, sizeof(s->c), e->why);
	return !why_is_up(f) && fresh(f->moved.age_s) &&
	    f->moved.how != WHY_MOVED_TOO_OFTEN &&
	    (is_name || (e->by != WHY_BY_NOBODY && e->stage < WHY_AT_REKEY &&
			 is_of(e->from, f->moved.to)));
}

static bool
moved_there(const struct why_facts *f, struct why_say *s)
{
	say_moved(f, s);
	return why_is_up(f) && f->moved.age_s != WHY_NEVER &&
	    f->moved.how == WHY_MOVED_GONE && is_of(f->remote, f->moved.to);
}

/* It is asked for while the connection goes on, which is older. */
static bool
moved_stays(const struct why_facts *f, struct why_say *s)
{
	say_moved(f, s);
	return why_is_up(f) && fresh(f->moved.age_s) &&
	    f->moved.age_s >= MOVE_S && f->moved.was_up &&
	    f->moved.how != WHY_MOVED_NOWHERE && is_of(f->remote, f->moved.from);
}

static bool
drained(const struct why_facts *f, struct why_say *s)
{
	if (f->is_shut)
		str_copy(s->a, sizeof(s->a), s->lang == WHY_JA ?
			 "新しい接続を受け入れず、こちらからも接続しません" :
			 "nobody is let in, and none is dialled");
	else if (s->lang == WHY_JA)
		snprintf(s->a, sizeof(s->a), "転送に従う相手は %s へ送られます",
			 f->drain);
	else
		snprintf(s->a, sizeof(s->a), "who follows redirections is sent "
			 "to the gateway %s", f->drain);
	return !why_is_up(f) && (f->is_shut ||
	    (!f->is_dialled && f->drain[0] != '\0'));
}

/* Of the connection that stands, and that was made of late. */
static bool
ticket(const struct why_facts *f, struct why_say *s UNUSED)
{
	return why_is_up(f) && f->ticket_s != WHY_NEVER &&
	    f->up_s != WHY_NEVER && f->up_s <= TICKET_S &&
	    f->ticket_s >= f->up_s && f->ticket_s - f->up_s <= FRESH_S;
}

/* ---- what is between them ------------------------------------------------------ */

/* An ICMP error, and no answer since. */
static bool
icmp(const struct why_facts *f)
{
	if (why_is_up(f) || !fresh(f->icmp_s) ||
	    (f->out.by != WHY_BY_SILENCE && f->out.by != WHY_BY_NOBODY))
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (f->port[i].heard_s != WHY_NEVER &&
		    f->port[i].heard_s < f->icmp_s)
			return false;
	return true;
}

static bool
port(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->icmp_from);
	return f->icmp == WHY_ICMP_PORT && icmp(f);
}

static bool
unreachable(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->icmp_from);
	str_copy(s->b, sizeof(s->b), f->icmp == WHY_ICMP_ADMIN ?
		 "administratively prohibited" : "host unreachable");
	return (f->icmp == WHY_ICMP_HOST || f->icmp == WHY_ICMP_ADMIN) &&
	    icmp(f);
}

static bool
is_big(const struct why_facts *f)
{
	return f->big_bytes > IP_PACKET && !f->has_frag;
}

static bool
only_500(const struct why_facts *f, struct why_say *s UNUSED)
{
	return is_silent(f, WHY_AT_AUTH) && !is_heard(f, 1) &&
	    f->port[1].sent_s != WHY_NEVER && !is_big(f);
}

static bool
big(const struct why_facts *f, struct why_say *s)
{
	snprintf(s->a, sizeof(s->a), "%u", f->big_bytes);
	return is_silent(f, WHY_AT_AUTH) && is_big(f);
}

static bool
only_4500(const struct why_facts *f, struct why_say *s UNUSED)
{
	const struct why_port *p = &f->port[0];

	/* asked by it was another gateway, to which we were sent */
	if (fresh(f->moved.age_s) && !is_of(f->remote, f->moved.to))
		return false;
	return why_is_up(f) && p->sent_s != WHY_NEVER &&
	    f->port[1].heard_s != WHY_NEVER &&
	    (p->heard_s == WHY_NEVER || p->heard_s > p->sent_s) &&
	    f->port[1].heard_s <= p->sent_s;
}

static bool
no_answer(const struct why_facts *f, struct why_say *s)
{
	bool both = f->port[0].sent_s != WHY_NEVER &&
	    f->port[1].sent_s != WHY_NEVER;
	unsigned one = f->port[f->port[0].sent_s != WHY_NEVER ? 0 : 1].number;

	if (f->out.stage == WHY_AT_AUTH)
		snprintf(s->a, sizeof(s->a), s->lang == WHY_JA ?
			 "%u バイトの IKE_AUTH に応答がありません" :
			 "IKE_AUTH of %u bytes is not answered",
			 f->big_bytes);
	else if (both)
		snprintf(s->a, sizeof(s->a), s->lang == WHY_JA ?
			 "UDP %u も %u も応答なし" :
			 "UDP %u and %u were tried", f->port[0].number,
			 f->port[1].number);
	else
		snprintf(s->a, sizeof(s->a), s->lang == WHY_JA ?
			 "UDP %u に応答なし" : "UDP %u was tried", one);
	return is_silent(f, WHY_AT_INIT) || is_silent(f, WHY_AT_AUTH);
}

static bool
notify(const struct why_facts *f, struct why_say *s)
{
	const struct why_end *e = refused_by_peer(f);

	if (e != NULL)
		str_copy(s->a, sizeof(s->a), e->why);
	return e != NULL;
}

static bool
our_refusal(const struct why_facts *f, struct why_say *s)
{
	const struct why_end *e = refused_by_us(f);

	if (e != NULL)
		str_copy(s->a, sizeof(s->a), e->why);
	return e != NULL;
}

static bool
waiting(const struct why_facts *f, struct why_say *s UNUSED)
{
	return !why_is_up(f) && !f->is_dialled && !f->is_held;
}

static bool
trying(const struct why_facts *f, struct why_say *s UNUSED)
{
	return !why_is_up(f) && f->is_dialled && f->out.by == WHY_BY_NOBODY;
}

why_rule_fn *const why_link_rule[WHY_RULE_END] = {
	[WHY_R_HELD] = held, [WHY_R_SECURE] = secure, [WHY_R_NAME] = name,
	[WHY_R_ROUTE] = route, [WHY_R_PSK] = psk, [WHY_R_METHOD] = method,
	[WHY_R_EAP] = eap, [WHY_R_EAP_WORD] = eap_word,
	[WHY_R_EAP_USER] = eap_user, [WHY_R_EAP_WAIT] = eap_wait,
	[WHY_R_EAP_SILENT] = eap_silent, [WHY_R_EAP_RADIUS] = eap_radius,
	[WHY_R_EAP_KEY] = eap_key, [WHY_R_EAP_ASK] = eap_ask,
	[WHY_R_EAP_OURS] = eap_ours, [WHY_R_CA] = ca, [WHY_R_EXPIRED] = expired,
	[WHY_R_CLOCK] = clock_off, [WHY_R_NOT_YET] = not_yet,
	[WHY_R_REVOKED] = revoked, [WHY_R_UNVOUCHED] = unvouched,
	[WHY_R_CERT_NAME] = cert_name, [WHY_R_USAGE] = usage,
	[WHY_R_WEAK] = weak, [WHY_R_SIGNATURE] = signature,
	[WHY_R_NO_CERT] = no_cert, [WHY_R_OWN_KEY] = own_key,
	[WHY_R_PPK] = ppk, [WHY_R_ID_OTHER] = id_other,
	[WHY_R_ID_OURS] = id_ours, [WHY_R_ID_UNKNOWN] = id_unknown,
	[WHY_R_REFUSED_PSK] = refused_psk,
	[WHY_R_REFUSED_CERT] = refused_cert, [WHY_R_PROPOSAL] = proposal,
	[WHY_R_GROUP] = group, [WHY_R_COOKIES] = cookies,
	[WHY_R_SELECTORS] = selectors, [WHY_R_MODE] = mode,
	[WHY_R_POOL] = pool, [WHY_R_NOT_ASKED] = not_asked,
	[WHY_R_NO_NET] = no_net, [WHY_R_ESP] = esp, [WHY_R_PORT] = port,
	[WHY_R_UNREACHABLE] = unreachable, [WHY_R_ONLY_500] = only_500,
	[WHY_R_BIG] = big, [WHY_R_ONLY_4500] = only_4500,
	[WHY_R_NO_ANSWER] = no_answer, [WHY_R_NOTIFY] = notify,
	[WHY_R_OUR_REFUSAL] = our_refusal, [WHY_R_WAITING] = waiting,
	[WHY_R_TRYING] = trying, [WHY_R_PIN] = pin, [WHY_R_OWN_OLD] = own_old,
	[WHY_R_MOVED_LOOP] = moved_loop, [WHY_R_MOVED_FAILED] = moved_failed,
	[WHY_R_MOVED] = moved_there, [WHY_R_MOVED_STAYS] = moved_stays, [WHY_R_DRAINED] = drained,
	[WHY_R_TICKET] = ticket,
};
