// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { correction, outline, qr } from "../../webui/www/qr.js";

// Digests of the modules, row by row, as libqrencode 4.1.1 draws the same texts at level M.
const text = "https://vpn.example.com:4580/get/0123456789abcdef#Key-_".repeat(20);
const known = [
	[5, "3ed3dfe24378585ccc59284652ace602"],
	[40, "0c3e6428164b2ede1636d1e3e126a03f"],
	[62, "57a55889ca7f799a6b513a18883f1bcc"],
	[84, "cc77e7965ebb272e790e5c4be038c291"],
	[122, "865193f92ffd713b8caccad4d53133a6"],
	[152, "b26084477b133a1552a362cfb2b910e1"],
	[180, "3b4e948b42f1507a80cddf1817e8f59b"],
	[213, "68b62beed1a441e8bac5b91a2c70c444"],
	[287, "c7905b54eab8440030ccbebdfb37a0fe"],
	[362, "576c1878bcaf4fe8cc782231e11d16a2"],
	[504, "261f425649321e09822640f305137342"],
	[666, "741103779929ee8bc8eac17e3a73a00a"],
];

/** @param {{size: number, is: Uint8Array}} code */
const rows = ({ size, is }) => Array.from({ length: size }, (_, y) => [...is.slice(y * size, (y + 1) * size)].join(""));

test("codes are those that another program draws", () => {
	for (const [n, digest] of known)
		assert.equal(createHash("sha256").update(rows(qr(text.slice(0, n))).join("\n")).digest("hex").slice(0, 32),
			digest, `${n} bytes`);
});

test("correction of the example of the standard", () => {	// ISO/IEC 18004 annex I, version 1-M
	assert.deepEqual(correction([0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11,
		0xec, 0x11], 10), [0xa5, 0x24, 0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55]);
});

test("a text grows into the next version", () => {
	assert.equal(qr("x".repeat(14)).size, 21);
	assert.equal(qr("x".repeat(15)).size, 25);
	assert.equal(qr("x".repeat(666)).size, 97);
});

test("what is too long is no code", () => assert.equal(qr("x".repeat(667)), null));

test("letters count as the bytes that they are", () => {
	assert.equal(qr("あ".repeat(4)).size, 21);
	assert.equal(qr("あ".repeat(5)).size, 25);
});

test("the outline has each dark module once", () => {
	const code = qr("tapir"), { path, side } = outline(code);
	let n = 0;
	for (const [, len] of path.matchAll(/h(\d+)v1/g)) n += Number(len);
	assert.equal(n, code.is.reduce((a, b) => a + b, 0));
	assert.equal(side, code.size + 8);
});
