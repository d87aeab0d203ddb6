// SPDX-License-Identifier: Apache-2.0
// Answers that only this page can read: cli/desk/seal.h has the form.

const label = new TextEncoder().encode("tapir desk 1");

/** @param {Uint8Array} b */
export const hex = (b) => [...b].map((x) => x.toString(16).padStart(2, "0")).join("");

/** @param {string} text */
export const unhex = (text) => new Uint8Array((text.match(/../g) ?? []).map((x) => parseInt(x, 16)));

/** @param {Uint8Array[]} parts */
const joined = (parts) => new Uint8Array(parts.flatMap((p) => [...p]));

/** As it stands in a link: RFC 4648 5, no padding. @param {Uint8Array} b */
const text64 = (b) => btoa(String.fromCharCode(...b)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

/** One key pair, for one answer. */
export async function sealBegin() {
	const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
	const own = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
	return {
		/** Our public key, to go with the question. */
		seal: hex(own),
		/** The key that both have now. @param {string} seal  of the answer */
		async open(seal) {
			const raw = unhex(seal);
			const peer = await crypto.subtle.importKey("raw", raw, { name: "ECDH", namedCurve: "P-256" }, false, []);
			const secret = await crypto.subtle.deriveBits({ name: "ECDH", public: peer }, pair.privateKey, 256);
			const from = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
			const key = new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0),
				info: joined([label, own, raw]) }, from, 256));
			return {
				/** As it stands behind the # of a link. */
				text: text64(key),
				/** What is sealed, as text. @param {string} sealed */
				async read(sealed) {
					const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
					const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, aes, unhex(sealed));
					return new TextDecoder().decode(plain);
				},
			};
		},
	};
}
