// SPDX-License-Identifier: Apache-2.0
// Why a peer is down, in Japanese: of what the sources say.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { downs, held } from "../../webui/www/lang/ja.js";

const root = new URL("../../", import.meta.url);
const texts = ["ikev2/", "ikev2/step/", "daemon/core/"].flatMap((dir) => readdirSync(new URL(dir, root)).filter((f) => f.endsWith(".c"))
	.map((f) => readFileSync(new URL(dir + f, root), "utf8").replace(/"\s*"/g, ""))).concat(readFileSync(new URL("daemon/base/err.def", root), "utf8")).join("\n")
	.replaceAll("peer refuses %s", "peer refuses to authenticate us: %s; the peer refuses the new SA").replace(/%[a-z]+/g, "%");

test("each pattern is of a text that the daemon has", () => {
	const alone = downs.flatMap(([pattern]) => pattern.source.split("|")).map((s) => s.replace(/^\^|\$$|\.\*\$$/g, "")
		.replace(/\\?\(\(?[^)]*\)+(\\\))?/g, "%").replace(/\(\\d\+\)|\(\\S\+\)/g, "%").replace(/\\(.)/g, "$1"));
	const missing = alone.filter((s) => !s.split("%").every((part) => texts.includes(part)));
	assert.deepEqual(missing, []);
});

test("what an event holds is found in its sentence", () => {
	const events = readFileSync(new URL("daemon/bus/event.def", root), "utf8");
	for (const [code, pattern] of held) {
		const sentence = new RegExp(`"${code}",[^"]*"([^"]+)"`).exec(events)[1];
		const names = [...sentence.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).filter((n) => !["realm", "peer"].includes(n));
		const groups = pattern.exec(sentence.replace("{pid}", "7"))?.groups;
		const wanted = Object.fromEntries(names.map((n) => [n, n === "pid" ? "7" : `{${n}}`]));
		if (code === "peer-failed") delete wanted.remote;	// its record has that
		assert.deepEqual({ ...groups }, wanted, code);
	}
});
