// SPDX-License-Identifier: Apache-2.0
// When was a peer up?
import assert from "node:assert/strict";
import { test } from "node:test";
import { days, spansUp } from "../../webui/www/spans.js";

const at = (code, time_ms, up_s = 0) => ({ code, time_ms, up_s });

test("from up to down", () => {
	assert.deepEqual(spansUp([at("peer-up", 100), at("peer-down", 300)], 0, 1000, false), [[100, 300]]);
});

test("up now", () => {
	assert.deepEqual(spansUp([at("peer-up", 100)], 0, 1000, true), [[100, 1000]]);
});

test("up before the first row: as long as the row says", () => {
	assert.deepEqual(spansUp([at("peer-down", 9000, 4)], 0, 10000, false), [[5000, 9000]]);
	assert.deepEqual(spansUp([at("peer-down", 9000, 400)], 2000, 10000, false), [[2000, 9000]]);
});

test("a peer that never was up", () => {
	assert.deepEqual(spansUp([at("peer-failed", 5), at("auth-failed", 7)], 0, 10, false), []);
});

test("the daemon ended, and was not heard of to end", () => {
	assert.deepEqual(spansUp([at("peer-up", 100), at("daemon-stopping", 200), at("daemon-started", 300),
		at("peer-up", 400), at("daemon-started", 600)], 0, 1000, false), [[100, 200]]);
});

test("the clock was set: what was between is no time", () => {
	assert.deepEqual(spansUp([at("peer-up", 100), at("peer-suspect", 150), at("clock-set", 9000),
		at("peer-alive", 9010)], 0, 9100, true), [[100, 150], [9000, 9100]]);
	assert.deepEqual(spansUp([at("clock-set", 9000)], 0, 9100, false), []);
});

test("a second up within the first is one span", () => {
	assert.deepEqual(spansUp([at("peer-up", 1), at("peer-up", 5), at("peer-down", 9)], 0, 10, false), [[1, 9]]);
});

test("a day is as up as its spans, from when something is known", () => {
	const noon = new Date(2026, 2, 10, 12).getTime(), h = 3600000;
	const got = days([[noon - 30 * h, noon - 15 * h], [noon - 6 * h, noon]], noon - 36 * h, noon, 3);
	assert.deepEqual(got.map((d) => [d.known_ms / h, d.up_ms / h]), [[0, 0], [24, 15], [12, 6]]);
	assert.equal(new Date(got[2].day).getHours(), 0);
});

test("the daemon stops, then tells that the peer is down: one span", () => {
	assert.deepEqual(spansUp([at("peer-up", 10000), at("daemon-stopping", 30000),
		{ ...at("peer-down", 30001), up_s: 20 }], 0, 90000, false), [[10000, 30001]]);
});
