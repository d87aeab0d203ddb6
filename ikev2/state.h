/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/state.h - which state follows which: IKE SA rows and child SA rows.
 */
#ifndef TAPIR_IKEV2_STATE_H
#define TAPIR_IKEV2_STATE_H

#include "daemon/base/base.h"

enum ike_sa_state {
	IKE_SA_NONE,
	IKE_SA_INIT_I,	/* IKE_SA_INIT request is sent, or being made */
	IKE_SA_INIT_R,	/* half-open: IKE_SA_INIT was answered */
	IKE_SA_AUTH_I,	/* keys exist; IKE_AUTH request is sent, or being made */
	IKE_SA_AUTH_R,	/* IKE_AUTH request is being checked */
	IKE_SA_UP,
	IKE_SA_REKEYED,	/* a successor has its children; Delete is to come */
	IKE_SA_DELETING, /* our Delete is under way */
	IKE_SA_CLOSED,	/* no keys; the last answer can be repeated */
	IKE_SA_DEAD,
	IKE_SA_STATE_END
};

enum ike_sa_event {
	IKE_EV_DIAL,	/* we begin */
	IKE_EV_INIT_IN,	/* the peer begins, its request was good */
	IKE_EV_KEYED,	/* IKE_SA_INIT response was good, keys exist */
	IKE_EV_AUTH_IN,	/* a protected IKE_AUTH request is complete */
	IKE_EV_AUTH_OK,	/* both AUTH payloads are good */
	IKE_EV_HEIR,	/* made by rekeying an SA that is up */
	IKE_EV_REPLACED,
	IKE_EV_DELETE,	/* we delete */
	IKE_EV_CLOSE,	/* the peer deleted, or authentication failed */
	IKE_EV_KILL,
	IKE_EV_SA_END
};

enum ike_child_state {
	IKE_CHILD_NONE,
	IKE_CHILD_UP,
	IKE_CHILD_REKEYED,	/* replaced; still receives until deleted */
	IKE_CHILD_DELETING,	/* our Delete is under way */
	IKE_CHILD_GONE,
	IKE_CHILD_STATE_END
};

enum ike_child_event {
	IKE_EV_CHILD_MADE,
	IKE_EV_CHILD_REPLACED,
	IKE_EV_CHILD_DELETE,
	IKE_EV_CHILD_KILL,
	IKE_EV_CHILD_END
};

struct ike_sa;
struct ike_child;

/** Where an event leads; the END value when there is no such row. */
enum ike_sa_state ike_sa_next(enum ike_sa_state from, enum ike_sa_event ev);
enum ike_child_state ike_child_next(enum ike_child_state from,
				    enum ike_child_event ev);
/** Change the state by a row.  False (and a log line) when no row permits it;
 * nothing changes then. */
bool ike_sa_move(struct ike_sa *sa, enum ike_sa_event ev);
bool ike_child_move(struct ike_child *c, enum ike_child_event ev);

const char *ike_sa_state_name(enum ike_sa_state s);
const char *ike_sa_event_name(enum ike_sa_event e);
const char *ike_child_state_name(enum ike_child_state s);
const char *ike_child_event_name(enum ike_child_event e);

#endif
