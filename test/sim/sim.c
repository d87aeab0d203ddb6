/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/sim.c - run scenario files over two engines.
 *
 *   sim [-v] [FILE.play ...]   default: every *.play of test/sim
 *   sim --graph states|paths   tables of the engine as a drawing (graphviz dot)
 *
 * A file is a list of lines "command words"; '#' begins a comment.  Commands
 * stand in the table at the end, with their arguments.  A line "seeds N [M]"
 * runs the file N times with different seeds.  SIM_SEEDS=n in the environment
 * runs every file n times, but no more than M; SIM_SEED=s runs only that one.
 * The last line of output is "TESTS n passed, m failed".
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "test/lib/kem.h"
#include "test/sim/play.h"

#define SEED_FIRST 1000

bool
play_fail(struct play *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->fail, sizeof(p->fail), fmt, ap);
	va_end(ap);
	return false;
}

struct sim_host *
play_host(struct play *p, unsigned i)
{
	return i < p->n_arg && strcmp(p->arg[i], "b") == 0 ? &p->w.b : &p->w.a;
}

unsigned
play_num(struct play *p, unsigned i)
{
	return i < p->n_arg ? (unsigned)strtoul(p->arg[i], NULL, 0) : 0;
}

static uint64_t
duration(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 10);

	return strcmp(end, "ms") == 0 ? v : strcmp(end, "m") == 0 ? v * 60000 :
	    v * 1000;
}

/* ---- setting up ---------------------------------------------------------- */

static bool
cmd_net(struct play *p)
{
	struct sim_world *w = &p->w;

	for (unsigned i = 1; i + 1 < p->n_arg; i += 2) {
		if (strcmp(p->arg[i], "loss") == 0)
			w->loss = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "dup") == 0)
			w->dup = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "reorder") == 0)
			w->reorder = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "flip") == 0)
			w->flip = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "delay") == 0)
			w->delay_lo = w->delay_hi = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "job") == 0)
			w->job_ms = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "door") == 0)
			w->door_ms = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "mtu") == 0)
			w->mtu = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "mtu-a") == 0)
			w->mtu_a = play_num(p, i + 1);
		else if (strcmp(p->arg[i], "link") == 0)
			w->link = play_num(p, i + 1);
		else
			return play_fail(p, "net: loss dup reorder flip delay "
					 "job door mtu mtu-a link");
	}
	return true;
}

static bool
cmd_nat(struct play *p)
{
	play_host(p, 1)->is_natted = true;
	if (p->n_arg > 2)		/* static: its ports lead in */
		play_host(p, 1)->nat_shift = 0;
	return true;
}

static bool
cmd_remap(struct play *p)
{
	play_host(p, 1)->nat_shift = (uint16_t)(play_host(p, 1)->nat_shift + 1000);
	return true;
}

static bool
cmd_start(struct play *p)
{
	if (p->n_arg < 2 || strcmp(p->arg[1], "both") == 0) {
		sim_host_start(&p->w.a);
		sim_host_start(&p->w.b);
	} else {
		sim_host_start(play_host(p, 1));
	}
	return true;
}

static bool
cmd_kill(struct play *p)
{
	sim_host_kill(play_host(p, 1));
	return true;
}

static bool
cmd_run(struct play *p)
{
	sim_run(&p->w, duration(p->arg[1]));
	return true;
}

/* run-some N: up to N ms, by the seed */
static bool
cmd_run_some(struct play *p)
{
	sim_run(&p->w, rng_det_u64(&p->w.rng) % (play_num(p, 1) + 1));
	return true;
}

static bool
cmd_cut(struct play *p)
{
	struct sim_host *h = play_host(p, 1);

	h->has_cut = p->n_arg > 2;
	h->is_cut = p->n_arg < 3;
	h->n_cut = play_num(p, 2);
	return true;
}

static bool
cmd_heal(struct play *p)
{
	play_host(p, 1)->is_cut = play_host(p, 1)->has_cut = false;
	return true;
}

static bool
cmd_shut(struct play *p)
{
	p->w.is_500_shut = strcmp(p->arg[1], "on") == 0;
	return true;
}

/* suspend HOST, resume HOST: its clock goes on, as CLOCK_BOOTTIME does */
static bool
cmd_suspend(struct play *p)
{
	play_host(p, 1)->is_asleep = strcmp(p->arg[0], "suspend") == 0;
	return true;
}

static bool
cmd_flow(struct play *p)
{
	p->w.is_esp_flowing = strcmp(p->arg[1], "on") == 0;
	return true;
}

/* ---- doing --------------------------------------------------------------- */

static bool
cmd_up(struct play *p)
{
	return ike_up(play_host(p, 1)->ike, 0, 0, p->w.now_ms) == 0 ||
	    play_fail(p, "ike_up refused");
}

static bool
cmd_down(struct play *p)
{
	return ike_down(play_host(p, 1)->ike, 0, 0, p->w.now_ms) == 0 ||
	    play_fail(p, "ike_down refused");
}

static bool
cmd_rekey(struct play *p)
{
	struct ike_link_info li;

	if (!sim_link(play_host(p, 1), &li))
		return play_fail(p, "no link");
	return ike_rekey(play_host(p, 1)->ike, li.link,
			 strcmp(p->arg[2], "child") == 0, p->w.now_ms) == 0 ||
	    play_fail(p, "ike_rekey refused");
}

/* as rekey, where the state at this moment depends on the seed */
static bool
cmd_rekey_if_up(struct play *p)
{
	struct ike_link_info li;

	return !sim_link(play_host(p, 1), &li) || li.state < IKE_ST_SUSPECT ||
	    cmd_rekey(p);
}

static bool
cmd_mangle(struct play *p)
{
	p->w.is_mangled = strcmp(p->arg[1], "on") == 0;
	return true;
}

static bool
cmd_shutdown(struct play *p)
{
	ike_shutdown(play_host(p, 1)->ike, p->w.now_ms);
	return true;
}

static bool
cmd_replay(struct play *p)
{
	sim_replay(&p->w);
	return true;
}

/* replay-from HOST: what HOST sent, again, from another address */
static bool
cmd_replay_from(struct play *p)
{
	struct sim_host *h = play_host(p, 1);

	for (unsigned i = 0; i < p->w.n_rec; i++) {
		struct sim_event *r = p->w.rec[i];
		struct net_ep from = r->from;

		if (r->host == h)
			continue;
		from.ip.b[3] = 66;
		sim_inject(r->host, &from, &r->to, r->is_natt, r->p, r->len);
		sim_run(&p->w, 2);
	}
	return true;
}

static bool
cmd_outsider(struct play *p)
{
	static const uint8_t head[20] = { 0x45 };
	struct ike_link_info li;

	if (!sim_link(play_host(p, 1), &li) || li.child_id == 0)
		return play_fail(p, "no child SA");
	ike_child_selectors(play_host(p, 1)->ike, li.child_id, (struct view){
	    head, sizeof(head) }, p->w.now_ms);
	return true;
}

static bool
cmd_expire(struct play *p)
{
	struct ike_link_info li;

	if (!sim_link(play_host(p, 1), &li) || li.child_id == 0)
		return play_fail(p, "no child SA");
	ike_child_expire(play_host(p, 1)->ike, li.child_id,
			 strcmp(p->arg[2], "hard") == 0, p->w.now_ms);
	return true;
}

static bool
cmd_secure(struct play *p)
{
	struct sim_host *h = play_host(p, 1);

	h->is_secure_dead = strcmp(p->arg[2], "dead") == 0;
	if (h->is_secure_dead)
		ike_secure_lost(h->ike, p->w.now_ms);
	return true;
}

/* Its keys may be others now; mute: nobody can tell who still may. */
static bool
cmd_recheck(struct play *p)
{
	struct sim_host *h = play_host(p, 1);

	h->is_mute = p->n_arg > 2 && strcmp(p->arg[2], "mute") == 0;
	ike_recheck(h->ike, p->w.now_ms);
	return true;
}

/* One of the things that may happen to a link at any time. */
static void
chaos_one(struct sim_host *h, unsigned what)
{
	uint64_t now = h->w->now_ms;
	struct ike_link_info li;
	int err = 0;

	if (!sim_link(h, &li))
		return;
	switch (what) {
	case 0:
	case 1:
	case 2:
		err = ike_rekey(h->ike, li.link, true, now);
		break;
	case 3:
	case 4:
		err = ike_rekey(h->ike, li.link, false, now);
		break;
	case 5:
		ike_child_expire(h->ike, li.child_id, false, now);
		break;
	case 6:
		ike_child_expire(h->ike, li.child_id, true, now);
		break;
	case 7:
		err = ike_down(h->ike, 0, 0, now);
		break;
	default:
		err = ike_up(h->ike, 0, 0, now);
		break;
	}
	(void)err;	/* not possible now: that is fine */
}

/* chaos N: N of them, on both ends, up to 400 ms apart */
static bool
cmd_chaos(struct play *p)
{
	struct sim_world *w = &p->w;

	for (unsigned i = 0; i < play_num(p, 1); i++) {
		uint64_t r = rng_det_u64(&w->rng);

		chaos_one((r & 1) != 0 ? &w->a : &w->b,
			  (unsigned)(r >> 8) % 9);
		sim_run(w, (r >> 16) % 4 == 0 ? (r >> 24) % 400 :
			(r >> 24) % 30);
	}
	return true;
}

/* alloc HOST N|seed: its Nth allocation from now on fails; 0 = none */
static bool
cmd_alloc(struct play *p)
{
	sim_alloc_watch(play_host(p, 1), strcmp(p->arg[2], "seed") == 0 ?
			p->nth : play_num(p, 2));
	return true;
}

/* ---- judging ------------------------------------------------------------- */

static bool
compare(unsigned have, const char *op, unsigned want)
{
	return strcmp(op, ">=") == 0 ? have >= want :
	    strcmp(op, "<=") == 0 ? have <= want : have == want;
}

static bool
count_check(struct play *p, const char *what, unsigned have, unsigned at)
{
	if (compare(have, p->arg[at], play_num(p, at + 1)))
		return true;
	return play_fail(p, "%s is %u, not %s %s", what, have, p->arg[at],
		    p->arg[at + 1]);
}

static unsigned
drops_of(const char *key)
{
	for (unsigned d = 0; d < DROP_END; d++)
		if (strcmp(drop_key((enum drop)d), key) == 0)
			return (unsigned)drop_sum((enum drop)d);
	return UINT32_MAX;
}

/* Lanes with a child SA that is neither replaced nor going. */
static unsigned
lanes_of(struct sim_host *h)
{
	struct ike_child_info ci;
	struct ike_link_info li;
	uint64_t seen = 0;
	uint32_t it = 0;
	unsigned n = 0;

	if (!sim_link(h, &li))
		return 0;
	while (ike_child_visit(h->ike, li.link, &it, &ci)) {
		if (ci.bundle == 0 || !ci.is_current || ci.lane >= 64)
			continue;
		n += (seen >> ci.lane & 1) == 0;
		seen |= 1ull << ci.lane;
	}
	return n;
}

/* Of the path, as the first pair that is up knows it. */
static unsigned
size_of(const struct sim_host *h)
{
	for (unsigned i = 0; i < SIM_CHILD_MAX; i++)
		if (h->child[i].is_up)
			return h->child[i].desc.path.mtu;
	return 0;
}

static unsigned
stat_of(struct sim_host *h, const char *key)
{
	struct ike_stats s;

	ike_stats_get(h->ike, &s);
	return (unsigned)(strcmp(key, "halfopen") == 0 ? s.n_halfopen :
	    strcmp(key, "ike-sas") == 0 ? s.n_ike_sa :
	    strcmp(key, "sas") == 0 ? h->ike->n_sa :
	    strcmp(key, "children") == 0 ? s.n_child :
	    strcmp(key, "lanes") == 0 ? lanes_of(h) :
	    strcmp(key, "data-sent") == 0 ? h->n_data_sent :
	    strcmp(key, "data-lost") == 0 ? h->n_data_lost :
	    strcmp(key, "busy") == 0 ? sim_data_busy(h) :
	    strcmp(key, "keepalives") == 0 ? h->n_keepalive :
	    strcmp(key, "fragments") == 0 ? h->n_frag :
	    strcmp(key, "size") == 0 ? size_of(h) :
	    strcmp(key, "probes") == 0 ? h->n_probe :
	    strcmp(key, "events-suspect") == 0 ? h->n_event[IKE_LINK_SUSPECT] :
	    strcmp(key, "allocs") == 0 ? sim_alloc_seen() :
	    strcmp(key, "sent") == 0 ? h->w->n_sent :
	    strcmp(key, "clear-tokens") == 0 ? h->w->n_clear_token :
	    strcmp(key, "cookies") == 0 ? s.n_cookie_asked :
	    strcmp(key, "auth-solved") == 0 ? h->n_auth_ps :
	    strcmp(key, "puzzles") == 0 ? s.gate.n_puzzle :
	    strcmp(key, "solved") == 0 ? s.gate.n_solved :
	    strcmp(key, "excused") == 0 ? s.gate.n_lucky :
	    strcmp(key, "level") == 0 ? s.level :
	    strcmp(key, "rekeys") == 0 ? s.n_rekey :
	    strcmp(key, "leased") == 0 ? h->n_leased :
	    strcmp(key, "named") == 0 ? h->n_named :
	    strcmp(key, "resumed") == 0 ? h->n_resumed :
	    strcmp(key, "asked-twice") == 0 ? h->n_twice :
	    strcmp(key, "retransmits") == 0 ? s.n_retransmit :
	    strcmp(key, "auth-ok") == 0 ? s.n_auth_ok :
	    strcmp(key, "auth-failed") == 0 ? s.n_auth_failed :
	    strcmp(key, "events-up") == 0 ? h->n_event[IKE_LINK_UP] :
	    strcmp(key, "events-auth-failed") == 0 ?
	    h->n_event[IKE_LINK_AUTH_FAILED] :
	    strcmp(key, "events-ask") == 0 ? h->n_event[IKE_LINK_ASKS] :
	    strcmp(key, "asked") == 0 ? h->n_asked :
	    strcmp(key, "asked-any") == 0 ? h->n_asked_any :
	    strcmp(key, "certs-in") == 0 ? h->n_cert_in :
	    strcmp(key, "refusals") == 0 ? h->n_refused :
	    strcmp(key, "events-sent") == 0 ? h->n_event[IKE_LINK_SENT] :
	    strcmp(key, "events-expelled") == 0 ?
	    h->n_event[IKE_LINK_EXPELLED] :
	    strcmp(key, "events-down") == 0 ? h->n_event[IKE_LINK_DOWN] :
	    UINT32_MAX);
}

static bool
expect_link(struct play *p, struct sim_host *h)
{
	struct ike_link_info li = { 0 };
	bool has = sim_link(h, &li), is_ok;
	const char *key = p->arg[2], *val = p->n_arg > 3 ? p->arg[3] : "";

	if (sim_pool_expect(p, h, key, val, &is_ok))
		return is_ok;
	if (strcmp(key, "refused") == 0)
		return strstr(h->refused_why, val) != NULL ||
		    play_fail(p, "%s refused for '%s'", h->name,
			      h->refused_why);
	if (strcmp(key, "nolink") == 0)
		return !has || play_fail(p, "there is a link");
	if (!has)
		return play_fail(p, "%s has no link", h->name);
	if (strcmp(key, "state") == 0)
		return strcmp(ike_link_state_name(li.state), val) == 0 ||
		    play_fail(p, "%s is %s (%s)", h->name,
			 ike_link_state_name(li.state), li.why);
	if (strcmp(key, "why") == 0)
		return strstr(li.why, val) != NULL ||
		    play_fail(p, "%s says '%s'", h->name, li.why);
	if (strcmp(key, "mode") == 0)
		return strcmp(vpn_mode_name(li.mode), val) == 0 ||
		    play_fail(p, "mode is %s", vpn_mode_name(li.mode));
	if (strcmp(key, "encap") == 0)
		return strcmp(vpn_encap_name(li.encap), val) == 0 ||
		    play_fail(p, "encap is %s", vpn_encap_name(li.encap));
	if (strcmp(key, "suite") == 0)
		return strcmp(li.ike_suite, val) == 0 ||
		    play_fail(p, "suite is %s", li.ike_suite);
	if (strcmp(key, "remote") == 0) {
		char text[IP_TEXT_MAX];

		ip_text(&li.remote.ip, text);
		return strcmp(text, val) == 0 || play_fail(p, "remote is %s", text);
	}
	if (strcmp(key, "nat-there") == 0)
		return li.is_nat_there == (strcmp(val, "yes") == 0) ||
		    play_fail(p, "nat-there is %d", li.is_nat_there);
	if (strcmp(key, "ts-remote") == 0) {
		char text[VPN_TS_TEXT_MAX];

		vpn_ts_text(&li.ts_remote[0], text);
		return strcmp(text, val) == 0 || play_fail(p, "ts is %s", text);
	}
	if (strcmp(key, "ts-local") == 0) {
		char text[VPN_TS_TEXT_MAX];

		vpn_ts_text(&li.ts_local[0], text);
		return strcmp(text, val) == 0 || play_fail(p, "ts is %s", text);
	}
	return count_check(p, key, stat_of(h, key), 3);
}

static bool
cmd_expect(struct play *p)
{
	if (strcmp(p->arg[1], "agree") == 0) {
		if (sim_keys_agree(&p->w))
			return true;
		sim_run(&p->w, 2000);	/* perhaps in the middle of rekeying */
		return sim_keys_agree(&p->w) ||
		    play_fail(p, "the ends do not agree on keys");
	}
	if (strcmp(p->arg[1], "pairs") == 0) {
		if (sim_pairs_agree(&p->w))
			return true;
		sim_run(&p->w, 2000);
		return sim_pairs_agree(&p->w) ||
		    play_fail(p, "a child SA lacks its other half");
	}
	if (strcmp(p->arg[1], "drops") == 0)
		return count_check(p, p->arg[2], drops_of(p->arg[2]), 3);
	if (strcmp(p->arg[1], "both") == 0)
		return expect_link(p, &p->w.a) && expect_link(p, &p->w.b);
	return expect_link(p, play_host(p, 1));
}

/* ---- the language -------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned min_arg;
	bool (*fn)(struct play *p);
} command[] = {
	{ "set", 4, play_set },		/* a|b|both KEY VALUE */
	{ "net", 3, cmd_net },		/* loss|dup|reorder|flip % | delay|job ms */
	{ "nat", 2, cmd_nat },		/* a|b [static] lives behind a NAT */
	{ "remap", 2, cmd_remap },	/* that NAT chooses another port */
	{ "start", 1, cmd_start },	/* [a|b|both] */
	{ "kill", 2, cmd_kill },	/* as by SIGKILL */
	{ "run", 2, cmd_run },		/* 500ms 10s 2m */
	{ "run-some", 2, cmd_run_some }, /* at most N ms */
	{ "cut", 2, cmd_cut },		/* a|b [after N datagrams] is silent */
	{ "heal", 2, cmd_heal },
	{ "suspend", 2, cmd_suspend },	/* a|b: the machine sleeps */
	{ "resume", 2, cmd_suspend },
	{ "shut-500", 2, cmd_shut },	/* on|off: nothing passes port 500 */
	{ "data", 2, play_data },	/* MS|0: packets every MS ms, counted */
	{ "churn", 2, play_churn },	/* N rekeyings of all kinds */
	{ "flow", 2, cmd_flow },	/* on|off: ESP in both directions */
	{ "up", 2, cmd_up },
	{ "down", 2, cmd_down },
	{ "rekey", 3, cmd_rekey },	/* a|b child|ike */
	{ "rekey-if-up", 3, cmd_rekey_if_up },
	{ "mangle", 2, cmd_mangle },	/* on|off: 3DES in every offer */
	{ "alloc", 3, cmd_alloc },	/* a|b N|seed: its Nth allocation fails */
	{ "chaos", 2, cmd_chaos },	/* N random commands on both ends */
	{ "outsider", 2, cmd_outsider },	/* a|b got a packet of no selector */
	{ "expire", 3, cmd_expire },	/* a|b soft|hard: packet limit reached */
	{ "shutdown", 2, cmd_shutdown },
	{ "addr", 3, play_addr },	/* a|b IP: it moves there; + IP, - IP */
	{ "dead", 3, play_dead },	/* a|b IP: nothing passes there any more */
	{ "alive", 3, play_dead },
	{ "paths", 2, play_paths },	/* agree | a|b LOCAL REMOTE: of its data */
	{ "drain", 3, play_drain },	/* a|b GATEWAY|off|keep|end [realm] */
	{ "gw2", 2, play_gw2 },		/* IP|none: of gw2.example.com */
	{ "gap", 3, play_gap },		/* a|b MS: its data arrive again so soon */
	{ "replay", 1, cmd_replay },	/* every datagram sent so far */
	{ "replay-from", 2, cmd_replay_from }, /* a|b, other address */
	{ "secure", 3, cmd_secure },	/* a|b dead|alive */
	{ "recheck", 2, cmd_recheck },	/* a|b [mute]: who is connected still may? */
	{ "forge", 5, play_forge },	/* a|b XCHG req|rsp NOTIFY, unprotected */
	{ "liar", 2, play_liar },	/* NOTIFY|off answers IKE_SA_INIT first */
	{ "reflect", 3, play_reflect },	/* a|b on|off: its own come back to it */
	{ "early", 3, play_early },	/* a create|delete|eap|eap-other|eap-word|
					 * eap-auth [MSGID], good keys, no AUTH */
	{ "sealed", 3, play_sealed },	/* a|b WHAT: hostile, but authenticated */
	{ "told", 4, play_told },	/* a|b WHAT NOTIFY|none: as sealed, and the
					 * answer is this error */
	{ "stray", 2, play_stray },	/* a|b: its ESP comes to one who lost the SA */
	{ "fish", 2, play_fish },	/* a|b: asked for tokens of its SAs */
	{ "token", 3, play_token },	/* a|b wrong|short|long|fourth */
	{ "probe", 3, play_probe },	/* a|b N: N forged ones of all kinds; none
					 * gets more than it sent */
	{ "flood", 3, play_flood },	/* a|b N: IKE_SA_INIT from N sources */
	{ "expect", 2, cmd_expect },	/* agree | pairs | drops K op N | a|b|both .. */
};

static void
split(struct play *p, char *line)
{
	char *hash = strchr(line, '#');

	if (hash != NULL)
		*hash = '\0';
	p->n_arg = 0;
	while (*line != '\0' && p->n_arg < ARG_MAX_) {
		char end = ' ';

		line += strspn(line, " \t\r\n");
		if (*line == '\0')
			break;
		if (*line == '"')
			end = *line++;
		p->arg[p->n_arg++] = line;
		line += end == '"' ? strcspn(line, "\"") :
		    strcspn(line, " \t\r\n");
		if (*line != '\0')
			*line++ = '\0';
	}
}

static bool
do_line(struct play *p, char *line)
{
	split(p, line);
	if (p->n_arg == 0 || strcmp(p->arg[0], "seeds") == 0)
		return true;
	for (unsigned i = 0; i < N_OF(command); i++)
		if (strcmp(p->arg[0], command[i].name) == 0)
			return p->n_arg >= command[i].min_arg ?
			    command[i].fn(p) : play_fail(p, "too few words");
	return play_fail(p, "unknown command %s", p->arg[0]);
}

/* How often to run a file: as it says, or as the environment wants it. */
static unsigned
seeds_of(FILE *f)
{
	const char *wanted = getenv("SIM_SEEDS");
	unsigned n = 1, most = UINT32_MAX;
	char line[LINE_LEN];

	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "seeds %u %u", &n, &most) >= 1)
			break;
	rewind(f);
	if (wanted != NULL && wanted[0] != '\0')
		n = (unsigned)strtoul(wanted, NULL, 0);
	return n < most ? n : most;
}

static bool
run_once(const char *path, FILE *f, uint64_t seed, bool is_verbose)
{
	static struct play p;
	char line[LINE_LEN];
	unsigned at = 0;
	bool ok = true;

	memset(&p, 0, sizeof(p));
	sim_world_init(&p.w, seed);
	p.nth = (unsigned)(seed - SEED_FIRST) + 1;
	p.w.is_verbose = is_verbose;
	drop_reset();
	rewind(f);
	while (ok && fgets(line, sizeof(line), f) != NULL) {
		at++;
		if (is_verbose)
			printf("%3u %s", at, line);
		ok = do_line(&p, line);
	}
	if (!ok)
		printf("FAIL %s:%u seed %llu: %s\n", path, at,
		       (unsigned long long)seed, p.fail);
	if (!sim_world_fini(&p.w)) {
		printf("FAIL %s seed %llu: something leaked\n", path,
		       (unsigned long long)seed);
		ok = false;
	}
	return ok;
}

static bool
run_file(const char *path, bool is_verbose)
{
	FILE *f = fopen(path, "r");
	const char *fixed = getenv("SIM_SEED");
	unsigned n;
	bool ok = true;

	if (f == NULL) {
		printf("FAIL %s: cannot be opened\n", path);
		return false;
	}
	n = fixed != NULL ? 1 : seeds_of(f);
	for (unsigned i = 0; i < n && ok; i++)
		ok = run_once(path, f, fixed != NULL ?
			      strtoull(fixed, NULL, 0) : SEED_FIRST + i,
			      is_verbose);
	fclose(f);
	if (ok)
		printf("ok   %s (%u seeds)\n", path, n);
	return ok;
}

/* ---- main ----------------------------------------------------------------- */

static void
quiet_sink(void *ctx, enum log_level lv, const char *who, const char *line)
{
	(void)ctx;
	(void)lv;
	(void)who;
	(void)line;
}

static int
is_play(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 5 && strcmp(d->d_name + n - 5, ".play") == 0;
}

int
main(int argc, char **argv)
{
	unsigned n_ok = 0, n_bad = 0;
	bool is_verbose = false;
	int i = 1;

	toy_kem_use();
	if (argc > 1 && strcmp(argv[1], "--graph") == 0) {
		if (argc > 2 && strcmp(argv[2], "paths") == 0)
			sim_graph_paths();
		else
			sim_graph_states();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		is_verbose = true;
		log_set_level(LOG_DEBUG);
		i++;
	} else {
		log_set_sink(quiet_sink, NULL);
	}
	if (i < argc) {
		for (; i < argc; i++)
			*(run_file(argv[i], is_verbose) ? &n_ok : &n_bad) += 1;
	} else {
		struct dirent **list;
		int n = scandir("test/sim", &list, is_play, alphasort);

		for (int k = 0; k < n; k++) {
			char path[LINE_LEN];

			snprintf(path, sizeof(path), "test/sim/%s",
				 list[k]->d_name);
			*(run_file(path, is_verbose) ? &n_ok : &n_bad) += 1;
			free(list[k]);
		}
		if (n > 0)
			free(list);
	}
	printf("TESTS %u passed, %u failed\n", n_ok, n_bad);
	return n_bad != 0 || n_ok == 0;
}
