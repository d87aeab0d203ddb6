/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/graph.c - the tables of the engine as drawings (graphviz dot).
 *
 * Both go through the tables' public faces, over everything that could be a
 * row, so a row cannot be missing.  A step is called what the linker calls its
 * function (the simulator is linked with -rdynamic), so a name cannot be wrong.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "ikev2/path.h"
#include "test/sim/world.h"

#define N_XCHG 256
#define N_ROWS 128
#define PREFIX "ike_step_"

/* ---- states --------------------------------------------------------------- */

#define LEGEND_STATES                                                          \
	"box: a state\\larrow: an event, a row of ikev2/state.c\\l"            \
	"an event without an arrow is refused\\l"

static void
draw_sa_states(void)
{
	printf("\tsubgraph cluster_sa {\n\t\tlabel=\"IKE SA\";\n");
	for (unsigned s = 0; s < IKE_SA_STATE_END; s++)
		for (unsigned e = 0; e < IKE_EV_SA_END; e++) {
			enum ike_sa_state to = ike_sa_next(s, e);

			if (to != IKE_SA_STATE_END)
				printf("\t\t%s -> %s [label=\"%s\"];\n",
				       ike_sa_state_name(s),
				       ike_sa_state_name(to),
				       ike_sa_event_name(e));
		}
	printf("\t}\n");
}

static void
draw_child_states(void)
{
	printf("\tsubgraph cluster_child {\n\t\tlabel=\"child SA\";\n");
	for (unsigned s = 0; s < IKE_CHILD_STATE_END; s++)
		printf("\t\tc_%s [label=\"%s\"];\n", ike_child_state_name(s),
		       ike_child_state_name(s));
	for (unsigned s = 0; s < IKE_CHILD_STATE_END; s++)
		for (unsigned e = 0; e < IKE_EV_CHILD_END; e++) {
			enum ike_child_state to = ike_child_next(s, e);

			if (to != IKE_CHILD_STATE_END)
				printf("\t\tc_%s -> c_%s [label=\"%s\"];\n",
				       ike_child_state_name(s),
				       ike_child_state_name(to),
				       ike_child_event_name(e));
		}
	printf("\t}\n");
}

void
sim_graph_states(void)
{
	printf("digraph states {\n\trankdir=LR;\n\tnode [shape=box];\n");
	draw_sa_states();
	draw_child_states();
	printf("\tlegend [shape=note, label=\"" LEGEND_STATES "\"];\n}\n");
}

/* ---- paths ---------------------------------------------------------------- */

#define LEGEND_PATHS                                                           \
	"white box: a message that arrives, in these states of its SA\\l"      \
	"grey box: the steps it goes through, from top to bottom\\l"           \
	"a step may end the message, refuse it, or park it until an\\l"        \
	"answer is there (V_DONE, V_FAIL, V_WAIT in ikev2/path.h)\\l"          \
	"a message without a box here is dropped\\l"

struct row {
	uint8_t xchg;
	bool is_response;
	enum ike_form form;
	unsigned states;
	ike_step_fn *const *path;
};

/* The rows of ikev2/path.c, as it answers for them. */
static unsigned
collect(struct row *row)
{
	unsigned n = 0;

	for (unsigned x = 0; x < N_XCHG; x++)
		for (unsigned f = 0; f < IKE_FORM_END; f++)
			for (unsigned i = 0; i < 2 * IKE_SA_STATE_END; i++) {
				bool is_rsp = i >= IKE_SA_STATE_END;
				unsigned s = i % IKE_SA_STATE_END;
				ike_step_fn *const *p = ike_path_find(
				    (uint8_t)x, is_rsp, f, s);

				if (p == NULL)
					continue;
				if (n > 0 && row[n - 1].xchg == x &&
				    row[n - 1].form == f &&
				    row[n - 1].path == p &&
				    row[n - 1].is_response == is_rsp) {
					row[n - 1].states |= 1u << s;
					continue;
				}
				if (n == N_ROWS)
					return n;
				row[n++] = (struct row){ (uint8_t)x, is_rsp, f,
				    1u << s, p };
			}
	return n;
}

static const char *
step_name(ike_step_fn *fn)
{
	Dl_info info;
	void *at;

	memcpy(&at, &fn, sizeof(at));
	if (dladdr(at, &info) == 0 || info.dli_sname == NULL)
		return "?";
	if (strncmp(info.dli_sname, PREFIX, strlen(PREFIX)) == 0)
		return info.dli_sname + strlen(PREFIX);
	return info.dli_sname;
}

/* Who receives it: states of one side only tell. */
static const char *
role_of(const struct row *r)
{
	unsigned i = 1u << IKE_SA_INIT_I | 1u << IKE_SA_AUTH_I;
	unsigned o = 1u << IKE_SA_NONE | 1u << IKE_SA_INIT_R |
	    1u << IKE_SA_AUTH_R;

	return (r->states & ~i) == 0 ? "the initiator" :
	    (r->states & ~o) == 0 ? "the responder" : "either end";
}

static void
draw_message(unsigned n, const struct row *r, unsigned list)
{
	printf("\t\tm%u [label=\"%s: %s\\nat %s\\nin", n,
	       r->is_response ? "response" : "request",
	       ike_form_name(r->form), role_of(r));
	for (unsigned s = 0; s < IKE_SA_STATE_END; s++)
		if ((r->states >> s & 1) != 0)
			printf(" %s", ike_sa_state_name(s));
	printf("\"];\n\t\tm%u -> p%u;\n", n, list);
}

static void
draw_list(unsigned n, ike_step_fn *const *path)
{
	printf("\t\tp%u [style=filled, fillcolor=gray90, label=\"", n);
	for (; *path != NULL; path++)
		printf("%s\\n", step_name(*path));
	printf("\"];\n");
}

/* A list that several messages of an exchange share is drawn once, with the
 * first of them. */
static unsigned
list_of(const struct row *row, unsigned i)
{
	unsigned first = i;

	for (unsigned k = i; k > 0; k--)
		if (row[k - 1].path == row[i].path &&
		    row[k - 1].xchg == row[i].xchg)
			first = k - 1;
	return first;
}

void
sim_graph_paths(void)
{
	static struct row row[N_ROWS];
	char name[IKE_WORD_MAX];
	unsigned n = collect(row);

	printf("digraph paths {\n\trankdir=LR;\n\tnode [shape=box];\n");
	for (unsigned i = 0; i < n; i++) {
		if (i == 0 || row[i].xchg != row[i - 1].xchg)
			printf("\tsubgraph cluster_%u {\n\t\tlabel=\"%s\";\n",
			       row[i].xchg,
			       ike_name(IKE_SET_XCHG, row[i].xchg, name));
		if (list_of(row, i) == i)
			draw_list(i, row[i].path);
		draw_message(i, &row[i], list_of(row, i));
		if (i + 1 == n || row[i + 1].xchg != row[i].xchg)
			printf("\t}\n");
	}
	printf("\tlegend [shape=note, label=\"" LEGEND_PATHS "\"];\n}\n");
}
