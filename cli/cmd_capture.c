/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_capture.c - tapir capture: packets of the daemon, as lines or pcapng.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "daemon/base/drop.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"
#include "daemon/bus/bus_wire.h"
#include "daemon/bus/pcapng.h"

#define N_TABLE 2

/* What one run is about. */
struct run {
	struct cli *c;
	FILE *pcap;			/* NULL: lines */
	bool is_open;			/* pcap is a file of ours */
	const char *table[N_TABLE];	/* names of Wireshark's files */
	FILE *key[N_TABLE];		/* NULL: none wanted */
	uint64_t n, n_lost, n_key;
};

/* ---- lines ----------------------------------------------------------------- */

static void
ends_text(const struct cap_pkt *p, char *out, size_t cap)
{
	char a[IP_TEXT_MAX] = "?", b[IP_TEXT_MAX] = "?";

	if (p->local.ip.family != 0)
		net_ep_text(&p->local, a);
	if (p->remote.ip.family != 0)
		net_ep_text(&p->remote, b);
	snprintf(out, cap, "%s > %s", p->is_out ? a : b, p->is_out ? b : a);
}

static void
frame_text(const struct cap_pkt *p, char *out, size_t cap)
{
	struct mac dst, src;
	char a[MAC_TEXT_MAX], b[MAC_TEXT_MAX];

	if (p->bytes.len < 14) {
		str_copy(out, cap, "short");
		return;
	}
	memcpy(dst.b, p->bytes.p, 6);
	memcpy(src.b, p->bytes.p + 6, 6);
	snprintf(out, cap, "%s > %s type %04x", mac_text(&src, a),
		 mac_text(&dst, b), be16_get(p->bytes.p + 12));
}

static void
packet_text(const struct cap_pkt *p, char *out, size_t cap)
{
	bool is_six = p->bytes.len >= 40 && p->bytes.p[0] >> 4 == 6;
	char a[IP_TEXT_MAX], b[IP_TEXT_MAX];
	struct ip_addr from, to;

	if (p->bytes.len < 20) {
		str_copy(out, cap, "short");
		return;
	}
	from = is_six ? ip_from(p->bytes.p + 8, 16) :
	    ip_from(p->bytes.p + 12, 4);
	to = is_six ? ip_from(p->bytes.p + 24, 16) : ip_from(p->bytes.p + 16, 4);
	snprintf(out, cap, "%s > %s proto %u", ip_text(&from, a),
		 ip_text(&to, b), p->bytes.p[is_six ? 6 : 9]);
}

static void
line(FILE *out, const struct cap_pkt *p)
{
	time_t t = (time_t)(p->time_ns / 1000000000u);
	char when[16] = "", what[160] = "";
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	if (p->side == CAP_FRAME)
		frame_text(p, what, sizeof(what));
	else if (p->side == CAP_PACKET)
		packet_text(p, what, sizeof(what));
	else
		ends_text(p, what, sizeof(what));
	fprintf(out, "%s.%06u %-3s %-8s %s length %u", when,
		(unsigned)(p->time_ns / 1000 % 1000000),
		p->drop != CAP_NO_DROP ? "-" : p->is_out ? "out" : "in",
		pcapng_if_name(pcapng_if_of(p->side)), what, p->len);
	if (p->drop != CAP_NO_DROP)
		fprintf(out, " dropped: %s: %s", drop_key((enum drop)p->drop),
			drop_text((enum drop)p->drop));
	fputc('\n', out);
	fflush(out);
}

/* ---- files ----------------------------------------------------------------- */

/* A new file nobody else reads. */
static FILE *
file_new(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
		      O_NOFOLLOW, 0600);
	FILE *f;

	if (fd < 0)
		return NULL;
	if (fchmod(fd, 0600) != 0 || (f = fdopen(fd, "w")) == NULL) {
		close(fd);
		return NULL;
	}
	return f;
}

static int
keys_open(struct run *r, const char *dir)
{
	char path[512];

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return cli_fail(r->c, CLI_FAILED, "file", NULL, "%s: %s", dir,
				strerror(errno));
	for (unsigned i = 0; i < N_TABLE; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, r->table[i]);
		if ((r->key[i] = file_new(path)) == NULL)
			return cli_fail(r->c, CLI_FAILED, "file", NULL,
					"%s: %s", path, strerror(errno));
	}
	return CLI_OK;
}

static int
pcap_open(struct run *r, const char *file)
{
	if (strcmp(file, "-") == 0) {
		r->pcap = r->c->out;
	} else if ((r->pcap = file_new(file)) == NULL) {
		return cli_fail(r->c, CLI_FAILED, "file", NULL, "%s: %s", file,
				strerror(errno));
	} else {
		r->is_open = true;
	}
	pcapng_begin(r->pcap);
	fflush(r->pcap);
	return CLI_OK;
}

/* "esp_sa: ..." goes to the file of that name. */
static void
key_line(struct run *r, const char *text)
{
	for (unsigned i = 0; i < N_TABLE; i++) {
		size_t n = strlen(r->table[i]);

		if (r->key[i] == NULL || strncmp(text, r->table[i], n) != 0 ||
		    strncmp(text + n, ": ", 2) != 0)
			continue;
		fprintf(r->key[i], "%s\n", text + n + 2);
		fflush(r->key[i]);
		r->n_key++;
	}
}

static int
close_all(struct run *r, int status)
{
	bool is_bad = r->pcap != NULL &&
	    (fflush(r->pcap) != 0 || ferror(r->pcap) != 0);

	if (r->is_open)
		is_bad |= fclose(r->pcap) != 0;
	for (unsigned i = 0; i < N_TABLE; i++)
		if (r->key[i] != NULL)
			is_bad |= fclose(r->key[i]) != 0;
	if (!is_bad || status != CLI_OK)
		return status;
	return cli_fail(r->c, CLI_FAILED, "file", NULL, "cannot write: %s",
			strerror(errno));
}

/* ---- the answer ------------------------------------------------------------ */

static int
packet(struct run *r, const uint8_t *buf, size_t n)
{
	struct cap_pkt p;
	int err = cap_dec(buf, n, &p);

	if (err != 0)
		return err;
	if (p.side == CAP_LOST) {
		r->n_lost += p.len;
		return 0;
	}
	r->n++;
	if (r->pcap != NULL) {
		pcapng_packet(r->pcap, &p);
		fflush(r->pcap);
	} else if (!r->c->is_json) {
		line(r->c->out, &p);
	}
	return r->pcap != NULL && ferror(r->pcap) != 0 ? ERR_SYS : 0;
}

/* Until the end, or until the user has enough of it (ERR_AGAIN). */
static int
receive(struct run *r, struct link *l, struct bus_rec *end)
{
	static uint8_t buf[CAP_WIRE_MAX];
	struct bus_rec rec;
	size_t n = 0;
	int err;

	for (;;) {
		if ((err = link_recv_bytes(l, buf, sizeof(buf), &n, -1,
					   &cli_stopped)) != 0)
			return err;
		if (n > 0 && buf[0] == CAP_CLASS) {
			if ((err = packet(r, buf, n)) != 0)
				return err;
			continue;
		}
		if ((err = bus_dec(buf, n, &rec)) != 0)
			return err;
		if (rec.desc->row == BUS_RES_KEY_LINE)
			key_line(r, bus_str(&rec, BUS_F_TEXT));
		wipe(buf, n);
		if (rec.desc->row == BUS_RES_DONE ||
		    rec.desc->row == BUS_RES_FAILED) {
			*end = rec;
			return 0;
		}
	}
}

static void
summary(struct run *r)
{
	struct json j;

	if (r->c->is_json && r->pcap != r->c->out) {
		json_init(&j, r->c->out);
		json_obj(&j, NULL);
		json_u64(&j, "packets", r->n);
		json_u64(&j, "lost", r->n_lost);
		json_u64(&j, "keys", r->n_key);
		json_obj_end(&j);
		json_end(&j);
		return;
	}
	fprintf(r->c->err, "%llu packets", (unsigned long long)r->n);
	if (r->n_lost != 0)
		fprintf(r->c->err, ", %llu more were lost on the way here",
			(unsigned long long)r->n_lost);
	if (r->key[0] != NULL)
		fprintf(r->c->err, ", %llu keys", (unsigned long long)r->n_key);
	fputc('\n', r->c->err);
}

static int
capture(struct run *r, struct bus_rec *cmd)
{
	struct bus_rec end = { .desc = NULL };
	struct link l;
	int err, status;

	if ((status = ask_open(r->c, &l)) != CLI_OK)
		return status;
	cli_catch();
	if ((err = link_send(&l, cmd)) == 0)
		err = receive(r, &l, &end);
	link_close(&l);
	if (err != 0 && err != ERR_AGAIN)
		return r->pcap != NULL && ferror(r->pcap) != 0 ? CLI_OK :
		    ask_broken(r->c, err);	/* close_all() tells the former */
	if (err == 0 && end.desc->row == BUS_RES_FAILED)
		return ask_refused(r->c, &end);
	summary(r);
	return CLI_OK;
}

/* A number that is given must be one. */
static bool
number(const char *text, uint64_t *out)
{
	char *end;

	if (text == NULL)
		return true;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *text >= '1' && *text <= '9';
}

/* The command; false: an option makes no sense. */
static bool
command(struct bus_rec *cmd, const bool kind[4], const char *peer,
	const char *seconds, const char *snap)
{
	static const char *const name[] = { "clear", "esp", "ike", "dropped" };
	char realm_name[CLI_NAME_MAX], peer_name[CLI_NAME_MAX], what[64] = "";
	uint64_t s = 0, n = 0;

	for (unsigned i = 0; i < N_OF(name); i++)
		if (kind[i])
			str_add(what, sizeof(what), "%s ", name[i]);
	bus_rec_init(cmd, BUS_CMD_CAPTURE);
	bus_set_str(cmd, BUS_F_WHAT, what);
	if (peer != NULL) {
		if (cli_target(peer, realm_name, peer_name, peer_name) != 0)
			return false;
		bus_set_str(cmd, BUS_F_REALM, realm_name);
		bus_set_str(cmd, BUS_F_PEER, peer_name);
	}
	if (!number(seconds, &s) || !number(snap, &n))
		return false;
	bus_set_u64(cmd, BUS_F_LEFT_S, s);
	bus_set_u64(cmd, BUS_F_LIMIT, n);
	return true;
}

/* ---- what runs ------------------------------------------------------------- */

static void
running_line(FILE *out, const struct bus_rec *r)
{
	char user[128], what[64], peer[256];
	const char *kind = bus_str(r, BUS_F_WHAT);

	bus_print_text(bus_str(r, BUS_F_USER), user, sizeof(user));
	bus_print_text(*kind != '\0' ? kind : "all", what, sizeof(what));
	bus_print_text(bus_str(r, BUS_F_PEER), peer, sizeof(peer));
	fprintf(out, "%s captures %s%s%s%s, for %llu s now: %llu packets, "
		"%llu more were lost\n", user, what, *peer != '\0' ? " of " : "",
		peer, bus_bool(r, BUS_F_HAS_KEYS) ? " with keys" : "",
		(unsigned long long)bus_u64(r, BUS_F_AGE_S),
		(unsigned long long)bus_u64(r, BUS_F_N_PACKET),
		(unsigned long long)bus_u64(r, BUS_F_N_LOST));
}

/* --list, --stop */
static int
running(struct cli *c, bool is_stop)
{
	struct ask_list a = { NULL, 0, 0, false };
	struct bus_rec cmd, end;
	struct json j;
	int status;

	bus_rec_init(&cmd, is_stop ? BUS_CMD_CAPTURE_STOP : BUS_CMD_CAPTURES);
	if ((status = ask(c, &cmd, ask_keep, &a, &end)) != CLI_OK)
		goto out;
	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_bool(&j, "ok", true);
		json_rows(&j, "captures", &a, BUS_RES_CAPTURE);
		json_obj_end(&j);
		json_end(&j);
		goto out;
	}
	for (size_t i = 0; i < a.n; i++)
		if (a.rec[i].desc->row == BUS_RES_CAPTURE)
			running_line(c->out, &a.rec[i]);
	if (a.n == 0)
		fprintf(c->out, "%s\n", is_stop ? "the capture ends" :
			"nobody captures");
out:
	ask_list_fini(&a);
	return status;
}

int
cmd_capture(struct cli *c, int argc, char **argv)
{
	const char *file = NULL, *peer = NULL, *seconds = NULL, *snap = NULL,
	    *keys = NULL;
	bool kind[4] = { false }, is_list = false, is_stop = false;
	struct run r = { .c = c, .table = { "esp_sa",
					    "ikev2_decryption_table" } };
	struct cli_opt opt[] = {
		{ 'w', "write", NULL, &file },
		{ 0, "peer", NULL, &peer },
		{ 0, "clear", &kind[0], NULL },
		{ 0, "esp", &kind[1], NULL },
		{ 0, "ike", &kind[2], NULL },
		{ 0, "dropped", &kind[3], NULL },
		{ 0, "seconds", NULL, &seconds },
		{ 0, "snap", NULL, &snap },
		{ 0, "keys", NULL, &keys },
		{ 0, "list", &is_list, NULL },
		{ 0, "stop", &is_stop, NULL },
	};
	struct bus_rec cmd;
	int status;

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if (is_list || is_stop)
		return running(c, is_stop);
	if (!command(&cmd, kind, peer, seconds, snap))
		return cli_fail(c, CLI_USAGE, "usage", "tapir help capture",
				"capture: --peer is [REALM/]PEER, --seconds and "
				"--snap are numbers from 1");
	if (keys != NULL && peer == NULL)
		return cli_fail(c, CLI_USAGE, "usage", "tapir help capture",
				"capture: --keys is for one peer: name it with "
				"--peer");
	if (file != NULL && strcmp(file, "-") == 0 &&
	    (c->is_json || isatty(fileno(c->out)) == 1))
		return cli_fail(c, CLI_USAGE, "usage", "give -w a file, or a "
				"pipe to read from", "capture: pcapng is nothing "
				"for a terminal, nor for JSON");
	bus_set_bool(&cmd, BUS_F_HAS_KEYS, keys != NULL);
	status = keys != NULL ? keys_open(&r, keys) : CLI_OK;
	if (status == CLI_OK && file != NULL)
		status = pcap_open(&r, file);
	if (status == CLI_OK)
		status = capture(&r, &cmd);
	return close_all(&r, status);
}
