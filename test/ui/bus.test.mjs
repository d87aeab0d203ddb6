// SPDX-License-Identifier: Apache-2.0
// The bus of the browser against a server of our own, without a network.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

Object.defineProperty(globalThis, "sessionStorage", { configurable: true,
	value: { getItem: () => null, setItem() {}, removeItem() {} } });
delete globalThis.BroadcastChannel;
const { Bus, Refused } = await import("../../webui/www/api.js");

/** What the server was asked, and what waits for the next read. */
let server;

const answer = (status, value) => Promise.resolve({
	ok: status < 300, status, statusText: "", text: async () => value ? JSON.stringify(value) : "",
});

function fetchFake(path, { method, body, signal }) {
	const name = path.split("/")[2]?.split("?")[0];
	server.asked.push(`${method} ${path}`);
	if (method === "POST") return server.open();
	if (method === "PUT") {
		server.commands.push(JSON.parse(body));
		return answer(server.putStatus, server.putStatus < 300 ? null : { text: "no", hint: "ask" });
	}
	if (name !== "read") return answer(204);
	return new Promise((done, fail) => {
		signal?.addEventListener("abort", () => fail(new Error("aborted")));
		server.held = (status, value) => done(answer(status, value));
		server.onHeld?.();
	});
}

const turn = () => new Promise((done) => setImmediate(done));
/** Until a read is held. */
async function held() {
	for (let i = 0; i < 50 && !server.held; i++) await turn();
	const h = server.held;
	assert.ok(h, "nobody reads");
	server.held = null;
	return h;
}

async function batch(...items) {
	const h = await held();
	server.n += items.length;
	h(200, { after: 0, last: server.n, items });
	await turn();
}

function started() {
	const seen = { items: [], states: [] };
	const bus = new Bus((i) => seen.items.push(i), (s) => seen.states.push(s));
	const end = bus.run();
	return { bus, seen, end };
}

async function stopped({ bus, end }) {
	const h = await held();
	bus.stop();
	h(200, { after: 0, last: server.n, items: [] });
	await end;
}

beforeEach(() => {
	server = { asked: [], commands: [], n: 0, putStatus: 202, held: null,
		open: () => answer(201, { id: "s1" }) };
	globalThis.fetch = fetchFake;
});

test("what was received is acknowledged by the next read", async () => {
	const s = started();
	await batch({ event: "peer-up" }, { result: "peer", name: "osaka" });
	await stopped(s);
	assert.deepEqual(server.asked.slice(0, 3),
		["POST /bus/open", "GET /bus/read/s1?after=0", "GET /bus/read/s1?after=2"]);
	assert.deepEqual(s.seen.items.map((i) => i.event ?? i.result ?? "resync"), ["resync", "peer-up", "peer"]);
});

test("results go to who asked, and to nobody else", async () => {
	const s = started();
	await batch();
	const one = s.bus.ask("status", {}, true), two = s.bus.ask("hub", {}, true);
	await batch({ tag: 2, result: "port", port: "a" }, { tag: 1, result: "peer", name: "x" },
		{ tag: 2, result: "done" }, { tag: 1, result: "done" }, { tag: 9, result: "done" });
	assert.equal((await one)[0].name, "x");
	assert.equal((await two)[0].port, "a");
	assert.equal(s.seen.items.length, 1, "only the resync of the beginning");
	await stopped(s);
});

test("a refusal says what to do", async () => {
	const s = started();
	await batch();
	const refused = assert.rejects(s.bus.ask("up", { peer: "nobody" }), (e) => e instanceof Refused && e.hint === "look" && e.message === "no such peer" &&
		e.items[0].text === "line 3");
	await batch({ tag: 1, result: "mistake", text: "line 3" }, { tag: 1, result: "failed", code: "ERR_NONE", text: "no such peer", hint: "look" });
	await refused;
	server.putStatus = 403;
	await assert.rejects(s.bus.ask("down"), (e) => e.status === 403 && e.hint === "ask");
	await stopped(s);
});

test("after a resync questions are put again, deeds are not", async () => {
	const s = started();
	await batch();
	const read = s.bus.ask("status", {}, true), deed = s.bus.ask("down", {});
	deed.catch(() => {});
	await batch({ resync: true });
	await assert.rejects(deed, /lost/);
	assert.deepEqual(server.commands.map((c) => `${c.command} ${c.tag}`), ["status 1", "down 2", "status 3"]);
	await batch({ tag: 1, result: "done" }, { tag: 3, result: "realm" }, { tag: 3, result: "done" });
	assert.equal((await read).length, 1);
	await stopped(s);
});

test("a question that is lost again and again ends", async () => {
	const s = started();
	await batch();
	const read = s.bus.ask("log", {}, true);
	read.catch(() => {});
	for (let i = 0; i < 3; i++) await batch({ resync: true });
	await assert.rejects(read, /lost/);
	assert.equal(server.commands.length, 3);
	await stopped(s);
});

test("a session that ended is opened again at once", async () => {
	const s = started();
	(await held())(404, { text: "no session" });
	server.open = () => answer(201, { id: "s2" });
	await batch();
	assert.equal(server.asked[2], "POST /bus/open");
	assert.equal(s.bus.id, "s2");
	assert.deepEqual(s.seen.states, ["live", "live"]);
	await stopped(s);
});

test("who is not logged in any more is told, and nothing is tried", async () => {
	const s = started();
	(await held())(401, { text: "not logged in" });
	await s.end;
	assert.deepEqual(s.seen.states, ["live", "login"]);
});

test("without a server it waits, and wake() shortens that", async () => {
	let n = 0;
	server.open = () => n++ === 0 ? Promise.reject(new TypeError("no network")) : answer(201, { id: "s1" });
	const s = started();
	for (let i = 0; i < 50 && !s.seen.states.length; i++) await turn();
	assert.deepEqual(s.seen.states, ["lost"]);
	await assert.rejects(s.bus.ask("status"), /no connection/);
	s.bus.wake();
	await batch();
	assert.deepEqual(s.seen.states, ["lost", "live"]);
	await stopped(s);
});

test("a link logs in once, though the pages come before who was to be early", async () => {
	const { enterEarly, enterPage } = await import("../../webui/www/api.js");
	const links = [];
	globalThis.location = { hash: "#link=abc", pathname: "/" };
	globalThis.history = { replaceState: () => { globalThis.location.hash = ""; } };
	globalThis.addEventListener ??= () => {};
	globalThis.fetch = (path, o) => {
		links.push(`${o.method} ${path}`);
		return answer(200, { token: "t", user: "root" });
	};
	const who = enterPage();
	enterEarly();
	assert.equal((await who).user, "root");
	await turn();
	assert.deepEqual(links, ["POST /login"]);
});
