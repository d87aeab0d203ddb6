/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/table.c - the tables expanded from conf.def, and how they are asked.
 *
 * Thread: any; nothing here changes.
 */
#include "conf/tree.h"
#include <string.h>
#include "daemon/base/str.h"

#define IN(scope_) (1u << CONF_IN_##scope_)

const struct conf_elem conf_elems[CONF_IN_END] = {
#define CONF_ELEM(scope_, name_, parents_, max_, needs_, help_)                \
	[CONF_IN_##scope_] = {name_, parents_, max_, needs_, help_},
#define CONF_OPT(...)
#define CONF_LATER(...)
#define CONF_LATER_WORD(...)
#include "conf/conf.def"
};

/* Of each scope: the struct with its fields, and the element's name. */
#define T_VPN	struct conf
#define T_LOG	struct conf_log
#define T_REALM struct conf_realm
#define T_ME	struct conf_me
#define T_PEER	struct conf_peer
#define T_EAP	struct conf_eap
#define T_NET	struct conf_net_text
#define T_MATCH struct conf_match_text
#define T_STATIC struct conf_static
#define T_WEB	struct conf_web
#define T_POOL	struct conf_pool
#define T_LEASE struct conf_lease
#define N_VPN	"vpn"
#define N_LOG	"log"
#define N_REALM "realm"
#define N_ME	"me"
#define N_PEER	"peer"
#define N_EAP	"eap"
#define N_NET	"net"
#define N_MATCH "match"
#define N_STATIC "static"
#define N_WEB	"web"
#define N_POOL	"pool"
#define N_LEASE "lease"

/* What each kind is called. */
#define TYPE_K_VERSION "number"
#define TYPE_K_UINT   "number"
#define TYPE_K_UINT0  "number"
#define TYPE_K_COUNT  "number or word"
#define TYPE_K_ENUM   "word"
#define TYPE_K_BOOL   "word"
#define TYPE_K_NAME   "name"
#define TYPE_K_IFNAME "interface"
#define TYPE_K_ID     "identity"
#define TYPE_K_HOST   "host"
#define TYPE_K_FILE   "file"
#define TYPE_K_CERT   "file"
#define TYPE_K_PUB    "file"
#define TYPE_K_KEY    "file"
#define TYPE_K_FILES  "files"
#define TYPE_K_URLS   "URLs"
#define TYPE_K_DN     "name"
#define TYPE_K_ADDRS  "addresses"
#define TYPE_K_TSS    "networks"
#define TYPE_K_CPUS   "numbers"
#define TYPE_K_VLANS  "numbers"
#define TYPE_K_PATH   "path"
#define TYPE_K_WORDS  "words"
#define TYPE_K_MAC    "address"
#define TYPE_K_LISTEN "address"
#define TYPE_K_HOSTS  "names"
#define TYPE_K_NETS   "networks"
#define TYPE_K_IPS    "addresses"
#define TYPE_K_NAMES  "names"
#define TYPE_K_RESOLVERS "resolvers"
#define TYPE_K_SERVERS "servers"

const struct conf_row conf_rows[] = {
#define CONF_ELEM(...)
#define CONF_OPT(scope_, name_, field_, kind_, lo_, hi_, unit_, def_, words_,  \
		 reload_, help_)                                               \
	{CONF_IN_##scope_, kind_, offsetof(T_##scope_, field_),                \
	 {N_##scope_, name_, TYPE_##kind_, words_, lo_, hi_, unit_, def_,      \
	  reload_, NULL, help_, kind_ == K_UINT0}},
#define CONF_LATER(scope_, name_, needs_, help_)                               \
	{CONF_IN_##scope_, K_LATER, 0,                                         \
	 {N_##scope_, name_, "text", "", 0, 0, "", "", CONF_RESTARTS, needs_,    \
	  help_, false}},
#define CONF_LATER_WORD(...)
#include "conf/conf.def"
};
const unsigned conf_n_rows = N_OF(conf_rows);

static const struct later_word {
	enum conf_scope scope;
	const char *name, *word, *needs;
} later_words[] = {
#define CONF_ELEM(...)
#define CONF_OPT(...)
#define CONF_LATER(...)
#define CONF_LATER_WORD(scope_, name_, word_, needs_)                          \
	{CONF_IN_##scope_, name_, word_, needs_},
#include "conf/conf.def"
	{CONF_IN_END, "", "", NULL},	/* there may be none */
};

const char *
conf_word_needs(const struct conf_row *row, const char *word)
{
	for (unsigned i = 0; i < N_OF(later_words); i++)
		if (later_words[i].scope == row->scope &&
		    strcmp(later_words[i].name, row->opt.name) == 0 &&
		    strcmp(later_words[i].word, word) == 0)
			return later_words[i].needs;
	return NULL;
}

bool
conf_word_at(const char *words, unsigned i, char *out, size_t cap)
{
	size_t n;

	for (;;) {
		words += strspn(words, " ");
		if (*words == '\0')
			return false;
		n = strcspn(words, " ");
		if (i-- == 0)
			break;
		words += n;
	}
	if (n >= cap)
		n = cap - 1;
	memcpy(out, words, n);
	out[n] = '\0';
	return true;
}

const char *
conf_rule_name(enum conf_rule r)
{
	static const char *const name[] = {
		[CONF_RULE_DESTINATION] = "destination",
		[CONF_RULE_SPI] = "spi",
		[CONF_RULE_PEER] = "peer",
		[CONF_RULE_REALM] = "realm",
		[CONF_RULE_ROUND_ROBIN] = "round-robin",
		[CONF_RULE_QUEUE] = "queue",
	};

	return (unsigned)r < N_OF(name) ? name[r] : "?";
}

void
conf_xml_put(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			fputs("&amp;", f);
		else if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '>')
			fputs("&gt;", f);
		else if (*text == '"')
			fputs("&quot;", f);
		else if ((unsigned char)*text < ' ')
			fprintf(f, "&#%u;", (unsigned)(unsigned char)*text);
		else
			fputc(*text, f);
	}
}

const struct conf_opt *
conf_opt_at(unsigned i)
{
	return i < conf_n_rows ? &conf_rows[i].opt : NULL;
}

const struct conf_elem *
conf_elem_at(unsigned i)
{
	return i < CONF_IN_END ? &conf_elems[i] : NULL;
}

static const struct {
	const char *name, *help;
} codes[CONF_E_END] = {
#define CONF_CODE(name_, code_, help_) [CONF_E_##name_] = {code_, help_},
#include "conf/code.def"
};

const char *
conf_code_name(enum conf_code c)
{
	return (unsigned)c < N_OF(codes) ? codes[c].name : "?";
}

const char *
conf_code_help(enum conf_code c)
{
	return (unsigned)c < N_OF(codes) ? codes[c].help : "";
}
