/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_status.c - tapir status: realms, peers, tunnels.
 */
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include "cli/ask.h"
#include "cli/evidence.h"
#include "cli/json.h"
#include "cli/status.h"
#include "cli/watch.h"
#include "daemon/bus/bus_text.h"

static bool
is_peer_of(const struct bus_rec *r, const struct bus_rec *realm)
{
	return r->desc->row == BUS_RES_PEER &&
	    strcmp(bus_str(r, BUS_F_REALM), bus_str(realm, BUS_F_NAME)) == 0;
}

static bool
is_child_of(const struct bus_rec *r, const struct bus_rec *peer)
{
	return r->desc->row == BUS_RES_CHILD &&
	    strcmp(bus_str(r, BUS_F_REALM), bus_str(peer, BUS_F_REALM)) == 0 &&
	    strcmp(bus_str(r, BUS_F_PEER), bus_str(peer, BUS_F_NAME)) == 0;
}

/* ---- JSON ------------------------------------------------------------------- */

/* The children of a peer stand behind it.  @return the first record that does
 * not. */
static size_t
json_peer(struct json *j, const struct ask_list *a, size_t at)
{
	const struct bus_rec *peer = &a->rec[at++];

	json_obj(j, NULL);
	json_fields(j, peer, BUS_F_REALM);
	json_arr(j, "children");
	for (; at < a->n && is_child_of(&a->rec[at], peer); at++) {
		json_obj(j, NULL);
		json_fields(j, &a->rec[at], BUS_F_REALM);
		json_obj_end(j);
	}
	json_arr_end(j);
	json_obj_end(j);
	return at;
}

void
status_json(FILE *out, const struct ask_list *a)
{
	struct json j;
	size_t i, k;

	json_init(&j, out);
	json_obj(&j, NULL);
	json_arr(&j, "realms");
	for (i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row != BUS_RES_REALM)
			continue;
		json_obj(&j, NULL);
		json_fields(&j, &a->rec[i], BUS_F_END);
		json_arr(&j, "peers");
		for (k = 0; k < a->n;) {
			if (is_peer_of(&a->rec[k], &a->rec[i]))
				k = json_peer(&j, a, k);
			else
				k++;
		}
		json_arr_end(&j);
		json_obj_end(&j);
	}
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
}

/* ---- tables ----------------------------------------------------------------- */

static const struct show_col peer_col[] = {
	{ "PEER", false, 8 },	 { "STATE", false, 0 }, { "CARRIES", false, 0 },
	{ "SUITE", false, 8 },	 { "REMOTE", false, 12 }, { "RX", true, 0 },
	{ "TX", true, 0 },	 { "LAST", true, 0 },
};

static void
peer_row(struct show_table *t, const struct bus_rec *p)
{
	const char *state = bus_str(p, BUS_F_STATE);
	const char *mode = bus_str(p, BUS_F_MODE);
	char b[3][16], note[EVIDENCE_MAX];

	show_cell(t, SHOW_PLAIN, "%s", bus_str(p, BUS_F_NAME));
	show_cell(t, show_state_tone(state), "%s", state);
	show_cell(t, SHOW_PLAIN, "%s%s%s", mode, *mode != '\0' ? "/" : "",
		  *mode != '\0' ? bus_str(p, BUS_F_ENCAP) : "");
	show_cell(t, SHOW_PLAIN, "%s", bus_str(p, BUS_F_SUITE));
	show_cell(t, SHOW_PLAIN, "%s", bus_str(p, BUS_F_REMOTE));
	show_cell(t, SHOW_PLAIN, "%s",
		  show_short(bus_u64(p, BUS_F_RX_BYTES), b[0], sizeof(b[0])));
	show_cell(t, SHOW_PLAIN, "%s",
		  show_short(bus_u64(p, BUS_F_TX_BYTES), b[1], sizeof(b[1])));
	show_cell(t, SHOW_PLAIN, "%s",
		  show_age(bus_i64(p, BUS_F_LAST_PACKET_S), b[2], sizeof(b[2])));
	if (*evidence_note(p, note, sizeof(note)) != '\0')
		show_note(t, "%s", note);
}

static void
realm_head(const struct show *s, const struct bus_rec *r)
{
	const char *bridge = bus_str(r, BUS_F_BRIDGE);
	char raw[BUS_SENTENCE_MAX], text[BUS_SENTENCE_MAX];
	unsigned n = (unsigned)bus_u64(r, BUS_F_N_PEER);

	snprintf(raw, sizeof(raw), "realm %s on %s%s%s: %u of %u peer%s up",
		 bus_str(r, BUS_F_NAME), bus_str(r, BUS_F_TAP),
		 *bridge != '\0' ? " in " : "", bridge,
		 (unsigned)bus_u64(r, BUS_F_N_UP), n, n == 1 ? "" : "s");
	show_wrap(s, 0, 4, bus_print_text(raw, text, sizeof(text)));
	if (*bus_str(r, BUS_F_WHY) != '\0') {
		fputs("  ", s->out);
		show_wrap(s, 2, 4, bus_print_text(bus_str(r, BUS_F_WHY), text,
						  sizeof(text)));
	}
}

void
status_table(const struct show *s, const struct ask_list *a)
{
	struct show_table *t;
	size_t i, k, n;

	for (i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row != BUS_RES_REALM)
			continue;
		realm_head(s, &a->rec[i]);
		t = show_table_new(peer_col, N_OF(peer_col));
		for (k = 0, n = 0; k < a->n; k++) {
			if (!is_peer_of(&a->rec[k], &a->rec[i]))
				continue;
			peer_row(t, &a->rec[k]);
			n++;
		}
		if (n > 0)
			show_table_print(s, t, 2);
		show_table_free(t);
	}
	if (a->n == 0)
		fputs("no realm is configured\n", s->out);
}

/* ---- one peer in full ------------------------------------------------------- */

static void
line(const struct show *s, const char *key, const char *fmt, ...) PRINTF(3, 4);

static void
line(const struct show *s, const char *key, const char *fmt, ...)
{
	char raw[BUS_SENTENCE_MAX], text[BUS_SENTENCE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	fprintf(s->out, "  %-10s ", key);
	show_wrap(s, 13, 13, bus_print_text(raw, text, sizeof(text)));
}

static const char *
nat_text(const char *nat)
{
	if (strcmp(nat, "none") == 0)
		return "no NAT on the way";
	if (strcmp(nat, "here") == 0)
		return "this end is behind a NAT";
	if (strcmp(nat, "there") == 0)
		return "the peer is behind a NAT";
	if (strcmp(nat, "both") == 0)
		return "both ends are behind a NAT";
	return nat;
}

/* How the peer proved who it is, and how long that lasts. */
static void
status_proof(const struct show *s, const struct bus_rec *p)
{
	const char *auth = bus_str(p, BUS_F_AUTH);
	time_t until = (time_t)bus_u64(p, BUS_F_CERT_UNTIL);
	char date[32] = "";
	struct tm tm;

	if (strcmp(auth, "psk") == 0)
		line(s, "proved by", "pre-shared key");
	if (strcmp(auth, "key") == 0)
		line(s, "proved by", "public key");
	if (strcmp(auth, "cert") != 0)
		return;
	line(s, "certificate", "%s", bus_str(p, BUS_F_CERT_SUBJECT));
	if (until != 0 && gmtime_r(&until, &tm) != NULL &&
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm) > 0)
		line(s, "valid until", "%s", date);
}

/* What the state rests on. */
static void
status_evidence(const struct show *s, const struct bus_rec *p)
{
	int64_t down = bus_i64(p, BUS_F_DOWN_S);
	char text[EVIDENCE_MAX], age[24];

	line(s, "last heard", "%s", evidence_heard(p, text, sizeof(text)));
	if (*evidence_doubt(p, text, sizeof(text)) != '\0')
		line(s, "in doubt", "%s", text);
	if (*evidence_next(p, text, sizeof(text)) != '\0')
		line(s, "what next", "%s", text);
	if (down >= 0)
		line(s, "was up", "until %s ago", show_age(down, age,
							    sizeof(age)));
}

/* What was agreed; of a peer without a tunnel, what is wanted. */
static void
status_tunnel(const struct show *s, const struct bus_rec *p)
{
	bool has_sa = bus_u64(p, BUS_F_SPI_IN) != 0;

	if (*bus_str(p, BUS_F_LOCAL) != '\0')
		line(s, "addresses", "%s - %s", bus_str(p, BUS_F_LOCAL),
		     bus_str(p, BUS_F_REMOTE));
	else if (*bus_str(p, BUS_F_REMOTE) != '\0')
		line(s, "address", "%s", bus_str(p, BUS_F_REMOTE));
	if (has_sa && *bus_str(p, BUS_F_NAT) != '\0')
		line(s, "NAT", "%s", nat_text(bus_str(p, BUS_F_NAT)));
	if (*bus_str(p, BUS_F_MODE) != '\0')
		line(s, has_sa ? "carries" : "wanted", "%s over %s%s%s",
		     bus_str(p, BUS_F_MODE), bus_str(p, BUS_F_ENCAP),
		     has_sa ? "" : ", suite ",
		     has_sa ? "" : bus_str(p, BUS_F_SUITE));
	if (has_sa)
		line(s, "ESP", "%s, SPI %08x in, %08x out",
		     bus_str(p, BUS_F_SUITE), (unsigned)bus_u64(p, BUS_F_SPI_IN),
		     (unsigned)bus_u64(p, BUS_F_SPI_OUT));
	if (*bus_str(p, BUS_F_IKE_SUITE) != '\0')
		line(s, "IKE", "%s", bus_str(p, BUS_F_IKE_SUITE));
	if (bus_u64(p, BUS_F_MTU) != 0)
		line(s, "MTU", "%u bytes inside, %u outside",
		     (unsigned)bus_u64(p, BUS_F_MTU),
		     (unsigned)bus_u64(p, BUS_F_PATH_MTU));
	if (*bus_str(p, BUS_F_TS_LOCAL) != '\0')
		line(s, "selectors", "%s to %s", bus_str(p, BUS_F_TS_LOCAL),
		     bus_str(p, BUS_F_TS_REMOTE));
}

void
status_peer(const struct show *s, const struct bus_rec *p)
{
	const char *state = bus_str(p, BUS_F_STATE);
	char raw[SHOW_CELL_MAX], text[SHOW_CELL_MAX], b[2][16];

	snprintf(raw, sizeof(raw), "%s/%s ", bus_str(p, BUS_F_REALM),
		 bus_str(p, BUS_F_NAME));
	fputs(bus_print_text(raw, text, sizeof(text)), s->out);
	show_text(s, show_state_tone(state), bus_print_text(state, text,
							    sizeof(text)));
	fputc('\n', s->out);
	if (*bus_str(p, BUS_F_WHY) != '\0')
		line(s, "why", "%s", bus_str(p, BUS_F_WHY));
	status_evidence(s, p);
	line(s, "identity", "%s", bus_str(p, BUS_F_ID));
	status_proof(s, p);
	status_tunnel(s, p);
	if (bus_u64(p, BUS_F_SPI_IN) == 0)
		return;
	line(s, "received", "%llu bytes in %llu packets, last one %s%s",
	     (unsigned long long)bus_u64(p, BUS_F_RX_BYTES),
	     (unsigned long long)bus_u64(p, BUS_F_RX_PACKETS),
	     show_age(bus_i64(p, BUS_F_LAST_PACKET_S), b[0], sizeof(b[0])),
	     bus_i64(p, BUS_F_LAST_PACKET_S) < 0 ? "" : " ago");
	line(s, "sent", "%llu bytes in %llu packets",
	     (unsigned long long)bus_u64(p, BUS_F_TX_BYTES),
	     (unsigned long long)bus_u64(p, BUS_F_TX_PACKETS));
	if (strcmp(state, "up") == 0)
		line(s, "up for", "%s", show_age((int64_t)bus_u64(p, BUS_F_UP_S),
						 b[1], sizeof(b[1])));
}

void
status_child(const struct show *s, const struct bus_rec *c)
{
	char b[2][16];

	line(s, "ESP SA", "SPI %08x in, %08x out%s: %s received, %s sent, "
	     "worker %u", (unsigned)bus_u64(c, BUS_F_SPI_IN),
	     (unsigned)bus_u64(c, BUS_F_SPI_OUT),
	     bus_bool(c, BUS_F_IS_OLD) ? " (replaced)" : "",
	     show_short(bus_u64(c, BUS_F_RX_BYTES), b[0], sizeof(b[0])),
	     show_short(bus_u64(c, BUS_F_TX_BYTES), b[1], sizeof(b[1])),
	     (unsigned)bus_u64(c, BUS_F_WORKER));
}

/* ---- the command ------------------------------------------------------------ */

struct status_of {
	const char *realm, *peer;
	bool is_names;
};

/* REALM, then REALM/PEER for each of it: what other commands are given. */
static void
status_names(FILE *out, const struct ask_list *a)
{
	char text[2][BUS_SENTENCE_MAX];

	for (size_t i = 0; i < a->n; i++) {
		const struct bus_rec *r = &a->rec[i];

		bus_print_text(bus_str(r, BUS_F_REALM), text[0], sizeof(text[0]));
		bus_print_text(bus_str(r, BUS_F_NAME), text[1], sizeof(text[1]));
		if (r->desc->row == BUS_RES_REALM)
			fprintf(out, "%s\n", text[1]);
		else if (r->desc->row == BUS_RES_PEER)
			fprintf(out, "%s/%s\n", text[0], text[1]);
	}
}

static void
status_text(const struct show *s, const struct ask_list *a, bool is_one)
{
	if (!is_one) {
		status_table(s, a);
		return;
	}
	for (size_t i = 0; i < a->n; i++)
		if (a->rec[i].desc->row == BUS_RES_PEER)
			status_peer(s, &a->rec[i]);
		else if (a->rec[i].desc->row == BUS_RES_CHILD)
			status_child(s, &a->rec[i]);
}

/* A word alone that is no realm is a peer. */
static bool
is_peers_name(const struct ask_list *a, const char *word)
{
	for (size_t i = 0; i < a->n && *word != '\0'; i++)
		if (a->rec[i].desc->row == BUS_RES_REALM)
			return strcmp(bus_str(&a->rec[i], BUS_F_NAME), word) != 0;
	return false;
}

/* watch_fn. */
static int
status_draw(struct cli *c, struct show *s, void *ctx)
{
	const struct status_of *of = ctx;
	struct ask_list a = { 0 };
	struct bus_rec cmd, end;
	int status;

	bus_rec_init(&cmd, BUS_CMD_STATUS);
	bus_set_str(&cmd, BUS_F_REALM, of->realm);
	bus_set_str(&cmd, BUS_F_PEER, of->peer);
	status = ask(c, &cmd, ask_keep, &a, &end);
	if (status == CLI_OK && a.is_short)
		status = cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if (status == CLI_OK && c->is_json)
		status_json(s->out, &a);
	else if (status == CLI_OK && of->is_names)
		status_names(s->out, &a);
	else if (status == CLI_OK)
		status_text(s, &a, *of->peer != '\0' ||
			    is_peers_name(&a, of->realm));
	ask_list_fini(&a);
	return status;
}

int
cmd_status(struct cli *c, int argc, char **argv)
{
	char realm[CLI_NAME_MAX] = "", peer[CLI_NAME_MAX] = "";
	struct status_of of = { .realm = realm, .peer = peer };
	bool is_watch = false;
	struct cli_opt opt[] = {
		{ 'w', "watch", &is_watch, NULL },
		{ 0, "names", &of.is_names, NULL },
	};

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	if (argc == 1 && cli_target(argv[0], realm, peer, realm) != 0)
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"status: the form is REALM or REALM/PEER");
	if (is_watch && c->is_json)
		return cli_fail(c, CLI_USAGE, "usage",
				"tapir log -f --json tells what changes",
				"status: --watch and --json do not go together");
	return is_watch ? watch_run(c, status_draw, &of) :
	    status_draw(c, &c->show, &of);
}
