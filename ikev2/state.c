/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/state.c - the rows of both state tables, and the only writers of state.
 *
 *   initiator   NONE --dial--> INIT_I --keyed--> AUTH_I --.
 *                                                         auth-ok
 *   responder   NONE --init-in--> INIT_R --auth-in--> AUTH_R --'--> UP
 *   rekeying    NONE --heir--> UP --replaced--> REKEYED
 *   the end     UP, REKEYED --delete--> DELETING --kill--> DEAD
 *               UP, REKEYED, DELETING, AUTH_R --close--> CLOSED --kill--> DEAD
 *
 *   state     guaranteed
 *   INIT_I    setup, our SPI; no keys, no children
 *   INIT_R    setup, both SPIs; keys are made when IKE_AUTH first comes
 *   AUTH_I    setup, both SPIs, keys; not authenticated
 *   AUTH_R    as AUTH_I; may already have a link
 *   UP        both SPIs, keys, link, authenticated; no setup
 *   REKEYED   as UP, without children
 *   DELETING  as UP, without children
 *   CLOSED    the last answer; no keys, no children, no link
 *   DEAD      nothing
 */
#include "ikev2/state.h"

#include "daemon/base/log.h"
#include "ikev2/engine.h"

static const struct {
	enum ike_sa_state from;
	enum ike_sa_event ev;
	enum ike_sa_state to;
} sa_row[] = {
	{ IKE_SA_NONE,	   IKE_EV_DIAL,	    IKE_SA_INIT_I },
	{ IKE_SA_NONE,	   IKE_EV_INIT_IN,  IKE_SA_INIT_R },
	{ IKE_SA_NONE,	   IKE_EV_HEIR,	    IKE_SA_UP },
	{ IKE_SA_INIT_I,   IKE_EV_KEYED,    IKE_SA_AUTH_I },
	{ IKE_SA_INIT_R,   IKE_EV_AUTH_IN,  IKE_SA_AUTH_R },
	{ IKE_SA_AUTH_I,   IKE_EV_AUTH_OK,  IKE_SA_UP },
	{ IKE_SA_AUTH_R,   IKE_EV_AUTH_OK,  IKE_SA_UP },
	{ IKE_SA_UP,	   IKE_EV_REPLACED, IKE_SA_REKEYED },
	{ IKE_SA_UP,	   IKE_EV_DELETE,   IKE_SA_DELETING },
	{ IKE_SA_REKEYED,  IKE_EV_DELETE,   IKE_SA_DELETING },
	{ IKE_SA_INIT_R,   IKE_EV_CLOSE,    IKE_SA_CLOSED },
	{ IKE_SA_AUTH_R,   IKE_EV_CLOSE,    IKE_SA_CLOSED },
	{ IKE_SA_UP,	   IKE_EV_CLOSE,    IKE_SA_CLOSED },
	{ IKE_SA_REKEYED,  IKE_EV_CLOSE,    IKE_SA_CLOSED },
	{ IKE_SA_DELETING, IKE_EV_CLOSE,    IKE_SA_CLOSED },
	{ IKE_SA_NONE,	   IKE_EV_KILL,	    IKE_SA_DEAD },
	{ IKE_SA_INIT_I,   IKE_EV_KILL,	    IKE_SA_DEAD },
	{ IKE_SA_INIT_R,   IKE_EV_KILL,	    IKE_SA_DEAD },
	{ IKE_SA_AUTH_I,   IKE_EV_KILL,	    IKE_SA_DEAD },
	{ IKE_SA_AUTH_R,   IKE_EV_KILL,	    IKE_SA_DEAD },
	{ IKE_SA_UP,	   IKE_EV_KILL,	    IKE_SA_DEAD },
	{ IKE_SA_REKEYED,  IKE_EV_KILL,	    IKE_SA_DEAD },
	{ IKE_SA_DELETING, IKE_EV_KILL,	    IKE_SA_DEAD },
	{ IKE_SA_CLOSED,   IKE_EV_KILL,	    IKE_SA_DEAD },
};

/*
 *   NONE --made--> UP --replaced--> REKEYED --delete--> DELETING --kill--> GONE
 *                   '-------------delete-------------->'
 */
static const struct {
	enum ike_child_state from;
	enum ike_child_event ev;
	enum ike_child_state to;
} child_row[] = {
	{ IKE_CHILD_NONE,     IKE_EV_CHILD_MADE,     IKE_CHILD_UP },
	{ IKE_CHILD_UP,	      IKE_EV_CHILD_REPLACED, IKE_CHILD_REKEYED },
	{ IKE_CHILD_UP,	      IKE_EV_CHILD_DELETE,   IKE_CHILD_DELETING },
	{ IKE_CHILD_REKEYED,  IKE_EV_CHILD_DELETE,   IKE_CHILD_DELETING },
	{ IKE_CHILD_UP,	      IKE_EV_CHILD_KILL,     IKE_CHILD_GONE },
	{ IKE_CHILD_REKEYED,  IKE_EV_CHILD_KILL,     IKE_CHILD_GONE },
	{ IKE_CHILD_DELETING, IKE_EV_CHILD_KILL,     IKE_CHILD_GONE },
};

static const char *const sa_state_name[IKE_SA_STATE_END] = {
	"NONE", "INIT_I", "INIT_R", "AUTH_I", "AUTH_R", "UP", "REKEYED",
	"DELETING", "CLOSED", "DEAD"
};
static const char *const sa_event_name[IKE_EV_SA_END] = {
	"dial", "init-in", "keyed", "auth-in", "auth-ok", "heir", "replaced",
	"delete", "close", "kill"
};
static const char *const child_state_name[IKE_CHILD_STATE_END] = {
	"NONE", "UP", "REKEYED", "DELETING", "GONE"
};
static const char *const child_event_name[IKE_EV_CHILD_END] = {
	"made", "replaced", "delete", "kill"
};

enum ike_sa_state
ike_sa_next(enum ike_sa_state from, enum ike_sa_event ev)
{
	for (unsigned i = 0; i < N_OF(sa_row); i++)
		if (sa_row[i].from == from && sa_row[i].ev == ev)
			return sa_row[i].to;
	return IKE_SA_STATE_END;
}

enum ike_child_state
ike_child_next(enum ike_child_state from, enum ike_child_event ev)
{
	for (unsigned i = 0; i < N_OF(child_row); i++)
		if (child_row[i].from == from && child_row[i].ev == ev)
			return child_row[i].to;
	return IKE_CHILD_STATE_END;
}

/* For statistics: not half-open ones, nor those that only repeat an answer. */
static unsigned
counts(enum ike_sa_state s)
{
	return s == IKE_SA_UP || s == IKE_SA_REKEYED || s == IKE_SA_DELETING;
}

bool
ike_sa_move(struct ike_sa *sa, enum ike_sa_event ev)
{
	enum ike_sa_state to = ike_sa_next(sa->state, ev);

	if (to == IKE_SA_STATE_END) {
		log_rl(LOG_WARN, "ike", "SA %u: event %s refused: state is %s",
		       sa->handle, ike_sa_event_name(ev),
		       ike_sa_state_name(sa->state));
		return false;
	}
	if (counts(to) != counts(sa->state))
		sa->ike->stats.n_ike_sa += counts(to) ? 1 : UINT64_MAX;
	sa->state = to;
	return true;
}

bool
ike_child_move(struct ike_child *c, enum ike_child_event ev)
{
	enum ike_child_state to = ike_child_next(c->state, ev);

	if (to == IKE_CHILD_STATE_END) {
		log_rl(LOG_WARN, "ike", "child %u: event %s refused: state is %s",
		       c->id, ike_child_event_name(ev),
		       ike_child_state_name(c->state));
		return false;
	}
	c->state = to;
	return true;
}

const char *
ike_sa_state_name(enum ike_sa_state s)
{
	return s < IKE_SA_STATE_END ? sa_state_name[s] : "?";
}

const char *
ike_sa_event_name(enum ike_sa_event e)
{
	return e < IKE_EV_SA_END ? sa_event_name[e] : "?";
}

const char *
ike_child_state_name(enum ike_child_state s)
{
	return s < IKE_CHILD_STATE_END ? child_state_name[s] : "?";
}

const char *
ike_child_event_name(enum ike_child_event e)
{
	return e < IKE_EV_CHILD_END ? child_event_name[e] : "?";
}
