/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/conf.h - the configuration: text -> checked, immutable struct conf.
 *
 *   file -> conf_load -> conf_parse: parse.c (tree with lines)
 *                                    check.c (every error in one run)
 *                                    -> struct conf -> print.c -> text
 *
 * Every option is a row of conf/conf.def.  A struct conf is one block of
 * memory that nobody changes after it was handed out; strings in it are
 * NUL-terminated and live as long as it does.  Secrets are never in it: psk
 * and the like are names of files in keys/ beside the configuration file.
 *
 * Thread: none of its own; a finished struct conf may be read by all.
 */
#ifndef TAPIR_CONF_CONF_H
#define TAPIR_CONF_CONF_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"
#include "daemon/base/log.h"
#include "daemon/base/vpn.h"
#include "daemon/base/vpn_cfg.h"
#include <stdio.h>

/* Bounds; all ours. */
#define CONF_VERSION	 1	    /* of the language; doc/upgrade.md */
#define CONF_BYTES_MAX	 (4u << 20) /* size of a configuration text */
#define CONF_DEPTH_MAX	 32	    /* nesting of elements */
#define CONF_NODE_MAX	 (CONF_BYTES_MAX / 16) /* elements and attributes */
#define CONF_REALM_MAX	 256
#define CONF_PEER_MAX	 4095	    /* <peer> of one realm: ports of its hub */
#define CONF_MATCH_MAX	 32	    /* <match> of one realm */
#define CONF_ADDR_MAX	 16	    /* addresses of one TAP */
#define CONF_CPU_MAX	 64
#define CONF_NAME_MAX	 63	    /* bytes of a realm's or peer's name */
#define CONF_ID_MAX	 255	    /* bytes of an identity */
#define CONF_ERR_MAX	 100	    /* errors kept of one run */
#define CONF_ERR_TEXT	 320	    /* bytes of one message */
#define CONF_FILE_MAX	 256	    /* bytes of a file name in messages */
#define CONF_FILES_MAX	 65	    /* the file itself and those of its directory */
#define CONF_CA_MAX	 16	    /* ca= files of one peer */
#define CONF_URL_MAX	 256	    /* an address of crl=, with NUL */
#define CONF_URLS_MAX	 8
#define CONF_MARK	 0x74617069u /* SO_MARK of packets of the tunnels
				      * themselves: they go around them */
#define CONF_POOL_NET_MAX 8	    /* networks of a <pool> */
#define CONF_LEASE_MAX	 4096	    /* <lease> of a <pool> */
#define CONF_LEASE_IP_MAX 2	    /* one of each family */
#define CONF_STATIC_MAX	 1024	    /* <static> of one realm */
#define CONF_LOG_MAX	 4	    /* <log> */
#define CONF_PATH_MAX	 255	    /* bytes of file= of <log> */
#define CONF_VLANS	 4096	    /* VLAN identifiers, IEEE 802.1Q */

/* Where something is written. */
struct conf_pos {
	unsigned line;		/* 0 = the file as a whole */
	uint16_t col;		/* characters from 1; 0 = not known */
	uint16_t file;		/* of conf_errs */
};

/* What kind of mistake it is. */
enum conf_code {
#define CONF_CODE(name_, code_, help_) CONF_E_##name_,
#include "conf/code.def"
	CONF_E_END
};

/* How an identity goes on the wire: RFC 7296 3.5 (the numbers are ours). */
enum conf_id_kind {
	CONF_ID_NONE,
	CONF_ID_FQDN,		/* everything else */
	CONF_ID_EMAIL,		/* has an '@': ID_RFC822_ADDR */
	CONF_ID_IPV4,
	CONF_ID_IPV6,
	CONF_ID_KEYID,		/* "keyid:" and hexadecimal digits, or text */
	CONF_ID_DN,		/* "C=JP, O=Example, CN=vpn": ID_DER_ASN1_DN */
};

/* Which worker gets which traffic (requirement E5). */
enum conf_rule {
	CONF_RULE_DESTINATION,
	CONF_RULE_SPI,
	CONF_RULE_PEER,
	CONF_RULE_REALM,
	CONF_RULE_ROUND_ROBIN,
	CONF_RULE_QUEUE,
};

/* How an end proves itself (RFC 7296 2.15); the two ends may differ. */
enum conf_auth {
	CONF_AUTH_PSK,
	CONF_AUTH_CERT,		/* a signature: certificate or raw public key */
	CONF_AUTH_EAP,		/* EAP, RFC 7296 2.16: initiators only */
};

/* What is asked about a certificate before it is believed. */
enum conf_revocation {
	CONF_REVOCATION_SOFT,	/* what is known to be revoked is refused */
	CONF_REVOCATION_STRICT,	/* so is what nobody says anything about */
	CONF_REVOCATION_OFF,
};

/** Selectors: all <net> of a realm or of a peer put together.  Empty on a
 * side means "any address" (0.0.0.0/0 and ::/0). */
struct conf_net {
	bool is_dynamic;	/* our side is the address the peer gives us */
	unsigned n_local, n_remote;
	struct vpn_ts local[VPN_TS_MAX];
	struct vpn_ts remote[VPN_TS_MAX];
};

enum conf_pass { CONF_PASS, CONF_FILTER };
enum conf_names { CONF_NAMES_AUTO, CONF_NAMES_RESOLVED, CONF_NAMES_RESOLVCONF,
		  CONF_NAMES_FILE, CONF_NAMES_NO };
enum conf_order { CONF_ORDER_ANY, CONF_ORDER_STRICT };
enum conf_full { CONF_FULL_FLOOD, CONF_FULL_DROP };
enum conf_guard { CONF_GUARD_NO, CONF_GUARD_ARP, CONF_GUARD_IP };
enum conf_cast { CONF_CAST_FLOOD, CONF_CAST_MEMBERS, CONF_CAST_STRICT };
enum conf_loop { CONF_LOOP_PROBE, CONF_LOOP_STRICT, CONF_LOOP_OFF };

/* What a port of the hub may do. */
struct conf_port {
	bool isolate;		/* not to other isolated ports */
	enum conf_guard guard;	/* for addresses of <net remote=> only */
	uint32_t macs;		/* addresses learned at most */
	enum conf_full macs_full; /* further ones */
	const char *vlans;	/* as written, see conf_vlans(); NULL = all */
	enum conf_pass untagged;
	uint32_t storm[4];	/* broadcast, multicast, unknown, copies of
				 * all; frames a second, 0 = no limit */
};

struct conf_static {
	struct conf_pos pos;
	const char *text;	/* as written */
	struct mac mac;
	const char *peer;	/* its name; NULL = behind the TAP */
};

/* An address of a pool that is kept for an identity. */
struct conf_lease {
	struct conf_pos pos;
	const char *id;
	const char *address;	/* as written */
	unsigned n_ip;
	struct ip_addr ip[CONF_LEASE_IP_MAX];
};
/* What clients are handed (RFC 7296 2.19). */
struct conf_pool {
	struct conf_pos pos;
	const char *net_text, *dns, *route, *domain, *resolver; /* as written */
	unsigned n_net;
	struct ip_net net[CONF_POOL_NET_MAX];
	struct vpn_cfg cfg;	/* the rest; without addresses */
	unsigned n_lease;
	struct conf_lease *lease;
};

enum conf_log_to { CONF_LOG_JOURNAL, CONF_LOG_SYSLOG, CONF_LOG_FILE };
struct conf_log {
	struct conf_pos pos;
	enum conf_log_to to;
	enum log_level level;	/* in effect */
	const char *component;	/* words as written, or NULL = all */
	const char *file;	/* with to FILE */
};

struct conf_me {
	const char *id;		/* our identity; NULL only with cert: the first
				 * name in the certificate */
	enum conf_id_kind id_kind;
	const char *psk;	/* name of a file in keys/, or NULL when every
				 * peer names its own */
	const char *cert;	/* see conf_cert_file(); NULL = none */
	const char *key;	/* see conf_key_file(); NULL = as the certificate;
				 * without cert a raw public key, RFC 7670 */
	const char *pass;	/* file with the passphrase of the key, or NULL */
	const char *eap;	/* our identity as a client of EAP, or NULL; the
				 * password is the file EAP.eap, or typed */
	bool only;		/* the gateway may prove itself by EAP only */
	uint32_t keep_s;	/* a typed one is kept so long; 0 = for one login */
	const char *eap_server;	/* ... name of who asks by TLS; NULL: the peer's */
};

/* <eap>: how a gateway asks clients. */
struct conf_eap {
	struct conf_pos pos;
	const char *method;	/* words, the first is offered first; NULL = there
				 * is no <eap> */
	const char *users;	/* file with names and hashes, for mschapv2 */
	const char *ca;		/* files, as written, for tls */
	bool tls12;		/* TLS 1.2 too */
	const char *at;		/* radius: servers, conf_eap_server() */
	const char *secret;	/* radius: file with what is shared with them */
	bool only;		/* RFC 5998, for clients that ask for it */
};
#define CONF_RADIUS_MAX	 4	/* servers of a realm; ours */
#define CONF_RADIUS_PORT 1812	/* RFC 2865 3 */

struct conf_peer {
	unsigned index;		/* place in realm->peer */
	struct conf_pos pos;	/* for messages */
	const char *name;	/* default: the id; unique within the realm */
	const char *id;		/* identity; may be a glob when at is absent;
				 * NULL: who <match> admits, with ca */
	enum conf_id_kind id_kind; /* of a glob: by its shape */
	bool is_glob;		/* id has a '*' or '?', or is NULL: a role for
				 * many peers */
	const char *at;		/* host, IP, IP:port, host:port; or NULL */
	const char *at_host;	/* at without port; NULL without at */
	uint16_t at_port;	/* 0 = not written: the usual port */
	bool at_is_ip;		/* at_ep is valid: no name to resolve */
	struct net_ep at_ep;	/* port 0 when not written */
	bool dial;		/* we connect and keep trying */
	bool redirect;		/* it may send us to another gateway */
	const char *psk;	/* in effect: its own, else that of <me> */
	const char *ppk;	/* its name, or NULL: the file is NAME.ppk */
	enum conf_auth own_auth; /* in effect: how we prove ourselves */
	enum conf_auth auth;	/* how the peer must */
	/* auth CERT: one or more of */
	const char *ca;		/* names of files, as written */
	const char *cert;	/* this certificate; see conf_cert_file() */
	const char *pubkey;	/* this key */
	const char *eap_ca;	/* auth EAP: that of the realm, or NULL */
	const char *crl;	/* addresses, as written, or NULL */
	enum conf_revocation revocation;
	enum vpn_mode mode;	/* in effect: its own, else the realm's */
	enum vpn_encap encap;	/* in effect: its own, else the realm's */
	uint32_t resources;	/* in effect; see below */
	enum conf_order order;	/* in effect */
	const struct conf_net *net; /* in effect: its own, else &realm->net */
	struct conf_port port;	/* in effect, each of them */
};

/* What a <match> is about, the strongest first. */
enum conf_match_kind {
	CONF_MATCH_ID,		/* the identity of IKE; a pattern */
	CONF_MATCH_EAP,		/* the identity of EAP; a pattern */
	CONF_MATCH_EMAIL,	/* subjectAltName of the certificate; a pattern */
	CONF_MATCH_DNS,		/* the same */
	CONF_MATCH_DN,		/* parts of its subject */
	CONF_MATCH_KINDS
};
struct conf_match {
	struct conf_pos pos;
	enum conf_match_kind kind;
	const char *text;
};

struct conf_realm {
	unsigned index;		/* place in conf->realm */
	struct conf_pos pos;
	const char *name;
	const char *keys;	/* directory in keys/, or NULL: keys/ itself */
	const char *tap;	/* interface name, default tap-NAME */
	const char *bridge;	/* bridge to join, or NULL */
	const char *address;	/* as written, or NULL */
	unsigned n_addr;
	struct ip_net addr[CONF_ADDR_MAX]; /* host bits kept: 10.0.0.1/24 */
	enum vpn_mode mode;
	enum vpn_suite suite;
	enum vpn_prefer cipher;
	enum vpn_encap encap;
	uint32_t resources;	/* SAs side by side; or one of these: */
#define CONF_RESOURCES_AUTO 0
#define CONF_RESOURCES_OFF  1
	enum conf_order order;	/* of packets of an SA */
	uint32_t mtu;		/* bytes inside the tunnel; 0 = computed */
	uint32_t mss;		/* of TCP, at most; or one of these: */
#define CONF_MSS_AUTO 0
#define CONF_MSS_NO   1
	struct conf_port port;	/* of the TAP, and of peers that say nothing else */
	enum conf_pass stp, lldp;
	enum conf_loop loop;
	enum conf_cast multicast;
	unsigned n_fixed;	/* <static> */
	struct conf_static *fixed;
	uint32_t dpd_s;		/* silence before we ask */
	uint32_t dead_s;	/* that question unanswered: the peer is dead */
	bool reauth;		/* authenticate anew instead of rekeying */
	bool mobike;		/* either end may move */
	bool resume;		/* tickets, RFC 5723 */
	bool childless;		/* first child SA apart from IKE_AUTH */
	uint32_t child_life_s;
	uint32_t child_mib, child_packets; /* 0 = no limit */
	uint32_t ike_life_s;
	struct conf_me me;
	struct conf_eap eap;
	unsigned n_peer;
	struct conf_peer *peer;
	unsigned n_match;	/* identities that select this realm, besides
				 * those of its peers; conf/role.h */
	struct conf_match match[CONF_MATCH_MAX];
	struct conf_net net;
	struct conf_pool *pool;	/* NULL = none */
	enum conf_names names;	/* who is told of a gateway's name servers */
	bool lockdown;		/* nothing leaves but through the tunnel */
};

/* <web>: the browser interface. */
#define CONF_WEB_HOST_MAX 8	/* names; ours */
#define CONF_WEB_LISTEN	  "127.0.0.1:4580"
struct conf_web {
	const char *listen;	/* as written */
	struct net_ep listen_ep;
	const char *host;	/* list, or NULL; conf_file_next() */
	uint32_t sessions;
	bool edit;		/* admins may write the configuration */
	const char *cert, *key, *client_ca; /* files in keys/, or NULL */
	struct conf_pos pos;	/* line 0: no <web> */
};
/** Does the peer prove itself with a certificate or a public key, be it within
 * EAP-TLS? */
bool conf_peer_shows_cert(const struct conf_peer *p);
/** Is this an address only programs of this machine reach? */
bool conf_web_is_local(const struct conf_web *w);
/** Name of the key file: key=, or derived from cert=.  out: CONF_FILE_MAX. */
void conf_web_key(const struct conf_web *w, char *out);

struct conf {
	struct conf_web web;
	uint32_t version;	/* of the language it is written in */
	uint32_t workers;	/* 0 = one a CPU */
	uint32_t priority;	/* nice levels above other programs */
	bool packet_ring;	/* raw ESP may come by packet sockets */
	enum log_level log;
	unsigned n_log;		/* 0 = standard error */
	struct conf_log *logs;
	uint32_t port;		/* IKE; 500 */
	uint32_t nat_port;	/* IKE and ESP in UDP; 4500 */
	uint32_t cookie_threshold; /* half-open SAs from which cookies are asked */
	uint32_t puzzle_threshold; /* ... and puzzles set; 0 = never */
	uint32_t puzzle_bits;	/* zero bits of a puzzle; 0 = any number */
	uint32_t half_open_max;
	bool qcd;		/* QCD tokens, RFC 6290 */
	uint32_t fragment_bytes; /* IKE datagrams, RFC 7383; 0 = never cut */
	enum conf_rule rule;
	const char *esp_provider; /* a name of spi/, or NULL = the best */
	const char *cpus;	/* as written, or NULL */
	unsigned n_cpu;		/* 0 = the scheduler's choice */
	uint16_t cpu[CONF_CPU_MAX];
	unsigned n_realm;
	struct conf_realm *realm;
};

/* What was wrong, in the order of the file. */
struct conf_err {
	unsigned file;		/* of those of conf_errs */
	unsigned line;		/* 0 = the file as a whole */
	unsigned col;		/* characters from 1; 0 = not known */
	enum conf_code code;
	char text[CONF_ERR_TEXT];
};
struct conf_errs {
	unsigned n_file;
	char file[CONF_FILES_MAX][CONF_FILE_MAX];
	unsigned n;
	unsigned n_more;	/* errors beyond CONF_ERR_MAX */
	struct conf_err e[CONF_ERR_MAX];
};

/**
 * Parse and check a configuration text.  Opens nothing unless key_dir is given.
 *
 * @param text      len bytes, UTF-8; need not end in NUL; borrowed.
 * @param file_name how messages call the text; borrowed.
 * @param key_dir   where key files are looked at (stat and access only, never
 *                  read); NULL = do not look.
 * @param out       on success the configuration; conf_free() it.
 * @param errs      filled with every error found (about 50 KB: keep it off
 *                  small stacks); emptied first.
 * @return 0, ERR_CONF (see errs), ERR_KEYFILE (only key files are wrong, see
 *         errs) or ERR_NOMEM.
 * Thread: any, but libxml2 wants its first use to be on the main thread.
 */
MUST_USE int conf_parse(const char *text, size_t len, const char *file_name,
			const char *key_dir, struct conf **out,
			struct conf_errs *errs);

/**
 * Read a file and conf_parse() it, with key_dir = keys/ beside the file.
 * A file that is not regular, too large or writable by everybody is refused.
 *
 * @return as conf_parse(); a file that cannot be read is ERR_CONF with errs.
 */
MUST_USE int conf_load(const char *path, struct conf **out,
		       struct conf_errs *errs);

/**
 * Read a file as conf_load() does, without looking into it: the supervisor
 * hands the text to the processes, which conf_parse() it.
 *
 * @param text  malloc()ed, with a NUL behind *len bytes; free() it.
 * @return 0 or ERR_CONF with errs, or ERR_NOMEM.
 */
MUST_USE int conf_read(const char *path, char **text, size_t *len,
		       struct conf_errs *errs);

/* One of the files that conf_read() put into a text. */
struct conf_file {
	const char *name;
	const char *text;
	size_t len;
};
/** The files in a text of conf_read(), as views; path: how the first is called.
 * out: CONF_FILES_MAX.  @return how many, at least one. */
unsigned conf_files(const char *text, size_t len, const char *path,
		    struct conf_file *out);
/** Files as one text, as conf_read() gives it; free() it.  0 or ERR_NOMEM. */
MUST_USE int conf_bundle(const struct conf_file *f, unsigned n, char **text,
			 size_t *len);

/** Directory of the key files that belong to a configuration file. */
void conf_key_dir(const char *path, char *out, size_t cap);
/** Directory of the key files of a realm, below that one. */
void conf_realm_key_dir(const char *key_dir, const struct conf_realm *r,
			char *out, size_t cap);

/** Free a configuration; NULL is fine. */
void conf_free(struct conf *c);

/** The stable word of a kind of mistake, and a sentence about it. */
const char *conf_code_name(enum conf_code c);
const char *conf_code_help(enum conf_code c);
/** The file of an error as it was called. */
const char *conf_err_file(const struct conf_errs *errs, const struct conf_err *e);
/** Write "file:line:column: text [code]" lines, and how many were left out. */
void conf_errs_print(const struct conf_errs *errs, FILE *to);

/**
 * The configuration as text that parses to an equal configuration.
 *
 * @param out malloc()ed text with NUL; free() it.
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int conf_print(const struct conf *c, char **out);

/** The language as an XML Schema: elements, options, words and ranges. */
void conf_schema(FILE *f);

/** True when both configurations mean the same (lines do not count). */
bool conf_equal(const struct conf *a, const struct conf *b);

/** Do RADIUS servers ask the clients? */
bool conf_eap_is_relay(const struct conf_eap *e);
/**
 * Its RADIUS servers, with their ports.
 *
 * @param out CONF_RADIUS_MAX places.
 * @return how many are written; those beyond CONF_RADIUS_MAX are not in out.
 */
unsigned conf_eap_servers(const struct conf_eap *e, struct net_ep *out);

/** The next word of a list like component=; as conf_file_next(). */
bool conf_word_next(const char **p, char *out, size_t cap);

/** A realm by name, or NULL. */
const struct conf_realm *conf_realm_find(const struct conf *c,
					 const char *name);
/** A peer of a realm by name, or NULL. */
const struct conf_peer *conf_peer_find(const struct conf_realm *r,
				       const char *name);
/** The same, looked for at a place first: where it stands in a list that has
 * hardly changed. */
const struct conf_peer *conf_peer_near(const struct conf_realm *r,
				       const char *name, unsigned at);

/**
 * Which kind of identity a text is (RFC 7296 3.5): an IP address, with '@' an
 * e-mail address, "keyid:" a key id, an attribute in front like O= a
 * distinguished name, everything else a host name.
 * CONF_ID_NONE for an empty text.
 */
enum conf_id_kind conf_id_type(const char *text);

/**
 * The identity as it goes on the wire.
 *
 * @param out cap bytes; CONF_ID_MAX always suffices.
 * @param len bytes written: 4 or 16 of an address, else the characters; of
 *            "keyid:0a0b" the bytes 0a 0b, of "keyid:text" the text.
 * @return 0, ERR_SYNTAX (empty), ERR_UNSUP (a distinguished name: see
 *         conf_dn_next()) or ERR_LONG.
 */
MUST_USE int conf_id_bytes(const char *text, enum conf_id_kind *kind,
			   uint8_t *out, size_t cap, size_t *len);

/**
 * A name behind another in a list (ca=, crl=).
 *
 * @param p   where in the list; moved on.
 * @param out cap bytes, CONF_FILE_MAX always suffices.
 * @return false at the end.
 */
bool conf_file_next(const char **p, char *out, size_t cap);
/**
 * The names a certificate may have in keys/: as written, then with .pem, .crt
 * or .der.  The first that is there counts.
 *
 * @param i   0, 1, 2 ...
 * @param out CONF_FILE_MAX bytes.
 * @return false behind the last.
 */
bool conf_cert_file(const char *cert, unsigned i, char *out);
/**
 * The names a private key may have in keys/: that of key=; without one the
 * certificate's with .key in place of its ending, then with .key behind it; of
 * PKCS#12 (.p12, .pfx) the file itself.  The first that is there counts.
 *
 * @return false behind the last, and when the key is at a URI.
 */
bool conf_key_file(const struct conf_me *me, unsigned i, char *out);
/** Is this key= a URI (a scheme in front, like pkcs11:)? */
bool conf_key_is_uri(const char *key);

#define CONF_DN_KEY_MAX 24	/* "serialNumber" and room */
/**
 * One attribute of a distinguished name, in the order of the certificate.  A
 * comma separates; a backslash in front of a character takes its meaning away.
 *
 * @param p     where in the name; moved on.
 * @param key   CONF_DN_KEY_MAX bytes: "CN", as written.
 * @param value CONF_ID_MAX + 1 bytes, UTF-8.
 * @return 1; 0 at the end; ERR_SYNTAX.
 */
int conf_dn_next(const char **p, char *key, char *value);

/**
 * A list of VLANs as a set.
 *
 * @param text "1-10,20"; NULL: all.
 * @param set  CONF_VLANS bits; 1 to 4094 are set.
 * @return 0, or ERR_SYNTAX.
 */
MUST_USE int conf_vlans(const char *text, uint64_t *set);

const char *conf_rule_name(enum conf_rule r); /* destination spi ... */

/* What a change of an option needs while the daemon runs. */
enum conf_effect {
	CONF_RESTARTS,		/* it is in force after a restart */
	CONF_LIVE,		/* in force at once, nobody notices */
	CONF_INTERRUPTS,	/* the peers it is about connect anew */
	CONF_RENEWS,		/* the realm is taken down and set up again */
};

/** Do two configurations log to the same places, in the same manner? */
bool conf_logs_same(const struct conf *old, const struct conf *now);
/** Is <web> the same, but for what is asked anew each time? */
bool conf_web_same(const struct conf *old, const struct conf *now);

/* A row of conf.def, for programs that show or complete options. */
struct conf_opt {
	const char *element;	/* "vpn", "realm", "me", ... */
	const char *name;	/* attribute */
	const char *type;	/* "number", "yes or no", "one of", ... */
	const char *words;	/* allowed words or form */
	uint64_t lo, hi;	/* of a number */
	const char *unit;	/* "s", "bytes", "" */
	const char *def;	/* default as text, "" = none */
	enum conf_effect effect; /* of a change while the daemon runs */
	const char *needs;	/* NULL = works; else what it waits for */
	const char *help;
	bool has_zero;		/* 0 as well as lo to hi */
};
/** Row i of the option table, or NULL behind the last. */
const struct conf_opt *conf_opt_at(unsigned i);

/* An element of conf.def. */
struct conf_elem {
	const char *name;
	unsigned parents;	/* where it may stand: bit (1 << i) for element i */
	unsigned max;		/* how often in one of them */
	const char *needs;	/* NULL = works; else what it waits for */
	const char *help;
};
/** Element i, or NULL behind the last. */
const struct conf_elem *conf_elem_at(unsigned i);

#endif
