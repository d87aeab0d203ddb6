/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/bus_page.c - the manual page tapir-bus(7): what is said here, and the rows
 * of the tables of daemon/bus.
 */
#include "cli/cli.h"
#include "daemon/bus/bus.h"

static const char head[] =
    ".\\\" SPDX-License-Identifier: Apache-2.0\n"
    ".\\\" Written by: tapir help --bus\n"
    ".Dd November 21, 2026\n"
    ".Dt TAPIR-BUS 7\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm tapir-bus\n"
    ".Nd commands and events of tapird over HTTP\n"
    ".Sh DESCRIPTION\n"
    ".Xr tapir-web 8\n"
    "speaks HTTP/1.1 on the address of <web listen> and on the Unix socket\n"
    ".Pa RUN/bus.sock .\n"
    ".Bl -tag -width Ds\n"
    ".It POST /bus/open\n"
    "Open a session: 201 with its\n"
    ".Cm id .\n"
    ".It PUT /bus/write/ID\n"
    "One command: 202; what it finds comes as results with the same\n"
    ".Cm tag ,\n"
    "the last one done or failed.\n"
    ".It GET /bus/read/ID?after=N\n"
    "Held until something happens, 25 seconds at most; answers a batch.\n"
    ".Cm after\n"
    "says which item was received last (the\n"
    ".Cm last\n"
    "of the batch before, 0 at first); what was not acknowledged comes again.\n"
    "A second read answers the first with 409.\n"
    ".It DELETE /bus/close/ID\n"
    "End the session: 204.\n"
    "A session that is not read for two minutes ends by itself.\n"
    ".It POST /login\n"
    "Keys\n"
    ".Cm link ,\n"
    "or\n"
    ".Cm user , password\n"
    "and perhaps\n"
    ".Cm code\n"
    "(RFC 6238): 200 with a\n"
    ".Cm token .\n"
    ".It GET /login\n"
    "Who am I: user, role, and whether it was proved within 5 minutes.\n"
    ".It PUT /login\n"
    "Prove it again by\n"
    ".Cm password\n"
    "and perhaps\n"
    ".Cm code ,\n"
    "or by a new\n"
    ".Cm link .\n"
    "What is 403 with the code ERR_PROOF wants this, every 5 minutes.\n"
    ".It DELETE /login\n"
    "Log out; the sessions end.\n"
    ".It GET /metrics\n"
    "What\n"
    ".Ql tapir metrics\n"
    "prints, for Prometheus; at most one second old.\n"
    ".It POST /capture\n"
    "The command\n"
    ".Cm capture ,\n"
    "answered by a stream of pcapng until\n"
    ".Cm left_s\n"
    "(60; 900 at most) or\n"
    ".Cm n_bytes\n"
    "are over, or the client leaves.\n"
    "What is inside of tunnels is for admins, an operator gets esp and ike; never keys.\n"
    "409: somebody else captures.\n"
    ".El\n"
    ".Pp\n"
    "Each request but POST /login has the field\n"
    ".Ql Authorization: Bearer TOKEN ;\n"
    "scripts, that is requests without Origin and Sec\\-Fetch\\-Site, may send Basic\n"
    "credentials (RFC 7617) instead.\n"
    "The Unix socket needs neither.\n"
    ".Ss Forms\n"
    "XML, unless\n"
    ".Ql Accept: application/json\n"
    "asks for JSON; commands as their\n"
    ".Ql Content-Type\n"
    "says.\n"
    "Both are one tree: an object of JSON is an element of XML with the same keys.\n"
    ".Bd -literal -offset indent\n"
    "<command command=\"up\" tag=\"7\" realm=\"branches\" peer=\"osaka\"/>\n"
    "{\"command\":\"up\",\"tag\":7,\"realm\":\"branches\",\"peer\":\"osaka\"}\n"
    "\n"
    "<batch after=\"3\" last=\"5\">\n"
    "  <event n=\"4\" event=\"peer\\-up\" seq=\"41\" time_ms=\"...\"\n"
    "   severity=\"notice\" sentence=\"...\" realm=\"branches\" .../>\n"
    "  <result n=\"5\" tag=\"7\" result=\"done\" code=\"\" text=\"1 peer\"/>\n"
    "</batch>\n"
    "{\"after\":3,\"last\":5,\"items\":[{\"n\":4,\"event\":\"peer\\-up\",...},\n"
    " {\"n\":5,\"tag\":7,\"result\":\"done\",\"code\":\"\",\"text\":\"1 peer\"}]}\n"
    ".Ed\n"
    ".Pp\n"
    "An event has, besides its fields, its number\n"
    ".Cm seq ,\n"
    "which rises without gaps,\n"
    ".Cm time_ms\n"
    "(milliseconds since 1970, UTC),\n"
    ".Cm severity\n"
    "and a\n"
    ".Cm sentence .\n"
    "An error is\n"
    ".Ql <error code= text= hint=/> .\n"
    ".Ss What comes without asking\n"
    "Every event since the session was opened.\n"
    "Every realm and peer, as a result without a tag: all of them at first, then each when\n"
    "it changes, at most once a second; fields that only count seconds are not news for 10\n"
    "seconds.\n"
    "A slow reader gets the latest values, not each of them.\n"
    ".Pp\n"
    ".Ql <resync/>\n"
    ".Pq Ql {\"n\":8,\"resync\":true}\n"
    "means: forget what you know, it may have gaps; realms and peers follow.\n"
    "It comes when more than 8192 items wait, when\n"
    ".Xr tapird 8\n"
    "was started again, and when a realm or peer is gone.\n"
    ".Ss Limits\n"
    "64 sessions (<web sessions>), 32 of one login; 16 commands of a session under way, 20 a\n"
    "second; 512 items in a batch; heads of 16 KiB, commands of 8 KiB.\n"
    "Beyond them 429 or 503 is answered.\n";
static const char foot[] =
    ".Sh SEE ALSO\n"
    ".Xr tapir 1 ,\n"
    ".Xr tapir-web 8 ,\n"
    ".Xr tapird 8\n";

static const char *const roles[] = {
	[BUS_RIGHT_VIEW] = "viewer",
	[BUS_RIGHT_OPERATE] = "operator",
	[BUS_RIGHT_ADMIN] = "admin",
};
static const char *const kinds[] = {
	[BUS_KIND_U64] = "number",
	[BUS_KIND_I64] = "number, may be negative",
	[BUS_KIND_STR] = "text",
	[BUS_KIND_BOOL] = "true or false",
};

/* Text in which nothing means something to mandoc. */
static void
put(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
	}
}

static void
put_fields(FILE *out, const struct bus_desc *d)
{
	fputs(d->n_field > 0 ? ".br\nFields: " : ".br\nNo fields", out);
	for (unsigned i = 0; i < d->n_field; i++) {
		fputs(i > 0 ? ", " : "", out);
		put(out, bus_field_key(d->field[i]));
	}
	fputs(".\n", out);
}

static void
put_class(FILE *out, enum bus_class class, const char *title)
{
	const struct bus_desc *d;
	unsigned it = 0;

	fprintf(out, ".Sh %s\n.Bl -tag -width Ds\n", title);
	while ((d = bus_desc_next(class, &it)) != NULL) {
		fputs(".It Cm ", out);
		put(out, d->name);
		fputc('\n', out);
		if (class == BUS_COMMAND)
			fprintf(out, "Role: %s.\n", roles[d->right]);
		if (class == BUS_EVENT) {
			fputs("\\&", out);
			put(out, d->sentence);
			fprintf(out, " (%s)\n", log_level_name(d->severity));
		}
		put_fields(out, d);
	}
	fputs(".El\n", out);
}

void
cli_bus_page(FILE *out)
{
	fputs(head, out);
	put_class(out, BUS_COMMAND, "COMMANDS");
	put_class(out, BUS_RESULT, "RESULTS");
	put_class(out, BUS_EVENT, "EVENTS");
	fputs(".Sh FIELDS\n.Bl -tag -compact -width Ds\n", out);
	for (int f = 0; f < BUS_F_END; f++) {
		fputs(".It Cm ", out);
		put(out, bus_field_key((enum bus_field)f));
		fprintf(out, "\n%s\n", kinds[bus_field_kind((enum bus_field)f)]);
	}
	fputs(".El\n", out);
	fputs(foot, out);
}
