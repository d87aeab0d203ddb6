// SPDX-License-Identifier: Apache-2.0
// The one module that talks to the server: login, the bus, its held reads.
import { sealBegin } from "./seal.js";

const HOLD_MS = 40000;		// the server answers a held read after 25 s
const ANSWER_MS = 60000;	// of a command, until its last record
const AGAIN_MAX = 2;		// how often a question is put again that got lost
const NEIGHBOUR_MS = 150;	// another tab answers within

/**
 * @typedef {Record<string, any>} Item  a result or an event of the bus
 * @typedef {Item[] & {end?: Item}} Answer
 * @typedef {{user: string, role: string, idle_s: number, proved: boolean}} Who
 */

/** An answer that is a refusal: what happened, and what to do about it. */
export class Refused extends Error {
	/** @param {string} text @param {string} hint @param {string} code @param {number} status */
	constructor(text, hint = "", code = "", status = 0) {
		super(text);
		this.hint = hint;
		this.code = code;
		this.status = status;
		/** @type {Item[]} what was found before, such as mistakes of a configuration */
		this.items = [];
	}
}

let token = sessionStorage.getItem("token") ?? "";
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("tapir") : null;

/** @param {string} value */
function keep(value) {
	token = value;
	if (value) sessionStorage.setItem("token", value);
	else sessionStorage.removeItem("token");
}

if (tabs)
	tabs.onmessage = (/** @type {MessageEvent} */ m) => {
		if (m.data.ask && token) tabs.postMessage({ token });
		if (m.data.logout) {
			keep("");
			location.reload();
		}
	};

/** A new tab is logged in as its neighbours are. */
async function askNeighbours() {
	if (token || !tabs) return;
	await new Promise((done) => {
		/** @param {MessageEvent} m */
		const take = (m) => {
			if (!m.data.token || token) return;
			keep(m.data.token);
			done(null);
		};
		tabs.addEventListener("message", take);
		setTimeout(() => {
			tabs.removeEventListener("message", take);
			done(null);
		}, NEIGHBOUR_MS);
		tabs.postMessage({ ask: true });
	});
}

/**
 * One request, up to its answer.
 * @param {string} method @param {string} path @param {object|string} [body]  a text is XML
 * @param {AbortSignal} [signal] @param {Record<string, string>} [more]  fields of the head
 */
function send(method, path, body, signal, more = {}) {
	/** @type {Record<string, string>} */
	const headers = { Accept: "application/json", ...more };
	const isText = typeof body === "string";
	if (token) headers.Authorization = "Bearer " + token;
	if (body != null) headers["Content-Type"] = isText ? "application/xml" : "application/json";
	return fetch(path, {
		method, headers, signal, cache: "no-store", credentials: "omit",
		keepalive: method === "DELETE",		// also when the page goes
		body: isText ? body : body ? JSON.stringify(body) : undefined,
	});
}

/** What an answer says. @param {Response} answer @returns {Promise<any>} */
async function valueOf(answer) {
	const text = await answer.text();
	let value = {};
	try {
		value = text ? JSON.parse(text) : {};
	} catch {
		// what is no JSON has nothing to say beyond its status
	}
	if (answer.ok) return value;
	throw Object.assign(new Refused(value.text ?? answer.statusText, value.hint, value.code, answer.status),
		{ items: value.items ?? [] });
}

/**
 * One request and what its answer says.
 * @param {string} method @param {string} path @param {object} [body] @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
const ask = async (method, path, body, signal) => valueOf(await send(method, path, body, signal));

/** Log in with {link} or {user, password, code}. @param {object} how @returns {Promise<Who>} */
export async function login(how) {
	const who = await ask("POST", "/login", how);
	keep(who.token);
	return who;
}

/** Who am I? Refused with status 401: nobody. @returns {Promise<Who>} */
export async function whoAmI() {
	await askNeighbours();
	return ask("GET", "/login");
}

/** Prove again who one is, by {password, code} or {link}. @param {object} how @returns {Promise<Who>} */
export const prove = (how) => ask("PUT", "/login", how);

/** The password of a client realm: it goes to the secure process. @param {string} realm @param {string} password */
export const typePassword = (realm, password) => ask("POST", "/password", { realm, password });

/** The files of the configuration. @returns {Promise<Item[]>} */
export const confFiles = async () => (await ask("GET", "/conf/files")).items;

/** As it is: the server takes no escapes. @param {string} file */
const confPath = (file) => "/conf?file=" + file;

/** One of them, with what says later whether it is still the same. @param {string} file */
export async function confRead(file) {
	const answer = await send("GET", confPath(file), undefined, undefined, { Accept: "application/xml" });
	if (!answer.ok) await valueOf(answer);
	return { text: await answer.text(), etag: answer.headers.get("ETag") ?? "" };
}

/** What would be wrong, or change, with this text? @param {string} file @param {string} text @param {AbortSignal} signal */
export const confTry = async (file, text, signal) =>
	valueOf(await send("PUT", confPath(file) + "&dry=1", text, signal));

/** Write it, unless it is not any more what was read. @param {string} file @param {string} text @param {string} etag */
export const confWrite = async (file, text, etag) =>
	valueOf(await send("PUT", confPath(file), text, undefined, { "If-Match": etag }));

/** What there is: accounts, users of a realm, certs. @param {string} what @param {string} [realm] */
export async function deskLook(what, realm = "") {
	const value = await ask("POST", "/desk", { command: "desk", what, ...(realm && { realm }) });
	if (value.ok === false) throw new Refused(value.text, value.hint, value.code, 200);
	return value;
}

/**
 * Do something at the desk. What is secret comes sealed for this page: a link with its
 * key, a passphrase, the secret of an authenticator.
 * @param {Record<string, any>} fields  of the command desk
 * @returns {Promise<any>}
 */
export async function deskDo(fields) {
	const mine = await sealBegin();
	const answer = await ask("POST", "/desk", { command: "desk", seal: mine.seal, ...fields });
	if (!answer.seal) return answer;
	const key = await mine.open(answer.seal);
	if (!answer.link) return JSON.parse(await key.read(answer.sealed));
	const isSealed = !fields.kind || fields.kind === "tapir";
	const port = location.port ? "" : location.protocol === "https:" ? ":443" : ":80";	// tapir join wants one
	return { ...answer, link: location.origin + port + answer.link + (isSealed ? "#" + key.text : ""),
		passphrase: answer.sealed ? await key.read(answer.sealed) : "" };
}

/**
 * Packets as they come, until there are no more; whole even when they end early.
 * @param {object} fields  of the command capture @param {AbortSignal} signal  cuts it off
 * @param {(n_bytes: number) => void} onBytes
 * @returns {Promise<{name: string, blob: Blob}>}
 */
export async function capture(fields, signal, onBytes) {
	const answer = await send("POST", "/capture", { command: "capture", ...fields }, signal);
	if (!answer.ok) await valueOf(answer);
	const name = /filename="([\w.-]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
	const parts = [], reader = answer.body.getReader();
	let n = 0;
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) break;
			parts.push(value);
			onBytes(n += value.length);
		}
	} catch (e) {
		if (parts.length === 0) throw e;
	}
	return { name: name ?? "tapir.pcapng", blob: new Blob(parts, { type: "application/vnd.tcpdump.pcap" }) };
}

/** The link that tapir web prints carries its secret behind the #. */
export function linkOfPage() {
	const link = new URLSearchParams(location.hash.slice(1)).get("link");
	if (link) history.replaceState(null, "", location.pathname);
	return link;
}

/** Log in with the link the page was opened with, or as before. @returns {Promise<Who>} */
async function logInHere() {
	const link = linkOfPage();
	try {
		return await (link ? login({ link }) : whoAmI());
	} catch (e) {
		throw Object.assign(e, { isOfLink: Boolean(link) });
	}
}

/** What was begun before the pages were there, until somebody takes it.
 * @type {{who: Promise<Who>|null, session: Promise<{id: string}>|null}} */
const early = { who: null, session: null };
let isTaken = false;

/** Begin to log in and to open a session while modules come. */
export function enterEarly() {
	if (isTaken) return;	// the pages were quicker: the link is theirs, and works once
	early.who = logInHere();
	early.session = early.who.then(() => ask("POST", "/bus/open"));
	early.session.catch(() => { early.session = null; });
	// modules did not come: nobody takes it
	addEventListener("pagehide", () => early.session?.then(({ id }) => ask("DELETE", `/bus/close/${id}`)).catch(() => {}));
}

/** Who is at this page? Refused has isOfLink where it was a link that did not work. @returns {Promise<Who>} */
export function enterPage() {
	const who = early.who ?? logInHere();
	isTaken = true;
	early.who = null;
	return who;
}

/** @returns {Promise<{id: string}>} */
function openSession() {
	const session = early.session ?? ask("POST", "/bus/open");
	early.session = null;
	return session;
}

/** Forget the login, here, in other tabs and there. */
export async function logout() {
	await ask("DELETE", "/login").catch(() => {});
	keep("");
	tabs?.postMessage({ logout: true });
}

/**
 * @typedef {object} Asked
 * @property {string} command
 * @property {object} fields
 * @property {number} again  how often it may be asked again when its answer got lost
 * @property {Item[]} items
 * @property {(items: Answer) => void} done
 * @property {(why: Error) => void} fail
 * @property {ReturnType<typeof setTimeout>} timer
 */

/** One session of the bus: items arrive until stop() is called. */
export class Bus {
	/**
	 * @param {(item: Item) => void} onItem  without a tag, and {resync: true}
	 * @param {(state: "live"|"lost"|"login", why?: Error) => void} onState
	 */
	constructor(onItem, onState) {
		this.onItem = onItem;
		this.onState = onState;
		this.isStopped = false;
		this.tag = 0;
		this.id = "";
		/** @type {Map<number, Asked>} */
		this.asked = new Map();
		/** @type {() => void} */
		this.wake = () => {};
		this.cut = new AbortController();
		globalThis.addEventListener?.("online", () => this.wake());
		globalThis.addEventListener?.("offline", () => this.cut.abort());
	}

	/** Open, read, and begin again whatever happens. */
	async run() {
		let pause = 500;
		while (!this.isStopped) {
			try {
				this.id = (await openSession()).id;
				this.#again();
				this.onItem({ resync: true });
				this.onState("live");
				pause = 500;
				await this.#read();
			} catch (e) {
				this.id = "";
				const status = e instanceof Refused ? e.status : 0;
				if (status === 401) {
					this.onState("login", e);
					return;
				}
				// a session that ended: the next one at once
				if (status === 404 || status === 410) continue;
				this.onState("lost", e);
				await new Promise((done) => {
					this.wake = () => done(null);
					setTimeout(done, pause);
				});
				pause = Math.min(pause * 2, 10000);
			}
		}
	}

	async #read() {
		this.cut = new AbortController();
		for (let after = 0; !this.isStopped;) {
			const batch = await ask("GET", `/bus/read/${this.id}?after=${after}`,
				undefined, AbortSignal.any([this.cut.signal, AbortSignal.timeout(HOLD_MS)]));
			after = batch.last;
			for (const item of batch.items) this.#take(item);
		}
	}

	/** @param {Item} item */
	#take(item) {
		if (item.resync) this.#again();
		const to = item.tag ? this.asked.get(item.tag) : null;
		if (!to) {
			if (!item.tag) this.onItem(item);
		} else if (item.result === "done") {
			this.#end(item.tag);
			to.done(Object.assign(to.items, { end: item }));
		} else if (item.result === "failed") {
			this.#end(item.tag);
			to.fail(Object.assign(new Refused(item.text, item.hint, item.code),
				{ items: to.items }));
		} else {
			to.items.push(item);
		}
	}

	/** @param {number} tag */
	#end(tag) {
		const a = this.asked.get(tag);
		clearTimeout(a?.timer);
		this.asked.delete(tag);
	}

	// Answers were lost: questions are put again, deeds are not.
	#again() {
		const all = [...this.asked];
		for (const [tag, a] of all) {
			this.#end(tag);
			if (a.again > 0) this.#put(a.command, a.fields, a.again - 1).then(a.done, a.fail);
			else a.fail(new Refused("the connection was lost before the answer came",
				"look whether it was done", "ERR_CLOSED"));
		}
	}

	/**
	 * Run a command; all its results, the last one as end.
	 * @param {string} command @param {object} [fields]
	 * @param {boolean} [isRead]  it only asks: put again when its answer got lost
	 * @returns {Promise<Answer>}
	 */
	ask(command, fields = {}, isRead = false) {
		return this.#put(command, fields, isRead ? AGAIN_MAX : 0);
	}

	/** @param {string} command @param {object} fields @param {number} again @returns {Promise<Answer>} */
	#put(command, fields, again) {
		const tag = ++this.tag;
		return new Promise((done, fail) => {
			if (!this.id) {
				fail(new Refused("there is no connection to the gateway", "",
					"ERR_CLOSED"));
				return;
			}
			const timer = setTimeout(() => {
				this.#end(tag);
				fail(new Refused("no answer came", "look whether it was done",
					"ERR_TIMEOUT"));
			}, ANSWER_MS);
			this.asked.set(tag, { command, fields, again, items: [], done, fail, timer });
			ask("PUT", `/bus/write/${this.id}`, { command, tag, ...fields }).catch((e) => {
				this.#end(tag);
				fail(e);
			});
		});
	}

	/** End the session. */
	stop() {
		this.isStopped = true;
		if (this.id) ask("DELETE", `/bus/close/${this.id}`).catch(() => {});
	}
}
