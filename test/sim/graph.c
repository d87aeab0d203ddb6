/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/graph.c - both state tables as a drawing (graphviz dot).
 */
#include <stdio.h>

#include "test/sim/world.h"

void
sim_graph(void)
{
	printf("digraph ike {\n\trankdir=LR;\n\tnode [shape=box];\n"
	       "\tsubgraph cluster_sa {\n\t\tlabel=\"IKE SA\";\n");
	for (unsigned s = 0; s < IKE_SA_STATE_END; s++)
		for (unsigned e = 0; e < IKE_EV_SA_END; e++) {
			enum ike_sa_state to = ike_sa_next(s, e);

			if (to != IKE_SA_STATE_END)
				printf("\t\t%s -> %s [label=\"%s\"];\n",
				       ike_sa_state_name(s),
				       ike_sa_state_name(to),
				       ike_sa_event_name(e));
		}
	printf("\t}\n\tsubgraph cluster_child {\n\t\tlabel=\"child SA\";\n");
	for (unsigned s = 0; s < IKE_CHILD_STATE_END; s++)
		for (unsigned e = 0; e < IKE_EV_CHILD_END; e++) {
			enum ike_child_state to = ike_child_next(s, e);

			if (to != IKE_CHILD_STATE_END)
				printf("\t\tc_%s -> c_%s [label=\"%s\"];\n",
				       ike_child_state_name(s),
				       ike_child_state_name(to),
				       ike_child_event_name(e));
		}
	printf("\t}\n}\n");
}
