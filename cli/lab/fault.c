/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/fault.c - what a lab can be broken by.
 *
 * A fault is a row: what the two configurations say otherwise, filters, `ip`
 * commands, and where tapir why names it.
 */
#include "cli/lab/fault.h"
#include "daemon/base/base.h"

#define DROP(what_)                                                            \
	"table inet lab {\n  chain in {\n    type filter hook input priority 0;\n" \
	"    " what_ "\n  }\n}\n"
/* ESP in UDP: behind the UDP header there are no four zero bytes. */
#define NO_ESP "udp sport 4500 @th,64,32 != 0 drop"
/* What arrives of it, before the stack looks at it; dup would else see its own. */
#define ESP_IN(family_, what_)                                                 \
	"table " family_ " lab {\n  chain in {\n    type filter hook prerouting " \
	"priority -300\n    iifname wan0 udp sport 4500 @th,64,32 != 0 " what_    \
	"\n  }\n}\n"

#define AT_A(code_) .node = "gw-a", .peer = "osaka", .code = (code_)
#define AT_B(code_) .node = "gw-b", .peer = "tokyo", .code = (code_)
#define CERT(name_, line_, code_, cert_)                                       \
	{ .info = { .name = (name_), .line = (line_), AT_A(code_),             \
		    .there = "refused-cert" },                                 \
	  .cert = (cert_), .never = LAB_STRONGSWAN }

/* gw-a is a user of gw-b, with a password of its own choice. */
#define EAP(name_, line_, at_code_, ...)                                       \
	{ .info = { .name = (name_), .line = (line_), at_code_ },              \
	  .cert = LAB_CERT_GOOD, .never = LAB_STRONGSWAN | TOPO_IP, __VA_ARGS__ }
/* The same, and gw-a looks at gw-b's proof otherwise. */
#define PROOF(name_, line_, code_, cert_, trust_, ...)                         \
	{ .info = { .name = (name_), .line = (line_), AT_A(code_),             \
		    .there = "refused-cert" },                                 \
	  .cert = (cert_), .never = LAB_STRONGSWAN,                            \
	  .a = { .trust = (trust_), __VA_ARGS__ } }
/* Of a key nobody has. */
#define A_PUBLIC_KEY                                                           \
	"-----BEGIN PUBLIC KEY-----\n"                                         \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdXaEbt1KZuHWA7Mn8hb8I12p3R3U\n"  \
	"nA6ByOemDyu6n21XcUrI+XnqANj4FmIK2wXrzOYYw2JWM54ok+rnSxaLOw==\n"      \
	"-----END PUBLIC KEY-----\n"
#define USER(name_)                                                            \
	.a = { .me = "", .own = "eap=\"" name_ "@example.com\"",               \
	       .file = "keys/" name_ "@example.com.eap", .text = "wrong\n" }
/* The hash is that of "a pass phrase". */
#define USERS(name_)                                                           \
	.b = { .trust = "", .peer = "id=\"hanako@example.com\" "               \
	       "name=\"tokyo\"", .more = "    <eap users=\"branches.users\"/>\n", \
	       .file = "keys/branches.users", .text = name_                    \
	       "@example.com:nt:f64b56fd909abe870184896c287b74fe\n" }

const struct fault lab_faults[] = {
	{ .info = { .name = "psk", .line = "the pre-shared keys differ",
		    AT_B("psk-wrong") ,
		    .there = "refused-psk" }, .never = LAB_STRONGSWAN,
	  .b = { .psk = "another key than the one of gw-a" } },
	{ .info = { .name = "identity", .line = "gw-b knows no tokyo",
		    AT_B("identity-unknown") ,
		    .there = "refused-psk" }, .never = LAB_STRONGSWAN,
	  .b = { .peer = "id=\"kyoto\" name=\"tokyo\"" } },
	{ .info = { .name = "method",
		    .line = "gw-b wants a certificate, gw-a has a key",
		    AT_B("method-differs") ,
		    .there = "refused-psk" }, .never = LAB_STRONGSWAN,
	  .cert = LAB_CERT_GOOD, .a = { .own = "psk=\"branches.psk\"",
	  .trust = "" } },
	{ .info = { .name = "down", .line = "gw-b took its end down by command",
		    AT_B("down-by-command"), .there = "refused" },
	  .never = LAB_STRONGSWAN, .is_late = true,
	  .cmd_on = { "gw-b" }, .cmd = { "down branches/tokyo" } },
	{ .info = { .name = "down-here",
		    .line = "gw-a took its end down by command",
		    AT_A("down-by-command"), .there = "waiting" },
	  .never = LAB_STRONGSWAN, .is_late = true,
	  .cmd_on = { "gw-a" }, .cmd = { "down branches/osaka" } },
	{ .info = { .name = "secure",
		    .line = "gw-a's keys are gone, and its secure process",
		    AT_A("secure-lost") }, .is_late = true, .is_keyless = true },
	{ .info = { .name = "identity-ours",
		    .line = "gw-b calls itself kobe, and gw-a dials osaka",
		    AT_B("identity-ours"), .there = "refused-psk" },
	  .never = LAB_STRONGSWAN, .b = { .me = "id=\"kobe\"" } },
	{ .info = { .name = "eap-here",
		    .line = "gw-a wants to log in by EAP, which gw-b does not do",
		    AT_B("eap-here"), .there = "eap-refused" },
	  .never = LAB_STRONGSWAN | TOPO_IP, .cert = LAB_CERT_GOOD,
	  USER("hanako"), .b = { .peer = "id=\"hanako@example.com\" "
	  "name=\"tokyo\"" } },
	{ .info = { .name = "ppk",
		    .line = "gw-a mixes in a post-quantum key, gw-b has none",
		    AT_A("ppk") }, .never = LAB_STRONGSWAN,
	  .a = { .trust = "ppk=\"lab\"", .file = "keys/lab.ppk",
		 .text = "a key that gw-b does not have\n" } },
	{ .info = { .name = "cookies",
		    .line = "gw-b asks for cookies, and our address is another "
		    "one in each packet", AT_A("cookie-loop") },
	  .never = LAB_STRONGSWAN, .b = { .vpn = "cookie-threshold=\"0\"" },
	  .rules_on = "gw-b", .rules =
	  "table ip lab {\n  chain in {\n    type filter hook prerouting "
	  "priority -300\n    udp dport { 500, 4500 } ip saddr set numgen inc "
	  "mod 3 map { 0 : 192.0.2.101, 1 : 192.0.2.102, 2 : 192.0.2.103 }\n"
	  "  }\n  chain out {\n    type filter hook output "
	  "priority -300\n    udp sport { 500, 4500 } ip daddr set 192.0.2.1\n"
	  "  }\n}\n" },
	{ .info = { .name = "ports", .line = "UDP 500 and 4500 are filtered",
		    AT_A("no-answer") }, .rules_on = "gw-b",
	  .rules = DROP("udp dport { 500, 4500 } drop") },
	{ .info = { .name = "port500", .line = "UDP 500 is filtered",
		    AT_A("port-500-blocked"), .is_slow = true },
	  .rules_on = "gw-b", .rules = DROP("udp dport 500 drop") },
	{ .info = { .name = "port4500", .line = "UDP 4500 is filtered",
		    AT_A("port-4500-blocked") }, .rules_on = "gw-b",
	  .rules = DROP("udp dport 4500 drop") },
	{ .info = { .name = "closed", .line = "no daemon runs on gw-b",
		    AT_A("port-unreachable") }, .is_alone = true },
	{ .info = { .name = "unreachable",
		    .line = "a router says that gw-b cannot be reached",
		    AT_A("unreachable") }, .rules_on = "gw-b",
	  .rules = DROP("udp dport { 500, 4500 } reject with icmpx type "
			"host-unreachable") },
	{ .info = { .name = "resolve", .line = "the name of gw-b has no address",
		    AT_A("name-unresolved") },
	  .a = { .at = "osaka.invalid" } },
	{ .info = { .name = "route", .line = "gw-a has no route to gw-b",
		    AT_A("no-route") }, .never = TOPO_NAT,
	  .a = { .at = "198.18.0.1" } },
	{ .info = { .name = "ts", .line = "the networks of gw-b are others",
		    AT_B("ts-unacceptable") }, .need = TOPO_IP,
	  .never = LAB_STRONGSWAN,
	  .b = { .net = "local=\"10.9.0.0/24\" remote=\"10.1.0.0/24\"" } },
	{ .info = { .name = "mode", .line = "Ethernet on gw-a, IP on gw-b",
		    AT_A("mode-differs") }, .never = LAB_STRONGSWAN | TOPO_IP,
	  .a = { .realm = "bridge=\"br-lan\" mode=\"ether\"" },
	  .b = { .realm = "mode=\"ip\"",
		 .net = "local=\"10.9.0.0/24\" remote=\"10.8.0.0/24\"" } },
	{ .info = { .name = "pool", .line = "the pool of gw-b is empty",
		    AT_A("pool-empty"), .there = "pool-empty" },
	  .need = TOPO_IP, .never = LAB_STRONGSWAN,
	  .a = { .net = "local=\"dynamic\" remote=\"10.2.0.0/24\"" },
	  .b = { .realm = "mode=\"ip\" address=\"10.9.0.1/24\"", .net = "",
		 .more = "    <pool net=\"10.9.0.1/32\"/>\n" } },
	{ .info = { .name = "not-asked",
		    .line = "gw-b gives addresses, and gw-a does not ask for one",
		    AT_A("address-not-asked"), .there = "address-not-asked" },
	  .need = TOPO_IP, .never = LAB_STRONGSWAN,
	  .b = { .net = "", .more = "    <pool net=\"10.9.0.0/24\"/>\n" } },
	{ .info = { .name = "one-way", .line = "ESP does not come back to gw-a",
		    AT_A("one-way"), .is_slow = true }, .never = TOPO_IP,
	  .rules_on = "gw-a", .rules = DROP(NO_ESP), .has_ping = true },
	{ .info = { .name = "one-way-raw",
		    .line = "the same, with ESP that is not in UDP",
		    AT_A("one-way"), .is_slow = true },
	  .never = TOPO_IP | TOPO_NAT | LAB_STRONGSWAN, .has_ping = true,
	  .a = { .realm = "bridge=\"br-lan\" encap=\"esp\"" },
	  .b = { .realm = "bridge=\"br-lan\" encap=\"esp\"" },
	  .rules_on = "gw-a", .rules = "table ip lab {\n  chain in {\n    type "
	  "filter hook prerouting priority -300\n    ip protocol esp drop\n"
	  "  }\n}\n" },
	{ .info = { .name = "corrupt",
		    .line = "something changes bytes of what comes from gw-b",
		    AT_A("esp-integrity"), .is_slow = true }, .never = TOPO_IP,
	  .is_late = true, .has_ping = true, .rules_on = "gw-a",
	  .rules = ESP_IN("inet", "@th,224,32 set 0x5a5a5a5a") },
	{ .info = { .name = "repeat",
		    .line = "what comes from gw-b arrives twice",
		    AT_A("esp-replay"), .is_slow = true },
	  .never = TOPO_IP | TOPO_NAT, .is_late = true, .has_ping = true,
	  .rules_on = "gw-a", .rules = ESP_IN("ip", "dup to 192.0.2.1") },
	{ .info = { .name = "silent",
		    .line = "gw-b answers nothing any more",
		    AT_A("peer-silent"), .is_slow = true },
	  .never = LAB_STRONGSWAN | TOPO_IP, .is_late = true,
	  .a = { .realm = "bridge=\"br-lan\" dpd=\"1\" dead=\"60\"" },
	  .rules_on = "gw-b", .rules = DROP("udp dport { 500, 4500 } drop") },
	{ .info = { .name = "mtu", .line = "gw-a's mtu= is larger than fits",
		    AT_A("mtu-black-hole") }, .need = TOPO_IP,
	  .a = { .realm = "mode=\"ip\" mtu=\"1500\"" } },
	{ .info = { .name = "identity-twice",
		    .line = "a second machine says that it is tokyo",
		    AT_B("identity-twice"), .is_slow = true },
	  .never = LAB_STRONGSWAN | TOPO_NAT | TOPO_IP, .twin = 'a',
	  .ip_on = { "inet" }, .ip = { "addr add 192.0.2.3/24 dev br0" },
	  .undo_on = "inet", .undo = "addr del 192.0.2.3/24 dev br0" },
	{ .info = { .name = "redirected",
		    .line = "gw-b sends gw-a to another gateway of its name",
		    AT_A("redirected"), .there = "drained" },
	  .never = LAB_STRONGSWAN | TOPO_NAT | TOPO_IP, .twin = 'b',
	  .is_late = true, .a = { .trust = "redirect=\"yes\"" },
	  .ip_on = { "inet" }, .ip = { "addr add 192.0.2.3/24 dev br0" },
	  .undo_on = "inet", .undo = "addr del 192.0.2.3/24 dev br0",
	  .cmd_on = { "gw-b" }, .cmd = { "drain --to 192.0.2.3" } },
	{ .info = { .name = "redirect-failed",
		    .line = "gw-b sends gw-a to a gateway that does not answer",
		    AT_A("redirect-failed"), .there = "drained",
		    .is_slow = true },
	  .never = LAB_STRONGSWAN, .is_late = true,
	  .a = { .trust = "redirect=\"yes\"" },
	  .cmd_on = { "gw-a", "gw-b", "gw-a" },
	  .cmd = { "down branches/osaka", "drain --to 192.0.2.9",
		   "up branches/osaka" } },
	{ .info = { .name = "redirect-stays",
		    .line = "the same, and gw-a is connected at gw-b meanwhile",
		    AT_A("redirect-stays"), .is_slow = true },
	  .never = LAB_STRONGSWAN, .is_late = true,
	  .a = { .trust = "redirect=\"yes\"" },
	  .cmd_on = { "gw-b" }, .cmd = { "drain --to 192.0.2.9" } },
	{ .info = { .name = "ticket",
		    .line = "gw-b was killed, and does not know its tickets",
		    AT_A("ticket-refused"), .is_slow = true },
	  .never = LAB_STRONGSWAN | TOPO_IP, .is_late = true,
	  .is_killed = true, .has_ping = true },
	{ .info = { .name = "loop",
		    .line = "the two networks are joined by a wire as well",
		    AT_A("loop"), .is_slow = true }, .never = TOPO_IP,
	  .is_late = true, .has_ping = true,
	  /* so that it is gw-a that finds it */
	  .b = { .realm = "bridge=\"br-lan\" loop=\"off\"" },
	  .ip_on = { NULL, "gw-a", "gw-b" },
	  .ip = { "link add loop0 netns @gw-a type veth peer name loop0 "
		  "netns @gw-b", "link set loop0 master br-lan up",
		  "link set loop0 master br-lan up" },
	  .undo_on = "gw-a", .undo = "link del loop0" },
	{ .info = { .name = "mac-duplicate",
		    .line = "host-b has the MAC address of host-a",
		    AT_A("mac-duplicate"), .is_slow = true },
	  .never = TOPO_IP, .is_late = true, .has_ping = true,
	  .asks_nobody = true,	/* so that both are heard */
	  .ip_on = { "host-a", "host-b" },
	  .ip = { "link set eth0 address 02:00:00:00:00:66",
		  "link set eth0 address 02:00:00:00:00:66" },
	  .undo_on = "host-b", .undo = "link set eth0 address 02:00:00:00:00:67" },
	{ .info = { .name = "arp-silent",
		    .line = "host-a answers no ARP, as behind a hypervisor "
		    "that forbids it", AT_A("arp-silent"), .is_slow = true },
	  .never = TOPO_IP, .is_late = true, .has_ping = true,
	  .ip_on = { "host-a", "host-b" },
	  .ip = { "link set eth0 arp off", "neigh flush dev eth0" },
	  .undo_on = "host-a", .undo = "link set eth0 arp on" },
	{ .info = { .name = "mac-moving",
		    .line = "the same wire, and nobody looks for loops",
		    AT_A("mac-moving"), .is_slow = true }, .never = TOPO_IP,
	  .is_late = true, .has_ping = true,
	  .a = { .realm = "bridge=\"br-lan\" loop=\"off\" storm-broadcast=\"0\"" },
	  .b = { .realm = "bridge=\"br-lan\" loop=\"off\" storm-broadcast=\"0\"" },
	  .ip_on = { NULL, "gw-a", "gw-b" },
	  .ip = { "link add loop0 netns @gw-a type veth peer name loop0 "
		  "netns @gw-b", "link set loop0 master br-lan up",
		  "link set loop0 master br-lan up" },
	  .undo_on = "gw-a", .undo = "link del loop0",
	  /* what goes round shall leave something of the machine */
	  .rules_on = "gw-a", .rules = "table bridge lab {\n  chain f {\n"
	  "    type filter hook forward priority 0\n    iifname loop0 limit "
	  "rate over 400/second drop\n  }\n}\n" },
	{ .info = { .name = "no-mac",
		    .line = "no frame of gw-b's side gets into its tunnel",
		    AT_A("no-mac"), .is_slow = true }, .never = TOPO_IP,
	  .rules_on = "gw-b", .rules = "table bridge lab {\n  chain f {\n"
	  "    type filter hook forward priority 0; policy drop\n  }\n}\n"
	  "table inet lab {\n  chain out {\n    type filter hook output "
	  "priority 0\n    oifname { \"br-lan\", \"tap-branches\" } drop\n"
	  "  }\n}\n" },
	CERT("cert-unknown-ca", "gw-b's certificate is by a stranger",
	     "cert-unknown-ca", LAB_CERT_OTHER_CA),
	{ .info = { .name = "cert-expired",
		    .line = "gw-b's certificate has ended",
		    AT_A("cert-expired"), .there = "own-cert-expired" },
	  .cert = LAB_CERT_EXPIRED, .never = LAB_STRONGSWAN },
	CERT("cert-not-yet", "gw-b's certificate begins in a month",
	     "cert-not-yet", LAB_CERT_NOT_YET),
	CERT("cert-revoked", "gw-b's certificate was revoked", "cert-revoked",
	     LAB_CERT_REVOKED),
	CERT("cert-name", "gw-b's certificate has another name", "cert-name",
	     LAB_CERT_NAME),
	CERT("clock", "gw-b's clock is two hours ahead: its certificate begins "
	     "then", "clock-off", LAB_CERT_CLOCK),
	CERT("cert-usage", "gw-b's certificate is for signing programs",
	     "cert-usage", LAB_CERT_USAGE),
	PROOF("cert-unvouched", "gw-a has no list of what was revoked, and wants "
	      "one", "cert-unvouched", LAB_CERT_NO_LIST,
	      "ca=\"ca.pem\" revocation=\"strict\""),
	PROOF("cert-signature", "gw-b signs with another key than gw-a was told",
	      "cert-signature", LAB_CERT_GOOD, "pubkey=\"osaka.pub\"",
	      .file = "keys/osaka.pub", .text = A_PUBLIC_KEY),
	PROOF("key-other", "gw-b has another certificate than gw-a was told",
	      "key-other", LAB_CERT_GOOD, "cert=\"own.pem\""),
	{ .info = { .name = "cert-missing",
		    .line = "gw-b shows a key without a certificate",
		    AT_A("cert-missing"), .there = "refused-cert" },
	  .never = LAB_STRONGSWAN, .cert = LAB_CERT_GOOD,
	  .b = { .own = "key=\"own.key\"" } },
	{ .info = { .name = "big",
		    .line = "IP fragments are lost, and gw-b does not cut IKE "
		    "messages", AT_A("big-message-lost"), .is_slow = true },
	  .never = LAB_STRONGSWAN, .cert = LAB_CERT_LONG,
	  .b = { .vpn = "fragment=\"0\"" }, .rules_on = "gw-b",
	  .rules = "table ip lab {\n  chain in {\n    type filter hook "
	  "prerouting priority -450\n    ip frag-off & 0x3fff != 0 drop\n"
	  "  }\n}\n" },
	EAP("eap-password", "the password in gw-a is wrong",
	    AT_B("eap-password"), USER("hanako"), USERS("hanako")),
	EAP("eap-user", "gw-b does not have the user of gw-a",
	    AT_B("eap-user"), USER("hanako"), USERS("ken")),
	EAP("radius-silent", "nobody answers at the address of gw-b's RADIUS "
	    "server", AT_B("radius-silent"), .info.is_slow = true,
	    USER("hanako"), .b = { .trust = "",
	    .peer = "id=\"hanako@example.com\" name=\"tokyo\"",
	    .more = "    <eap method=\"radius\" at=\"192.0.2.250\" "
	    "secret=\"radius.secret\"/>\n",
	    .file = "keys/radius.secret",
	    .text = "a secret that nobody else has\n" }),
	EAP("eap-ask", "nobody has typed the password of gw-a",
	    AT_A("eap-ask"), .a = { .me = "", .own =
	    "eap=\"jiro@example.com\"" }, USERS("hanako")),
	EAP("eap-refused", "gw-a's certificate is not of the user it names",
	    AT_A("eap-refused"), .a = { .me = "", .own =
	    "eap=\"hanako@example.com\" cert=\"own.pem\"" },
	    .b = { .trust = "", .peer = "id=\"hanako@example.com\" "
	    "name=\"tokyo\"", .more = "    <eap method=\"tls\" "
	    "ca=\"ca.pem\"/>\n" }),
	{ .info = { .name = "proposal",
		    .line = "strongSwan has other IKE algorithms",
		    AT_A("no-proposal") }, .need = LAB_STRONGSWAN,
	  .swan = { .ike = "aes256-sha256-modp4096" } },
	{ .info = { .name = "group",
		    .line = "strongSwan has another key exchange group, and "
		    "says only that it refuses", AT_A("no-proposal") }, .need = LAB_STRONGSWAN,
	  .swan = { .ike = "aes256gcm16-prfsha384-modp4096" } },
	{ .info = { .name = "group-there",
		    .line = "strongSwan connects with another key exchange group",
		    AT_A("no-group") }, .need = LAB_STRONGSWAN,
	  .a = { .at = "" },
	  .swan = { .ike = "aes256gcm16-prfsha384-modp4096",
		    .is_dialling = true } },
	{ .info = { .name = "ip-mode",
		    .line = "gw-a would like Ethernet, strongSwan knows IP",
		    AT_A("ip-mode-instead") }, .need = LAB_STRONGSWAN,
	  .a = { .realm = "mode=\"auto\"" } },
	{ .info = { .name = "no-net",
		    .line = "the same, and gw-a has no networks for IP",
		    AT_A("no-net") }, .need = LAB_STRONGSWAN,
	  .a = { .realm = "mode=\"auto\"", .net = "" } },
	{ .info = { .name = "rekey",
		    .line = "strongSwan wants another group for new keys",
		    AT_A("rekey-refused") }, .need = LAB_STRONGSWAN,
	  .is_late = true, .swan = { .esp = "aes256gcm16-modp4096" },
	  .cmd_on = { "gw-a" }, .cmd = { "rekey branches/osaka child" } },
	{ .info = { .name = "esp-proposal",
		    .line = "strongSwan has other ESP algorithms",
		    AT_A("no-esp-proposal") }, .need = LAB_STRONGSWAN,
	  .swan = { .esp = "aes256-sha256" } },
	{ .info = { .name = "ts-there",
		    .line = "strongSwan has other networks",
		    AT_A("ts-unacceptable") }, .need = LAB_STRONGSWAN,
	  .swan = { .ts = "10.9.0.0/24" } },
};

const unsigned lab_n_fault = N_OF(lab_faults);
