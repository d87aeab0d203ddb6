// SPDX-License-Identifier: Apache-2.0
// The words of both languages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "../../webui/www/lang/en.js";
import { ja } from "../../webui/www/lang/ja.js";

const names = (/** @type {string} */ text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

test("both languages have the same words with the same values in them", () => {
	assert.deepEqual(Object.keys(ja).sort(), Object.keys(en).sort());
	for (const [key, text] of Object.entries(en)) assert.deepEqual(names(ja[key]), names(text), key);
});
