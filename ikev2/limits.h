/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/limits.h - bounds and times of the engine; all ours.
 *
 * RFC 7296 names few: where a number is its, the line says so.
 */
#ifndef TAPIR_IKEV2_LIMITS_H
#define TAPIR_IKEV2_LIMITS_H

#define IKE_SA_MAX	   65536 /* IKE SAs in all */
#define IKE_CHILD_MAX	   32	 /* child SAs of one IKE SA */
#define IKE_CHILD_REKEY_MAX 40	 /* ... and while they are replaced */
#define IKE_SEL_HEAD	   48	 /* of a packet that is shown to the peer */
#define IKE_REST_MS	   30000 /* a child SA for further selectors was lost */
#define IKE_OLD_MS	   250	 /* a pair nobody sends on any more receives what
				  * is on the way */
#define IKE_LANE_MAX	   14	 /* child SAs of a bundle we ask for */
#define IKE_LANE_ACCEPT	   28	 /* ... and a peer gets: twice that, RFC 9611 6 */
#define IKE_LANE_LATER_MS  2000	 /* who was dialled makes its own after that */
#define IKE_LANE_PAUSE_MS  10000 /* the peer deleted one: at least so long none */
#define IKE_LANE_PAUSE_CAP_MS 640000
#define IKE_LINK_MAX	   65535 /* numbers of links: 1 to that, used again */
#define IKE_LINGER_MAX	   1024	 /* peers of patterns that are kept once down */
#define IKE_LINK_SA_MAX	   16	 /* IKE SAs of one peer */
#define IKE_TASK_MAX	   64	 /* waiting requests of one IKE SA */
#define IKE_GONE_MAX	   8	 /* Deletes that overtook an answer; later ones
				  * take the place of the first */
#define IKE_NONCE_LEN	   32	 /* ours; >= half of any prf key, 2.10 */
#define IKE_RETRY_FIRST_MS 500	 /* first retransmission */
#define IKE_RETRY_CAP_MS   4000
#define IKE_RETRY_N	   6	 /* transmissions before we give up */
#define IKE_RETRY_N_BYE	   3	 /* the same for a Delete of an IKE SA */
#define IKE_RESEND_MAX	   8	 /* answers repeated to one request */
#define IKE_RESEND_PAUSE_MS 2000	/* ... at once; then one in this time, so that
				 * a patient peer on a bad path gets its answer */
#define IKE_HALFOPEN_MS	   30000 /* a responder's SA before authentication */
#define IKE_EAP_MS	   120000 /* ... while a person is asked by EAP */
#define IKE_EAP_FIRST_MAX  16384 /* bytes of the request that is kept for that */
#define IKE_CONNECT_MS	   60000 /* an initiator's, questions included */
#define IKE_CLOSED_MS	   10000 /* the last answer stays repeatable */
#define IKE_CHILDLESS_MS   30000 /* an IKE SA without child SA is kept */
#define IKE_INIT_ERR_MS	   3000	 /* wait on after an unprotected error */
#define IKE_INIT_AGAIN_MAX 3	 /* COOKIE or INVALID_KE rounds */
#define IKE_DIAL_FIRST_MS  1000	 /* back-off of dialling */
#define IKE_DIAL_CAP_MS	   30000
#define IKE_CROSS_MS	   20000 /* both ends dialled at once: set-up may take this */
#define IKE_KEEPALIVE_MS   20000 /* RFC 3948 4: behind a NAT, nothing else sent */
#define IKE_HINT_MS	   10000 /* liveness checks caused by hints */
#define IKE_LOGIN_MS	   30000 /* authenticating anew: again after so long */
#define IKE_SOFT_PARTS	   20	 /* a refused rekeying: again after life / 20 */
#define IKE_TEMP_MS	   5000	 /* retry after TEMPORARY_FAILURE */
#define IKE_COLLIDE_MS	   30000 /* a replaced SA whose Delete never comes */
#define IKE_COOKIE_MS	   IKE_GATE_MS /* life of a cookie secret */
#define IKE_COOKIE_PER_SRC 3	 /* half-open SAs of one source without cookie:
				  * an IPv4 address, an IPv6 /64 */
#define IKE_COOKIE_PER_NET 16	 /* ... and of a network: a /24, a /48 */
#define IKE_HALFOPEN_PARTS 4	 /* one source gets a quarter of the table, a
				  * network half of it */
#define IKE_RUSH_PER_S	   100	 /* requests without cookie in a second, asked
				  * for one: then everybody is */
#define IKE_RUSH_MS	   5000	 /* ... until there was none so long */
#define IKE_DOOR_MS	   1000	 /* between two looks whether it is over */
#define IKE_PUZZLE_MORE	   3	 /* zero bits more when the table is full */
#define IKE_PUZZLE_CHANCE  30	 /* per cent of those with a cookie that are let
				  * in without solution, at first */
#define IKE_PUZZLE_CHANCE_LO 3	 /* ... and when the table is full */
#define IKE_PUZZLE_BITS_FREE 17	 /* we solve, where the choice is ours: about a
				  * second */
#define IKE_USED_MAX	   4096	 /* solutions remembered */
#define IKE_FORGED_MAX	   64	 /* IKE_AUTH with a wrong ICV in a half-open SA */
#define IKE_FORGED_MS	   200	 /* ... then one in this time */
#define IKE_HALFOPEN_LO_MS 2000	 /* a half-open SA when the table is full */
#define IKE_INIT_REQ_MAX   4096	 /* IKE_SA_INIT request: it is kept */
#define IKE_REFUSED_PER_S  10	 /* events about refused strangers a second */
#define IKE_UNPROT_PER_S   10	 /* unprotected error answers a second */
#define IKE_TOKEN_LEN	   16	/* ours: an answer with it is no larger than a
				 * liveness check; RFC 6290 5: 16 to 128 */
#define IKE_STRANGERS_PER_S 20	/* noted, of those refused; ours */
#define IKE_TOKENS_PER_S   200	/* told to strangers, RFC 6290 8.1 */
#define IKE_TOKENS_WAIT	   32	/* ... that wait for the secure process */
#define IKE_TOKENS_TRIED   16	/* messages with tokens of one SA a second */
#define IKE_STRAY_PER_S	   5	/* INVALID_SPI: sent, and looked at */
#define IKE_ARENA_MAX	   (256u << 10) /* decoded form of one message */
#define IKE_VID_LEN	   16
#define IKE_PPK_ID_MAX	   128	 /* PPK_IDENTITY, RFC 8784 */
#define IKE_FOLLOW_MS	   20000 /* between exchanges, RFC 9370 2.2.4 */
#define IKE_FOLLOW_LINK	   16	 /* bytes of ours that link them */
#define IKE_FOLLOW_LINK_MAX 256	 /* of a peer */
#define IKE_ROAM_WATCH_MS  100	 /* between two looks whether a path still works */
#define IKE_ROAM_QUIET_MS  300	 /* we send and hear nothing: ask */
#define IKE_ROAM_WAIT_MS   100	 /* for an answer, and three round trips */
#define IKE_ROAM_TRY	   3	 /* transmissions until other paths are tried */
#define IKE_ROAM_AGAIN_MS  500	 /* after an address that somebody changed */
#define IKE_ROAM_AGAIN_MAX 5	 /* ... so often */
#define IKE_ROAM_SETTLE_MS 1000	 /* data under way from an address just left */
#define IKE_ROAM_DEAD_MS   300000 /* RFC 4555 3.11: who may move gets so long */
#define IKE_ROAM_LOST_MS   16000 /* who decides: until no path is left to try */
#define IKE_TICKET_THEIRS_MAX 1024 /* bytes of a ticket that is kept; theirs */
#define IKE_COOKIE2_LEN	   16	 /* ours; RFC 4555 4.2.5: 8 to 64 */
#define IKE_FRAG_LEAST_4   576	 /* RFC 7383 2.5.1: the least datagrams we cut to */
#define IKE_FRAG_LEAST_6   1280
#define IKE_FRAG_TRY	   3	 /* transmissions before smaller fragments */
#define IKE_FRAG_MS	   10000 /* no further fragment of a message comes */
#define IKE_FRAG_HELD_MAX  (8u << 20) /* bytes of fragments of all strangers */
/* a message as fragments, back to back: headers, numbers, IV, ICV of each */
#define IKE_TRAIN_MAX	   (IKE_MAX_MSG_BYTES + IKE_MAX_FRAGMENTS * 128u)
#define IKE_CERT_LIST_MAX  65535 /* a field of 16 bits tells its length */
#define IKE_CERTREQ_LIST_MAX 8192 /* the same in our messages to secure */
#define IKE_AUTH_ANN_MAX   512	 /* SUPPORTED_AUTH_METHODS, RFC 9593 */

#endif
