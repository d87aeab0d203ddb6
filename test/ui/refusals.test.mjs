// SPDX-License-Identifier: Apache-2.0
// What the gateway refuses has words in Japanese: the texts are those of its sources.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inJapanese, refusals } from "../../webui/www/lang/refusals_ja.js";

const root = new URL("../../", import.meta.url);
const core = ["cap", "ctl", "reload", "scribe", "wire_ctl", "wire_drain", "wire_match", "wire_ping", "wire_why"].map((f) => `daemon/core/${f}.c`);
const web = ["app", "app_bus", "app_capture", "app_desk", "app_edit", "app_login", "app_typed"].map((f) => `webui/${f}.c`);
const desk = ["cmd_ca", "cmd_invite", "cmd_user", "web_user", "word", "desk/desk", "invite/issue"].map((f) => `cli/${f}.c`);

/** A function that refuses, in which files, and which of its arguments are read by people. @type {[string, string[], number[]][]} */
const sayers = [
	["cli_fail", desk, [3, 4]], ["fits", ["cli/desk/words.c"], [4]], ["fail", ["cli/ca/ca_store.c"], [2]],
	["failed", ["cli/ca/ca_x509.c"], [1]], ["snprintf", ["cli/ca/ca_x509.c", "cli/cert_facts.c"], [2]],
	["fail", ["cli/invite/profile.c"], [3]], ["ctl_failed", core, [3, 4]], ["failed", ["daemon/core/super_desk.c"], [3]],
	["failed", ["daemon/core/super_file.c"], [2, 3]], ["ui_call_fail", web, [3, 4]],
	["refuse", ["webui/app_edit.c", "webui/app_capture.c"], [3, 4]], ["wrong", ["webui/app_login.c"], [1, 2]],
];

/** Of command lines which the desk does not write, and of requests which no page of ours sends. */
const unseen = new Set([
	"--link HOST:PORT: where others reach this machine", "--name and --lan are for a first configuration, and %s is there",
	"--net is too long", "--realm R", "\"%s\" cannot be the name of a file; give -o FILE", "at most %s networks",
	"?after=0 at first, then the last= of the batch", "Content-Type: application/xml or application/json",
	"GET /desk?what=users&realm=sales", "If-Match: with the ETag of GET /conf", "after must be a number",
	"ca list wants no name", "ca revoke wants the name or serial of a certificate", "ca wants one of its words",
	"dry is 1, or not there", "either --link or -o", "invite wants a name", "tapir help invite", "tapir help user", "tapir help web",
	"tapir-bus(7) has the form", "tapir-bus(7) lists the commands and their fields", "the body is neither XML nor JSON",
	"the body is not one element of XML with attributes", "the body is not one flat object of JSON",
	"usage: tapir ca init|issue|list|revoke|renew|export ...", "user wants add, del or passwd with REALM NAME, or list [REALM]",
	"web user: add, set or del NAME, or list", "what is accounts, users or certs", "which text is it to take the place of?",
	"kind= is for keys and devices", "remote= is for invite", "role= is for accounts", "url= is for ca-init",
	"these two are not the same", "no keys by the web interface", "run tapir capture on the machine",
	"keys are not given over HTTP", "run tapir capture --keys on the machine itself", "keys are handed out for one peer",
	"name it with --peer", "the keys go to a file already (--key-log)", "this is not for the supervisor",
	"the desk does no such thing", "POST /login with a link of tapir web, then send the token",
	"events come by themselves", "read them", "its answer is no record", "POST /capture, GET and PUT /conf",
	"after is more than was ever sent", "begin with 0, or open a new session",
	"there is nothing behind this link", "a link works once, and for ten minutes; let them make another one",
	// what the fields of a page do not let through
	"there is no such kind of packets", "clear, esp, ike, dropped", "--type is p256, p384 or ed25519",
	"--as is tapir, apple, windows or android", "--role is admin, operator or viewer",
	"realm= is for users and invite, and wanted there", "name= is for what has one, and wanted there",
	"password= is for what has one, and wanted there", "that is too long to wait for a confirmation",
	"at most a day: 86400", "what is to become of peers?", "another gateway, end or keep",
	"link, or user and password, are wanted", "password, or a link, is wanted", "not a network", "too many networks",
	"into which realm? there are %s", "several peers are called so", "name one as REALM/PEER",
	"this means more than one peer", "say which: REALM/PEER", "not a command of this version",
	"use the tapir command that came with this tapird", "end some of them", "too many clients at the same time",
	"this is no name of a file", "the configuration has no such file", "conf-files lists them",
	"the export cannot be made",
	"%.*s.key", "%.*s.pem", "%s.key", "%s.pem",
]);

/** The arguments of each call. @param {string} text @param {string} name */
function* calls(text, name) {
	for (const m of text.matchAll(new RegExp(`\\b${name}\\(`, "g"))) {
		const args = [""];
		let depth = 1, isText = false;
		for (let i = m.index + m[0].length; depth > 0; i++) {
			const c = text[i];
			if (isText && c === "\\") args[args.length - 1] += text[i++];
			else if (c === "\"") isText = !isText;
			else if (!isText && c === "(") depth++;
			else if (!isText && c === ")") depth--;
			if (!isText && depth === 1 && c === ",") args.push("");
			else args[args.length - 1] += text[i];
		}
		yield args;
	}
}

/** Texts, each put together, a value in it %s. @param {string} code @returns {string[]} */
const texts = (code) => [...code.matchAll(/(?:"(?:[^"\\]|\\.)*"\s*)+/g)].map((m) =>
	[...m[0].matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((part) => part[1]).join("").replace(/\\(.)/g, "$1")
		.replace(/%(?:\.\d+)?(?:[sdu]|zu)/g, "%s"));

/** A source, what its #define of texts stand for put in. @param {string} file */
function source(file) {
	let code = readFileSync(new URL(file, root), "utf8");
	for (const [, name, text] of code.matchAll(/^#define (\w+)\s+("(?:[^"\\]|\\.)*")/gm))
		code = code.replace(new RegExp(`(?<!#define )\\b${name}\\b`, "g"), () => text);
	return code;
}

/** Nothing but values. @param {string} text */
const isBare = (text) => !/[a-z]/.test(text.replaceAll("%s", ""));

/** @type {Map<string, string>} each text, and the file it is of */
const said = new Map();
for (const [name, files, at] of sayers)
	for (const file of files)
		for (const args of calls(source(file), name))
			for (const i of at)
				for (const text of texts(args[i] ?? "")) said.set(text, file);
// what is said otherwise: of a table, of a variable
for (const [file, pattern] of /** @type {[string, RegExp][]} */ ([
	["daemon/base/err.def", /ERR\(\w+,\s*("[^"]*")/g], ["webui/app_bus.c", /\{ ERR_\w+, \d+, ((?:"[^"]*"\s*,?\s*)+)\}/g],
	["cli/desk/words.c", /why = ("[^;]*);/g], ["webui/app_login.c", /"(?:text|hint)", ("[^"]*")/g]]))
	for (const m of readFileSync(new URL(file, root), "utf8").matchAll(pattern))
		for (const text of m[1].split(/"\s*,\s*"/).flatMap((part) => texts(`"${part.replace(/^"|"\s*$/g, "")}"`))) said.set(text, file);

// errors that nobody refuses a deed of a page with: they are of packets and messages
const ofPackets = /^(bytes left|message or field|malformed|algorithm|not an address|internal|integrity|sequence number|bad padding|version not|unknown critical|payload missing|no proposal|key exchange|no traffic|wrong credentials|message not permitted)/;

test("every refusal that a page can show has words in Japanese", () => {
	assert.ok(said.size > 200, `only ${said.size} were found`);
	const without = [...said].filter(([text]) => !isBare(text) && !unseen.has(text) && !ofPackets.test(text) && !(text in refusals));
	assert.deepEqual(without.map(([text, file]) => `${file}: ${text}`), [], "these lack in lang/refusals_ja.js");
});

test("values are those of the English text", () => {
	for (const [en, ja] of Object.entries(refusals)) {
		const n = en.split("%s").length - 1;
		for (const [, i] of ja.matchAll(/\{(\d)\}/g)) assert.ok(Number(i) >= 1 && Number(i) <= n, en);
		assert.match(ja, /[ぁ-んァ-ヶ一-龠]/, en);
	}
});

test("values go where they belong; an error inside of another is translated, too", () => {
	assert.equal(inJapanese("out of memory"), "メモリーが足りません");
	assert.equal(inJapanese("hanako would not get into realm sales"), "hanako はレルム sales に入れません");
	assert.equal(inJapanese("cannot write /etc/tapir/keys/a.psk: No space left on device"),
		"/etc/tapir/keys/a.psk に書き込めません: 空き容量がありません");
	assert.equal(inJapanese("/etc/tapir/tapir.xml: out of memory"), "/etc/tapir/tapir.xml: メモリーが足りません");
	assert.equal(inJapanese("there is no peer x in realm y"), "レルム y にピア x はありません");
});

test("what is not known stays as it is, whatever is in it", () => {
	for (const text of ["", "quite another thing", "<b>(.*)$1{1}</b>", ": : :"]) assert.equal(inJapanese(text), text);
});
