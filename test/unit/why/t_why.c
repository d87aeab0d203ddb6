/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/why/t_why.c - evidence made by hand: each cause names itself first.
 */
#include "why/why.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/str.h"
#include "test/lib/test.h"

#define N_NO_PROPOSAL 14
#define N_INVALID_KE  17
#define N_AUTH_FAILED 24
#define N_NO_ADDRESS  36
#define N_NOT_ASKED   37
#define N_TS	      38

/* A peer that is dialled and has not come up; nothing failed yet. */
static struct why_facts
down(void)
{
	struct why_facts f = {
		.realm = "branches", .peer = "osaka", .id = "osaka",
		.me = "tokyo", .remote = "192.0.2.2:500", .state = WHY_DOWN,
		.up_s = WHY_NEVER, .now = "2026-03-01 12:00 UTC",
		.is_dialled = true, .at = "192.0.2.2", .mode = "auto",
		.tap = "tap-branches", .n_addr = 1, .has_route = true,
		.port = { { 500, 2, WHY_NEVER }, { 4500, WHY_NEVER, WHY_NEVER } },
		.icmp_s = WHY_NEVER, .try_s = 2, .out.age_s = WHY_NEVER,
		.in.age_s = WHY_NEVER, .rekey_s = WHY_NEVER,
		.in_s = WHY_NEVER, .out_s = WHY_NEVER,
		.stranger.age_s = WHY_NEVER, .loop.age_s = WHY_NEVER,
		.flap.age_s = WHY_NEVER, .clash.age_s = WHY_NEVER,
		.moved.age_s = WHY_NEVER, .ticket_s = WHY_NEVER,
		.fingerprint = "1a2b",
	};

	return f;
}

/* One that is up and carries traffic both ways. */
static struct why_facts
up(void)
{
	struct why_facts f = down();

	f.state = WHY_UP;
	f.up_s = 100;
	str_copy(f.remote, sizeof(f.remote), "192.0.2.2:4500");
	str_copy(f.mode_now, sizeof(f.mode_now), "ether");
	str_copy(f.encap, sizeof(f.encap), "udp");
	f.port[0].heard_s = 100;
	f.port[0].sent_s = 100;
	f.port[1].heard_s = f.port[1].sent_s = 3;
	f.try_s = 100;
	f.rx_packets = f.tx_packets = 1000;
	f.in_s = f.out_s = 0;
	f.has_port = true;
	f.n_mac = 2;
	f.arp_asked = f.arp_told = 9;
	f.tap_in = 500;
	return f;
}

/* Our attempt ended so. */
static struct why_facts
ended(enum why_by by, enum why_stage stage, unsigned notify, const char *why)
{
	struct why_facts f = down();

	f.out.by = by;
	f.out.stage = stage;
	f.out.notify = notify;
	f.out.age_s = 1;
	str_copy(f.out.from, sizeof(f.out.from), "192.0.2.2:500");
	str_copy(f.out.why, sizeof(f.out.why), why);
	return f;
}

/* We ended the peer's attempt so. */
static struct why_facts
came(enum why_stage stage, unsigned notify, const char *why)
{
	struct why_facts f = down();

	f.in.by = WHY_BY_US;
	f.in.stage = stage;
	f.in.notify = notify;
	f.in.age_s = 1;
	str_copy(f.in.from, sizeof(f.in.from), "192.0.2.2:4500");
	str_copy(f.in.why, sizeof(f.in.why), why);
	return f;
}

static struct why_facts
proof(const char *why)
{
	return came(WHY_AT_AUTH, N_AUTH_FAILED, why);
}

static void
pair(struct why_facts *f, enum why_pair_kind kind, const char *what,
     const char *own, const char *peer)
{
	struct why_pair *p = &f->pair[f->n_pair++];

	f->pair_kind = kind;
	str_copy(p->what, sizeof(p->what), what);
	str_copy(p->own, sizeof(p->own), own);
	str_copy(p->peer, sizeof(p->peer), peer);
}

static const char *
first(const struct why_facts *f)
{
	static struct why_report rep;

	why_judge(f, WHY_EN, &rep);
	return rep.n_cause == 0 ? "" : why_rule_info(rep.cause[0].rule)->code;
}

#define FIRST(f_, code_)                                                       \
	do {                                                                   \
		struct why_facts x_ = (f_);                                    \
		assert_string_equal(first(&x_), code_);                        \
		seen(code_);                                                   \
	} while (0)

/* Which causes have been first somewhere in this program. */
static bool was_first[WHY_RULE_END];

static void
seen(const char *code)
{
	for (unsigned i = 0; i < WHY_RULE_END; i++)
		if (strcmp(why_rule_info(i)->code, code) == 0)
			was_first[i] = true;
}

TEST(a_peer_that_is_up_and_carries_traffic_has_no_cause)
{
	struct why_facts f = up();
	struct why_report rep;

	why_judge(&f, WHY_EN, &rep);
	assert_int_equal(rep.n_cause, 0);
	for (unsigned i = 0; i < WHY_CHECK_END; i++)
		assert_true(rep.check[i].result == WHY_OK ||
			    i == WHY_C_SIZE);	/* no path MTU is known */
}

TEST(a_client_that_waits_for_its_password_says_so_whatever_ended_it)
{
	struct why_facts f = ended(WHY_BY_PEER, WHY_AT_AUTH, N_AUTH_FAILED,
				   "EAP: wrong user name or password");

	f.needs_word = true;
	FIRST(f, "eap-ask");
	f = down();
	f.needs_word = true;
	FIRST(f, "eap-ask");
	f.is_held = true;
	FIRST(f, "down-by-command");
}

TEST(what_ends_before_anything_is_sent)
{
	struct why_facts f = down();

	FIRST(f, "trying");
	f.is_held = true;
	FIRST(f, "down-by-command");
	f = down();
	f.is_secure_gone = true;
	FIRST(f, "secure-lost");
	f = down();
	f.is_name = f.is_unresolved = true;
	f.n_addr = 0;
	str_copy(f.at, sizeof(f.at), "osaka.example");
	FIRST(f, "name-unresolved");
	f.n_addr = 1;			/* known from before: it is tried */
	FIRST(f, "trying");
	f = down();
	f.has_route = false;
	FIRST(f, "no-route");
	f = down();
	f.is_dialled = false;
	FIRST(f, "waiting");
}

TEST(silence_says_where_it_began)
{
	struct why_facts f = ended(WHY_BY_SILENCE, WHY_AT_INIT, 0, "");

	FIRST(f, "no-answer");
	f.port[1].sent_s = 1;
	FIRST(f, "no-answer");
	f.icmp = WHY_ICMP_PORT;
	f.icmp_s = 1;
	FIRST(f, "port-unreachable");
	f.icmp = WHY_ICMP_ADMIN;
	FIRST(f, "unreachable");
	f.icmp = WHY_ICMP_HOST;
	FIRST(f, "unreachable");
	f.port[0].heard_s = 0;		/* it answered since */
	FIRST(f, "no-answer");
	f = ended(WHY_BY_SILENCE, WHY_AT_INIT, 0, "");
	f.n_cookie = 5;
	FIRST(f, "cookie-loop");
	f = ended(WHY_BY_SILENCE, WHY_AT_AUTH, 0, "");
	f.port[0].heard_s = 1;
	f.port[1].sent_s = 0;
	FIRST(f, "port-4500-blocked");
	f.big_bytes = 3000;
	FIRST(f, "big-message-lost");
	f.has_frag = true;		/* it was cut into small ones */
	FIRST(f, "port-4500-blocked");
	f.port[1].heard_s = 0;		/* and that port passes */
	FIRST(f, "no-answer");
	f = up();
	f.port[0].heard_s = WHY_NEVER;
	FIRST(f, "port-500-blocked");
}

TEST(what_the_verifier_says_is_the_cause)
{
	static const struct {
		const char *said, *code;
	} row[] = {
		{ "wrong pre-shared key of peer \"osaka\": compare the key "
		  "files of both ends", "psk-wrong" },
		{ "peer \"osaka\" uses a pre-shared key, a certificate is "
		  "configured", "method-differs" },
		{ "peer \"osaka\" authenticates by method 14, a pre-shared key "
		  "is configured", "method-differs" },
		{ "the peer wants to authenticate by EAP, which is not possible "
		  "here", "eap-here" },
		{ "peer \"osaka\" does not come by EAP, which is configured "
		  "for it", "method-differs" },
		{ "user \"hanako\": wrong password", "eap-password" },
		{ "user \"hanako\": no such user", "eap-user" },
		{ "user \"hanako\": too many failures before, not looked at",
		  "eap-wait" },
		{ "user \"hanako\": the RADIUS server 10.0.0.5:1812 is silent",
		  "radius-silent" },
		{ "user \"hanako\": no RADIUS server answers, 10.0.0.6:1812 "
		  "neither", "radius-silent" },
		{ "user \"hanako\": the RADIUS server refused",
		  "radius-refused" },
		{ "user \"hanako\": the RADIUS server accepts and gives no key "
		  "(MS-MPPE): only methods with keys will do",
		  "radius-no-key" },
		{ "EAP: there is no password: keys/hanako.eap is missing",
		  "eap-refused" },
		{ "unknown CA: no authority of ca= has issued it",
		  "cert-unknown-ca" },
		{ "the certificate has expired on 2026-02-01 00:00 UTC",
		  "cert-expired" },
		{ "the certificate is not yet valid, only from 2026-05-01 "
		  "00:00 UTC on: is the clock right?", "cert-not-yet" },
		{ "the certificate is not yet valid, only from 2026-03-01 "
		  "13:30 UTC on: is the clock right?", "clock-off" },
		{ "the certificate was revoked", "cert-revoked" },
		{ "the signature of the certificate is wrong",
		  "cert-unknown-ca" },
		{ "the peer's certificate is not the one of cert=",
		  "key-other" },
		{ "the peer's public key is not the one of pubkey=",
		  "key-other" },
		{ "more authorities below one than it permits (path length)",
		  "cert-usage" },
		{ "the peer's RSA signature of the old form is none of its key "
		  "with SHA-256, SHA-384 or SHA-512: SHA-1 is not accepted, let "
		  "the peer use RFC 7427", "cert-weak" },
		{ "the peer wants EAP of us, which is not configured",
		  "method-differs" },
		{ "the gateway does not prove who it is", "method-differs" },
		{ "the peer does not announce hash algorithms (RFC 7427): "
		  "signatures of the old form need suite=\"compat\"",
		  "own-key" },
		{ "who brings the ticket does not know the keys", "we-refuse" },
		{ "the identity is not the one of the ticket", "we-refuse" },
		{ "the identity for EAP is not the one of IKE, which chose the "
		  "realm", "we-refuse" },
		{ "nobody says that the certificate was not revoked: no CRL",
		  "cert-unvouched" },
		{ "the peer's identity is not in its certificate, whose names "
		  "are: nagoya", "cert-name" },
		{ "wrong usage: the certificate's key may not make digital "
		  "signatures (keyUsage)", "cert-usage" },
		{ "weak: the peer signs with an algorithm that is not "
		  "permitted", "cert-weak" },
		{ "the peer's signature does not belong to its key: it does "
		  "not have the private key, or signs with another",
		  "cert-signature" },
		{ "the peer sent no certificate", "cert-missing" },
		{ "the peer does not use its PPK", "ppk" },
		{ "the peer calls itself nagoya", "identity-other" },
		{ "peer \"osaka\" wants to talk to \"kobe\", which is not our "
		  "identity towards it", "identity-ours" },
		{ "something that is not in any table", "we-refuse" },
	};

	for (unsigned i = 0; i < N_OF(row); i++) {
		struct why_facts f = proof(row[i].said);

		FIRST(f, row[i].code);
		/* the same when we dialled and refuse the responder */
		f = ended(WHY_BY_US, WHY_AT_AUTH, N_AUTH_FAILED, row[i].said);
		FIRST(f, row[i].code);
	}
	FIRST(ended(WHY_BY_US, WHY_AT_AUTH, 0, "this peer has no pre-shared key"),
	      "own-key");
	FIRST(ended(WHY_BY_US, WHY_AT_INIT, 0, "our private key does not sign"),
	      "own-key");
	FIRST(ended(WHY_BY_PEER, WHY_AT_AUTH, N_AUTH_FAILED,
		    "EAP: wrong user name or password"), "eap-refused");
}

TEST(a_clock_may_differ_over_the_end_of_a_year)
{
	struct why_facts f = proof("the certificate is not yet valid, only from "
	    "2027-01-01 00:30 UTC on: is the clock right?");
	struct why_report rep;

	str_copy(f.now, sizeof(f.now), "2026-12-31 23:50 UTC");
	why_judge(&f, WHY_EN, &rep);
	assert_int_equal(rep.cause[0].rule, WHY_R_CLOCK);
	assert_non_null(strstr(rep.cause[0].cause, "40 min from now"));
	/* 2028 has a leap day: 28 February to 1 March are two days */
	f = proof("the certificate is not yet valid, only from 2028-03-01 00:00 "
		  "UTC on: is the clock right?");
	str_copy(f.now, sizeof(f.now), "2028-02-28 12:00 UTC");
	why_judge(&f, WHY_EN, &rep);
	assert_non_null(strstr(rep.cause[0].cause, "36 h from now"));
}

TEST(a_peer_that_refuses_us_does_not_say_why)
{
	struct why_facts f = ended(WHY_BY_PEER, WHY_AT_AUTH, N_AUTH_FAILED,
	    "the peer refuses to authenticate us: AUTHENTICATION_FAILED");

	FIRST(f, "refused-psk");
	f.own_cert = true;
	FIRST(f, "refused-cert");
	str_copy(f.own_end, sizeof(f.own_end), "2026-02-01 00:00 UTC");
	FIRST(f, "own-cert-expired");
	f.out.notify = 43;
	FIRST(f, "refused");
}

TEST(a_client_that_is_refused_before_eap_is_not_told_of_a_key)
{
	struct why_facts f = ended(WHY_BY_PEER, WHY_AT_AUTH, N_AUTH_FAILED,
	    "the peer refuses to authenticate us: AUTHENTICATION_FAILED");
	struct why_report rep;

	f.own_eap = true;
	why_judge(&f, WHY_EN, &rep);
	assert_int_equal(rep.n_cause, 1);
	assert_int_equal(rep.cause[0].rule, WHY_R_EAP_OURS);
	assert_non_null(strstr(rep.cause[0].cause, "before it asks"));
	f.out.by = WHY_BY_US;		/* it was we who did not like it */
	FIRST(f, "we-refuse");
}

/* The peer sent us from one address to another, a second ago. */
static struct why_facts
sent(enum why_moved_how how, const char *to)
{
	struct why_facts f = down();

	f.moved.age_s = 1;
	f.moved.how = how;
	f.moved.n = 5;
	str_copy(f.moved.from, sizeof(f.moved.from), "192.0.2.2");
	str_copy(f.moved.to, sizeof(f.moved.to), to);
	return f;
}

TEST(a_peer_that_sends_us_elsewhere)
{
	struct why_facts f = sent(WHY_MOVED_TOO_OFTEN, "192.0.2.3");

	FIRST(f, "redirect-loop");
	f = sent(WHY_MOVED_NOWHERE, "gw.example.com");
	FIRST(f, "redirect-failed");
	f = sent(WHY_MOVED_GONE, "192.0.2.3");
	FIRST(f, "trying");		/* on its way there */
	f.out.by = WHY_BY_SILENCE;
	f.out.stage = WHY_AT_INIT;
	f.out.age_s = 0;
	str_copy(f.out.from, sizeof(f.out.from), "192.0.2.3:500");
	FIRST(f, "redirect-failed");
	/* an address that only begins so is another one */
	str_copy(f.out.from, sizeof(f.out.from), "192.0.2.30:500");
	FIRST(f, "no-answer");
	f.moved.age_s = 3600;		/* long ago */
	str_copy(f.out.from, sizeof(f.out.from), "192.0.2.3:500");
	FIRST(f, "no-answer");
}

TEST(a_peer_that_is_up_elsewhere)
{
	struct why_facts f = up();

	f.moved = sent(WHY_MOVED_GONE, "192.0.2.3").moved;
	FIRST(f, "");			/* on its way there */
	f.moved.age_s = 10;
	FIRST(f, "");			/* back where it was */
	f.moved.was_up = true;
	FIRST(f, "redirect-stays");
	str_copy(f.remote, sizeof(f.remote), "192.0.2.3:4500");
	FIRST(f, "redirected");
	str_copy(f.moved.to, sizeof(f.moved.to), "2001:db8::3");
	str_copy(f.remote, sizeof(f.remote), "[2001:db8::3]:4500");
	FIRST(f, "redirected");
	str_copy(f.remote, sizeof(f.remote), "[2001:db8::3:1]:4500");
	FIRST(f, "");
	/* UDP 500 of a gateway that we were sent to says nothing of this one */
	f.port[0].heard_s = WHY_NEVER;
	FIRST(f, "");
	f.moved.age_s = WHY_NEVER;
	FIRST(f, "port-500-blocked");
}

TEST(who_sends_peers_away_does_not_wait_for_them)
{
	struct why_facts f = down();

	f.is_dialled = false;
	str_copy(f.drain, sizeof(f.drain), "192.0.2.3");
	FIRST(f, "drained");
	f.is_dialled = true;
	FIRST(f, "trying");
	f.drain[0] = '\0';
	f.is_shut = true;
	FIRST(f, "drained");
}

TEST(a_ticket_that_was_refused_is_told_of_while_it_is_news)
{
	struct why_facts f = up();

	f.ticket_s = f.up_s;
	FIRST(f, "ticket-refused");
	f.ticket_s = f.up_s + 3000;	/* of a connection before this one */
	FIRST(f, "");
	f.up_s = f.ticket_s = 7200;
	FIRST(f, "");
}

TEST(a_peer_that_dials_and_then_refuses_us_is_not_waited_for)
{
	struct why_facts f = came(WHY_AT_AUTH, N_AUTH_FAILED,
	    "the peer closed the connection: AUTHENTICATION_FAILED");

	f.is_dialled = false;
	f.in.by = WHY_BY_PEER;
	f.own_cert = true;
	FIRST(f, "refused-cert");
	f.own_cert = false;
	FIRST(f, "refused-psk");
}

TEST(a_stranger_may_be_the_peer_under_another_name)
{
	struct why_facts f = down();
	struct why_report rep;

	f.is_dialled = false;
	f.stranger.age_s = 10;
	str_copy(f.stranger.from, sizeof(f.stranger.from), "192.0.2.2:4500");
	str_copy(f.stranger.id, sizeof(f.stranger.id), "osaca");
	str_copy(f.stranger.nearest, sizeof(f.stranger.nearest), "osaka");
	str_copy(f.stranger.said, sizeof(f.stranger.said),
		 "no realm for identity \"osaca\"");
	FIRST(f, "identity-unknown");
	why_judge(&f, WHY_EN, &rep);
	assert_non_null(strstr(rep.cause[0].cause, "\"osaca\""));
	assert_non_null(strstr(rep.cause[0].cause, "nearest is \"osaka\""));
	f.stranger.age_s = 3600;	/* that explains nothing any more */
	FIRST(f, "waiting");
}

TEST(algorithms_without_anything_in_common)
{
	struct why_facts f = ended(WHY_BY_PEER, WHY_AT_INIT, N_NO_PROPOSAL, "");

	pair(&f, WHY_PAIR_IKE, "encryption", "AES-GCM-16-256, AES-CBC-128", "");
	FIRST(f, "no-proposal");
	f = came(WHY_AT_INIT, N_NO_PROPOSAL, "no proposal in common");
	pair(&f, WHY_PAIR_IKE, "encryption", "AES-GCM-16-256", "AES-CBC-256");
	pair(&f, WHY_PAIR_IKE, "group", "X25519", "X25519, ECP-256");
	FIRST(f, "no-proposal");
	assert_false(why_pair_fits(&f.pair[0]));
	assert_true(why_pair_fits(&f.pair[1]));
	str_copy(f.pair[0].peer, sizeof(f.pair[0].peer), "AES-GCM-16-256");
	str_copy(f.pair[1].peer, sizeof(f.pair[1].peer), "MODP-2048");
	FIRST(f, "no-group");
	f = ended(WHY_BY_PEER, WHY_AT_INIT, N_INVALID_KE, "");
	FIRST(f, "no-group");
	f = ended(WHY_BY_PEER, WHY_AT_CHILD, N_NO_PROPOSAL, "");
	FIRST(f, "no-esp-proposal");
}

TEST(part_of_a_word_is_not_in_common)
{
	struct why_pair p = { "encryption", "AES-GCM-16-128",
			      "AES-GCM-16-12, AES-GCM-16-1281" };

	assert_false(why_pair_fits(&p));
	str_copy(p.peer, sizeof(p.peer), "DES,  AES-GCM-16-128 ,x");
	assert_true(why_pair_fits(&p));
	p.peer[0] = '\0';		/* not known: differs from nothing */
	assert_true(why_pair_fits(&p));
}

TEST(an_address_that_was_not_given_has_its_reason)
{
	struct why_facts f = came(WHY_AT_CHILD, N_NO_ADDRESS,
	    "the pool of realm r has no IPv4 address left");
	struct why_report rep;

	FIRST(f, "pool-empty");
	why_judge(&f, WHY_EN, &rep);
	assert_non_null(strstr(rep.cause[0].cause, "realm r has no IPv4"));
	FIRST(ended(WHY_BY_PEER, WHY_AT_CHILD, N_NO_ADDRESS, ""), "pool-empty");
	FIRST(ended(WHY_BY_PEER, WHY_AT_CHILD, N_NOT_ASKED, ""),
	      "address-not-asked");
	FIRST(came(WHY_AT_CHILD, N_NOT_ASKED, ""), "address-not-asked");
}

TEST(tunnels_that_are_refused)
{
	struct why_facts f = ended(WHY_BY_PEER, WHY_AT_CHILD, N_TS, "");

	FIRST(f, "ts-unacceptable");
	str_copy(f.mode, sizeof(f.mode), "ether");
	FIRST(f, "mode-differs");
	FIRST(came(WHY_AT_CHILD, N_TS, "no traffic selector in common with the "
	    "peer"), "ts-unacceptable");
	FIRST(came(WHY_AT_CHILD, N_TS, "the peer does not speak EtherIP, and "
	    "mode is ether"), "mode-differs");
	FIRST(ended(WHY_BY_US, WHY_AT_AUTH, 0, "the peer is not a tapir, so the "
	    "realm needs <net local= remote=> for IP mode"), "no-net");
}

TEST(traffic_that_does_not_flow)
{
	struct why_facts f = up();

	f.state = WHY_SUSPECT;
	FIRST(f, "peer-silent");
	FIRST(ended(WHY_BY_SILENCE, WHY_AT_ALIVE, 0, ""), "peer-silent");
	f = up();
	f.rx_packets = 0;
	f.in_s = WHY_NEVER;
	f.n_mac = 0;
	FIRST(f, "one-way");
	f.has_sample = true;		/* but now it does come */
	f.rx_now = 4;
	FIRST(f, "no-mac");
	f = up();
	f.in_s = 60;
	FIRST(f, "one-way");
	f.out_s = 60;			/* nobody says anything: fine */
	FIRST(f, "");
	f = up();
	f.n_icv = 50;
	FIRST(f, "esp-integrity");
	f.n_icv = 1;			/* a stranger's single shot */
	FIRST(f, "");
	f.n_replay = 40;
	FIRST(f, "esp-replay");
	f = up();
	f.inside = 1320;
	f.path_mtu = 1400;
	FIRST(f, "");
	f.mtu = 1500;
	FIRST(f, "mtu-black-hole");
	f.mtu = 1320;
	FIRST(f, "");
	f = up();
	f.rekey_s = 5;
	FIRST(f, "rekey-refused");
}

TEST(trouble_in_the_hub)
{
	struct why_facts f = up();

	f.is_blocked = true;
	f.loop.age_s = 3;
	FIRST(f, "loop");
	f = up();
	f.clash.age_s = 3;
	FIRST(f, "mac-duplicate");
	f.clash.age_s = 3000;
	FIRST(f, "");
	f = up();
	f.flap.age_s = 3;
	FIRST(f, "mac-moving");
	f = up();
	f.n_mac = 0;
	FIRST(f, "no-mac");
	f = up();
	f.arp_told = 0;
	FIRST(f, "arp-silent");
	f = up();
	str_copy(f.mode_now, sizeof(f.mode_now), "ip");
	f.n_mac = 0;			/* of no meaning there */
	FIRST(f, "ip-mode-instead");
	f = up();
	f.n_swap = 3;
	FIRST(f, "identity-twice");
}

TEST(of_several_causes_the_most_specific_is_first)
{
	struct why_facts f = proof("the certificate has expired on 2026-02-01 "
				   "00:00 UTC");
	struct why_report rep;

	/* it also refuses us, and something else was silent before */
	f.out.by = WHY_BY_PEER;
	f.out.stage = WHY_AT_AUTH;
	f.out.notify = N_AUTH_FAILED;
	f.out.age_s = 0;
	f.own_cert = true;
	why_judge(&f, WHY_EN, &rep);
	assert_true(rep.n_cause >= 2);
	assert_int_equal(rep.cause[0].rule, WHY_R_EXPIRED);
	assert_int_equal(rep.cause[1].rule, WHY_R_REFUSED_CERT);
	/* what is only worth knowing comes last */
	f = up();
	f.n_mac = 0;
	f.is_blocked = true;
	f.port[0].heard_s = WHY_NEVER;
	why_judge(&f, WHY_EN, &rep);
	assert_int_equal(rep.n_cause, 3);
	assert_int_equal(rep.cause[0].rule, WHY_R_LOOP);
	assert_true(why_rule_info(rep.cause[1].rule)->is_note);
	assert_true(why_rule_info(rep.cause[2].rule)->is_note);
	assert_int_equal(rep.check[WHY_C_LOOP].result, WHY_FAILED);
	assert_int_equal(rep.check[WHY_C_BEHIND].result, WHY_WARNED);
}

TEST(what_lies_behind_the_failure_was_not_reached)
{
	struct why_facts f = ended(WHY_BY_SILENCE, WHY_AT_INIT, 0, "");
	struct why_report rep;

	why_judge(&f, WHY_EN, &rep);
	assert_int_equal(rep.check[WHY_C_ROUTE].result, WHY_OK);
	assert_int_equal(rep.check[WHY_C_ANSWER].result, WHY_FAILED);
	for (unsigned i = WHY_C_PROPOSAL; i <= WHY_C_ALIVE; i++)
		assert_int_equal(rep.check[i].result, WHY_NOT_REACHED);
	f = ended(WHY_BY_PEER, WHY_AT_CHILD, N_TS, "");
	f.port[0].heard_s = 1;
	why_judge(&f, WHY_EN, &rep);
	assert_int_equal(rep.check[WHY_C_PROOF].result, WHY_OK);
	assert_int_equal(rep.check[WHY_C_TUNNEL].result, WHY_FAILED);
}

/* Runs last but one: those before have filled in was_first. */
TEST(every_cause_of_the_table_was_first_somewhere)
{
	for (unsigned i = 0; i < WHY_RULE_END; i++)
		if (!was_first[i])
			fail_msg("no evidence names %s", why_rule_info(i)->code);
}

TEST(the_table_is_whole_in_both_languages)
{
	for (unsigned i = 0; i < WHY_RULE_END; i++) {
		const struct why_rule_info *a = why_rule_info(i);

		assert_in_range(a->num, 100, 999);
		for (unsigned l = 0; l < WHY_LANG_END; l++) {
			assert_true(strlen(a->cause[l]) > 8);
			assert_true(strlen(a->cure[l]) > 8);
		}
		assert_string_not_equal(a->cause[WHY_EN], a->cause[WHY_JA]);
		for (unsigned k = i + 1; k < WHY_RULE_END; k++) {
			assert_int_not_equal(a->num, why_rule_info(k)->num);
			assert_string_not_equal(a->code,
						why_rule_info(k)->code);
		}
	}
	for (unsigned i = 0; i < WHY_CHECK_END; i++)
		assert_string_not_equal(why_check_text(i, WHY_EN),
					why_check_text(i, WHY_JA));
	assert_int_equal(why_lang_of("ja_JP.UTF-8"), WHY_JA);
	assert_int_equal(why_lang_of("ja"), WHY_JA);
	assert_int_equal(why_lang_of("jam"), WHY_EN);
	assert_int_equal(why_lang_of("C"), WHY_EN);
	assert_int_equal(why_lang_of(""), WHY_EN);
}

TEST(words_say_what_was_seen_and_stay_in_their_room)
{
	struct why_facts f = proof("wrong pre-shared key of peer \"osaka\"");
	struct why_report rep;

	why_judge(&f, WHY_JA, &rep);
	assert_non_null(strstr(rep.cause[0].cause, "1a2b"));
	assert_null(strchr(rep.cause[0].cause, '{'));
	/* a name with braces is no key of ours */
	str_copy(f.peer, sizeof(f.peer), "{a}{peer}");
	memset(f.in.from, 'x', sizeof(f.in.from) - 1);
	f.in.from[sizeof(f.in.from) - 1] = '\0';
	why_judge(&f, WHY_EN, &rep);
	assert_non_null(strstr(rep.cause[0].cause, "{a}{peer}"));
	assert_true(strlen(rep.cause[0].cause) < WHY_WORDS_MAX);
}
