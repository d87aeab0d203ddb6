/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/world.h - two engines, a net between them, a virtual clock.
 *
 *   host a (tokyo, 192.0.2.1) ---- net ---- host b (osaka, 198.51.100.2)
 *
 * Everything random comes from one seed.  Nothing sleeps.
 */
#ifndef TAPIR_TEST_SIM_WORLD_H
#define TAPIR_TEST_SIM_WORLD_H

#include "daemon/base/rng.h"
#include "ikev2/engine.h"

#define SIM_CHILD_MAX 64
#define SIM_PKT_MAX   4096	/* in flight or recorded */
#define SIM_WORD_MAX  64
#define SIM_ADDR_MAX  4

struct sim_child {
	struct vpn_child desc;
	struct vpn_keys in, out;
	bool is_up, is_retired;
	uint64_t up_ms;
	bool is_heard;			/* a packet came in on it */
	unsigned n_in, n_out;
};

/* A list of payload bodies, as ike.h has it. */
struct sim_list {
	uint8_t b[65535];
	size_t len;
};

/* Something that happens at a time: a datagram, an answer, a finished job. */
enum sim_what { SIM_DGRAM, SIM_ASK, SIM_JOB, SIM_ESP, SIM_DOOR, SIM_NAME };
#define SIM_RESUMED_MAX 64
#define SIM_ONCE_MAX 256

struct sim_event {
	uint64_t at_ms, order;
	enum sim_what what;
	struct sim_host *host;		/* who gets it */
	unsigned life;			/* of the host when it was caused */
	struct net_ep from, to;
	bool is_natt;
	uint8_t *p;
	size_t len;
	struct ike_job *job;
	uint32_t esp_spi;
	/* the answer, with room for what it points to */
	struct ike_ans ans;
	uint8_t id_own[IKE_ID_BODY_MAX], id_peer[IKE_ID_BODY_MAX];
	uint8_t auth[IKE_AUTH_DATA_MAX], shown[SIM_WORD_MAX];
	struct sim_list *cert, *certreq;	/* owned, or NULL */
};

struct sim_world;
struct sim_host {
	struct sim_world *w;
	char name[8];
	struct sim_host *other;
	struct ike *ike;
	unsigned life;			/* counts restarts */
	struct net_ep ep;		/* ip: the first of addr */
	struct ip_addr addr[SIM_ADDR_MAX]; /* in the order the kernel likes them */
	bool is_addr_dead[SIM_ADDR_MAX]; /* nothing passes there, without a word */
	unsigned n_addr;
	struct ike_conf conf;
	struct ike_realm_conf realm;
	/* questions that may be put once an IKE SA: a ring of what was asked */
	struct { uint32_t handle, type; } once[SIM_ONCE_MAX];
	unsigned n_once, n_twice;
	unsigned n_ppk_busy;		/* questions about a PPK not looked at yet */
	uint32_t resumed[SIM_RESUMED_MAX]; /* handles; a ring */
	unsigned n_resumed;
	uint8_t ticket_key;		/* another: tickets before are no good */
	struct ike_peer_conf peer;
	char id[SIM_WORD_MAX], psk[SIM_WORD_MAX], expect_id[SIM_WORD_MAX];
	bool is_secure_dead, is_trusting;
	bool is_mute;			/* nobody can tell who still may */
	unsigned n_named;		/* names of gateways asked for */
	/* EAP, eap.c */
	char eap_word[SIM_WORD_MAX];	/* empty = none */
	bool eap_only;			/* RFC 5998 is permitted */
	bool eap_bare;			/* a gateway: proves nothing, asked or not */
	bool is_bare;			/* ... this time */
	uint8_t eap_rounds;		/* as gateway; 0 = one */
	uint32_t eap_session_s;		/* ... lets stay so long; 0 = for ever */
	uint8_t peer_body[IKE_ID_BODY_MAX]; /* ID payload of who comes by it */
	size_t peer_body_len;
	/* certificates, cert.c */
	bool is_signing, wants_cert;
	char cert_ca[SIM_WORD_MAX], cert_id[SIM_WORD_MAX];
	size_t cert_bytes;
	uint8_t cert_enc;
	unsigned n_cert, n_ca, n_cert_in, n_asked, n_asked_any, n_refused;
	char refused_why[IKE_WHY_MAX];
	enum spi_group first_group;
	bool is_reflected;		/* what it sends comes back to it */
	bool is_cut;			/* nothing leaves it any more */
	unsigned n_cut;			/* datagrams that still leave; with has_cut */
	bool has_cut;
	bool is_asleep;			/* the machine is suspended */
	bool is_natted;
	uint16_t nat_shift;		/* port mapping of its NAT */
	struct sim_child child[SIM_CHILD_MAX];
	unsigned n_child_up, n_child_made, n_spi;
	uint32_t last_spi;
	unsigned n_event[16], n_keepalive;
	unsigned n_frag;		/* fragments that it sent */
	unsigned n_probe;		/* messages that must not be cut */
	char ppk[SIM_WORD_MAX];
	uint8_t confirm[SPI_HASH_MAX];	/* RFC 9867 */
	struct ike_keys mixed;		/* the last answer about it */
	enum ike_gate_level level;	/* as the engine said last */
	struct ike_gate_seat seat;	/* of its other thread */
	bool spoils_ps;			/* solutions of puzzles are wrong */
	bool adds_puzzle;		/* its IKE_SA_INIT answers get one for IKE_AUTH */
	unsigned n_auth_ps;		/* IKE_AUTH requests it sent with a right solution */
	unsigned auth_bytes;		/* AUTH is padded to so many */
	uint16_t also_notify;		/* goes with its answers about child SAs */
	bool is_id_odd;			/* RESERVED of its identity is not zero */
	uint64_t esp_in_ms, esp_out_ms;
	unsigned n_data_sent, n_data_lost;
	/* pool.c */
	struct vpn_cfg lease, given;	/* handed out; received */
	struct ip_addr wish;		/* of the last who asked it */
	bool is_pool_full;
	unsigned n_leased, n_given;
};

struct sim_world {
	struct rng_det rng, crypto;
	uint64_t now_ms, order;
	struct sim_host a, b;
	struct ip_addr gw2;		/* where gw2.example.com leads; family 0 = nowhere */
	struct sim_event *ev[SIM_PKT_MAX];
	unsigned n_ev;
	unsigned loss, dup, reorder, flip; /* per cent */
	unsigned mtu;			/* larger IP datagrams vanish; 0 = none do */
	unsigned mtu_a;			/* the same, of what a sends only */
	unsigned link;			/* of the hosts' interfaces: sizes are probed;
					 * 0 = they are not */
	unsigned delay_lo, delay_hi;
	unsigned job_ms;		/* until another thread is done */
	unsigned slow_ms;		/* ... with a puzzle */
	unsigned door_ms;		/* ... with a stranger's request */
	bool forge_init_error;		/* a liar answers before the peer does */
	uint16_t forge_type;
	bool is_esp_flowing, is_mangled;
	bool is_500_shut;		/* a firewall on the way */
	unsigned data_ms;		/* packets of every flow; 0 = none */
	uint64_t data_next_ms;
	unsigned n_sent;
	unsigned n_clear_token;		/* QCD tokens sent without protection */
	size_t n_stray;			/* bytes sent to nobody: to forged sources */
	struct sim_event *rec[SIM_PKT_MAX]; /* every datagram that was sent */
	unsigned n_rec;
	bool is_verbose;
};

void sim_world_init(struct sim_world *w, uint64_t seed);
/** Free everything; false (and a line) when something leaked. */
bool sim_world_fini(struct sim_world *w);
/** (Re)start the engine of a host. */
void sim_host_start(struct sim_host *h);
/** As by SIGKILL: no word to anybody. */
void sim_host_kill(struct sim_host *h);
/** Let time pass. */
void sim_run(struct sim_world *w, uint64_t ms);
/** Put a datagram on the way to h now. */
void sim_inject(struct sim_host *h, const struct net_ep *from,
		const struct net_ep *to, bool natt, const void *p, size_t len);
/** Send every recorded datagram again to its receiver. */
void sim_replay(struct sim_world *w);
/** Do the two ends hold the same keys for the SA each sends on? */
bool sim_keys_agree(struct sim_world *w);
/** Has every child SA of both ends its other half? */
bool sim_pairs_agree(struct sim_world *w);
bool sim_link(struct sim_host *h, struct ike_link_info *out);

/* move.c: hosts that move */
/** Does something from h at one address reach the other host at another? */
bool sim_reaches(const struct sim_host *h, const struct ip_addr *from,
		 const struct ip_addr *to);
/** Tell the engine what addresses its host has. */
void sim_addrs_tell(struct sim_host *h);
/** The address the kernel takes towards remote. */
struct ip_addr sim_addr_for(const struct sim_host *h,
			    const struct ip_addr *remote);
/** Has h this address, dead or alive? */
bool sim_is_at(const struct sim_host *h, const struct ip_addr *ip);
/** Do data of h reach the other end now? */
bool sim_data_reaches(const struct sim_host *h);

/** A datagram leaves h. */
void sim_send(struct sim_host *h, const struct net_ep *from,
	      const struct net_ep *to, bool natt, struct view data);

/* door.c */
/** Is a datagram for the thread that judges requests? */
bool sim_door_takes(struct sim_host *h, const struct sim_event *e);
/** Add a puzzle for IKE_AUTH to an IKE_SA_INIT response of len bytes; its new
 * length. */
size_t sim_puzzle_add(uint8_t *p, size_t len, size_t cap);
/** Count a right solution in front of an IKE_AUTH request. */
void sim_puzzle_see(struct sim_host *h, struct view data);
void sim_door_judge(struct sim_host *h, const struct sim_event *e);

/* data.c */
void sim_data_send(struct sim_world *w);
void sim_data_arrive(struct sim_host *h, uint32_t esp_spi);
unsigned sim_data_busy(const struct sim_host *h);
/** world.c: put an ESP packet on the way to h. */
void sim_data_put(struct sim_host *h, uint32_t esp_spi);

/** qcd.c: does a message tell a QCD token without protection? */
bool sim_has_token(const uint8_t *p, size_t len);

/** graph.c: the state tables, and what each message goes through, as graphviz
 * dot on standard output. */
void sim_graph_states(void);
void sim_graph_paths(void);

/* alloc.c: allocations of an engine */
/** Count those of h from now on and let the nth fail; 0 = none. */
void sim_alloc_watch(const struct sim_host *h, unsigned nth);
unsigned sim_alloc_seen(void);
/** Whose engine runs now; NULL = none.  The one before. */
const struct sim_host *sim_alloc_runs(const struct sim_host *h);
/** Zeroed memory of the world itself; never NULL. */
void *sim_alloc(size_t n);

/* pool.c: addresses for clients */
int sim_lease(void *ctx, uint32_t link, const struct ike_cfg_req *req,
	      struct vpn_cfg *out, char *why);
void sim_configured(void *ctx, uint32_t link, const struct vpn_cfg *cfg);
/** A key of "set"; false: not one of these. */
bool sim_pool_set(struct sim_host *h, const char *key, const char *val,
		  bool *is_ok);

/* cert.c: certificates and signatures */
/** A key of "set"; false: not one of these. */
bool sim_cert_set(struct sim_host *h, const char *key, const char *val);
void sim_cert_sign(struct sim_host *h, const struct ike_ask *ask,
		   struct sim_event *e);
/** NULL, or what is wrong with the peer's certificate or signature. */
const char *sim_cert_verify(struct sim_host *h, const struct ike_ask *ask,
			    const char *id);
/** CERTREQ: whom we trust. */
void sim_cert_ask(struct sim_host *h, struct sim_list *out);

/* eap.c */
/** A key of "set"; false: not one of these. */
bool sim_eap_set(struct sim_host *h, const char *key, const char *val);
void sim_eap_talk(struct sim_host *h, const struct ike_ask *ask,
		  struct sim_event *e);

/* secure.c: PSK AUTH as RFC 7296 2.15 */
int sim_ask(void *ctx, const struct ike_ask *ask);

#endif
