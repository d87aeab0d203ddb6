// SPDX-License-Identifier: Apache-2.0
// The words of both languages, and the sentences of events.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { en } from "../../webui/www/lang/en.js";
import { ja } from "../../webui/www/lang/ja.js";
import { sentences } from "../../webui/www/lang/ja_events.js";

const names = (/** @type {string} */ text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
const table = (name) => readFileSync(new URL("../../daemon/bus/" + name, import.meta.url), "utf8");

test("both languages have the same words with the same values in them", () => {
	assert.deepEqual(Object.keys(ja).sort(), Object.keys(en).sort());
	for (const [key, text] of Object.entries(en)) assert.deepEqual(names(ja[key]), names(text), key);
});

test("a sentence names fields that its event has", () => {
	const keys = Object.fromEntries([...table("field.def").matchAll(/^FIELD\((\w+),\s*"(\w+)"/gm)].map((m) => [m[1], m[2]]));
	const events = Object.fromEntries([...table("event.def").matchAll(/^EVENT\(\d+, \w+, "([\w-]+)"[^]*?\)\n(?=EVENT|\n|$)/gm)]
		.map((m) => [m[1], [...m[0].matchAll(/F\((\w+)\)/g)].map((f) => keys[f[1]])]));
	assert.ok(Object.keys(events).length > 30);
	for (const [code, text] of Object.entries(sentences)) {
		assert.ok(events[code], code + " is no event");
		for (const name of names(text)) assert.ok(events[code].includes(name), `${code}: ${name}`);
	}
});
