// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { createCipheriv, createECDH, hkdfSync } from "node:crypto";
import { test } from "node:test";
import { hex, sealBegin, unhex } from "../../webui/www/seal.js";

// The desk's part, by another library than the page's.
function desk(seal, plain) {
	const ecdh = createECDH("prime256v1"), own = ecdh.generateKeys(), theirs = Buffer.from(seal, "hex");
	const key = Buffer.from(hkdfSync("sha256", ecdh.computeSecret(theirs), "",
		Buffer.concat([Buffer.from("tapir desk 1"), theirs, own]), 32));
	const c = createCipheriv("aes-256-gcm", key, Buffer.alloc(12));
	const sealed = Buffer.concat([c.update(plain), c.final(), c.getAuthTag()]);
	return { seal: own.toString("hex"), sealed: sealed.toString("hex"), key };
}

test("what the desk seals is read", async () => {
	const mine = await sealBegin(), answer = desk(mine.seal, "{\"totp\":\"ABC\"}");
	const key = await mine.open(answer.seal);
	assert.equal(await key.read(answer.sealed), "{\"totp\":\"ABC\"}");
	assert.equal(key.text, answer.key.toString("base64url"));
});

test("what was changed under way is refused", async () => {
	const mine = await sealBegin(), answer = desk(mine.seal, "secret");
	const bad = unhex(answer.sealed);
	bad[0] ^= 1;
	const key = await mine.open(answer.seal);
	await assert.rejects(key.read(hex(bad)));
});

test("another page cannot read it", async () => {
	const mine = await sealBegin(), other = await sealBegin(), answer = desk(mine.seal, "secret");
	const key = await other.open(answer.seal);
	await assert.rejects(key.read(answer.sealed));
});

test("a key that is no point of the curve is refused", async () => {
	const mine = await sealBegin();
	await assert.rejects(mine.open("04" + "00".repeat(63) + "01"));
});
