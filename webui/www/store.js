// SPDX-License-Identifier: Apache-2.0
// What the pages know: the latest realms and peers, rates, events.  Changes are
// told once a frame, however many there were.
import { Bus, enterPage } from "./api.js";
import { useEffect, useState } from "./vendor.js";

const N_EVENTS = 500;
const N_RATES = 300;		// points of a line: five minutes of one a second
const RATE_MS = 1000;
const TOLD_MS = 50;		// the pages are drawn so often at most

/**
 * @typedef {import("./api.js").Item} Item
 * @typedef {{t: number[], rx: number[], tx: number[]}} Rates  seconds; bytes a second
 */

export const store = {
	/** @type {"start"|"live"|"lost"|"login"} */
	link: "start",
	/** @type {Error|null} */
	why: null,
	/** @type {import("./api.js").Who|null} */
	who: null,
	/** @type {Map<string, Item>} */
	realms: new Map(),
	/** @type {Map<string, Item>} by realm/name */
	peers: new Map(),
	/** @type {Item[]} newest last */
	events: [],
	/** @type {Map<string, Rates>} by realm/name; "" is all of them */
	rates: new Map(),
	/** @type {Item|null} */
	daemon: null,
	daemonAt: 0,
	/** milliseconds of this browser when state last came */
	heardAt: 0,
};

/** @type {Set<() => void>} */
const readers = new Set();
let isTold = true, toldAt = 0;

/** Something changed: draw again, at once when that was long ago, else soon. */
export function changed() {
	if (!isTold) return;
	isTold = false;
	setTimeout(() => {
		isTold = true;
		toldAt = Date.now();
		for (const fn of readers) fn();
	}, Math.min(TOLD_MS, Math.max(0, toldAt + TOLD_MS - Date.now())));
}

/** The store, for a component that is drawn again when it changes. */
export function useStore() {
	const [, set] = useState(0);
	useEffect(() => {
		const fn = () => set((/** @type {number} */ n) => n + 1);
		readers.add(fn);
		return () => { readers.delete(fn); };
	}, []);
	return store;
}

/** The time in ms, anew each second or so. @param {number} every */
export function useClock(every = 1000) {
	const [now, set] = useState(Date.now());
	useEffect(() => {
		const timer = setInterval(() => set(Date.now()), every);
		return () => clearInterval(timer);
	}, [every]);
	return now;
}

/**
 * Ask the gateway, and again every few seconds while the page shows it.
 * @param {string} command @param {object} fields @param {number} every  seconds; 0 = once
 * @returns {{items: Item[]|null, error: Error|null, at: number, again: () => void}}  at: when it was answered
 */
export function useAnswer(command, fields, every = 0) {
	const [state, set] = useState({ items: null, error: null, at: 0 });
	const [round, next] = useState(0);
	const key = JSON.stringify(fields);
	const isLive = useStore().link === "live";
	useEffect(() => {
		let isOver = !isLive;
		/** @type {ReturnType<typeof setTimeout>} */
		let timer;
		const run = () => bus.ask(command, fields, true).then(
			(items) => { if (!isOver) set({ items, error: null, at: Date.now() }); },
			(error) => { if (!isOver) set((was) => ({ ...was, error })); },
		).then(() => {
			if (!isOver && every) timer = setTimeout(run, every * 1000);
		});
		if (!isOver) run();
		return () => {
			isOver = true;
			clearTimeout(timer);
		};
	}, [command, key, every, round, isLive]);
	return { ...state, again: () => next(round + 1) };
}

/** A peer's key. @param {Item} p */
export const keyOf = (p) => p.realm + "/" + p.name;

/** Is it meant to be connected, and is not? @param {Item} p */
export const isMissing = (p) => p.state === "suspect" ||
	(p.state !== "up" && (p.intent === "dial" || p.intent === "password"));

/** In the order of their names, however they came. @param {Iterable<Item>} items @param {(i: Item) => string} [name] */
export const byName = (items, name = (i) => i.name) => [...items].sort((a, b) => name(a) < name(b) ? -1 : 1);

/** Who may do what: viewer < operator < admin. @param {string} role */
export function may(role) {
	const order = ["viewer", "operator", "admin"];
	return order.indexOf(store.who?.role ?? "") >= order.indexOf(role);
}

// ---- rates ---------------------------------------------------------------------

/** @param {string} key @param {number} t @param {number} rx @param {number} tx */
function addRate(key, t, rx, tx) {
	let r = store.rates.get(key);
	if (!r) store.rates.set(key, r = { t: [], rx: [], tx: [] });
	r.t.push(t);
	r.rx.push(rx);
	r.tx.push(tx);
	if (r.t.length > N_RATES)
		for (const list of [r.t, r.rx, r.tx]) list.shift();
}

/** @type {Map<string, {at: number, rx: number, tx: number, rx_s: number, tx_s: number}>} */
const last = new Map();

// Counters that changed come once a second: what they grew by is of the last
// second, however long they had been the same before.
/** @param {Item} p */
function grew(p) {
	const key = keyOf(p), at = Date.now(), was = last.get(key);
	// the answer to a question of ours, between two of those
	if (was && at - was.at < RATE_MS / 2) return;
	const now = { at, rx: Number(p.rx_bytes), tx: Number(p.tx_bytes), rx_s: 0, tx_s: 0 };
	if (was && now.rx >= was.rx && now.tx >= was.tx) {
		const s = Math.min(at - was.at, 1.2 * RATE_MS) / 1000;
		now.rx_s = (now.rx - was.rx) / s;
		now.tx_s = (now.tx - was.tx) / s;
	}
	last.set(key, now);
}

function measure() {
	const now = Date.now();
	let rx = 0, tx = 0;
	if (store.link !== "live") return;
	for (const [key, l] of last) {
		if (!store.peers.has(key)) {
			last.delete(key);
			store.rates.delete(key);
			continue;
		}
		const isStill = now - l.at > 2 * RATE_MS;
		addRate(key, now / 1000, isStill ? 0 : l.rx_s, isStill ? 0 : l.tx_s);
		rx += isStill ? 0 : l.rx_s;
		tx += isStill ? 0 : l.tx_s;
	}
	addRate("", now / 1000, rx, tx);
	changed();
}

/** What goes through now, bytes a second. @param {string} key */
export function rateOf(key) {
	const r = store.rates.get(key);
	return { rx: r?.rx.at(-1) ?? 0, tx: r?.tx.at(-1) ?? 0 };
}

// ---- the bus ---------------------------------------------------------------------

/** @param {Item} item */
function take(item) {
	if (item.resync) {
		store.realms.clear();
		store.peers.clear();
		store.events = [];
		if (store.link === "live") greet();
	} else if (item.result === "realm") {
		store.realms.set(item.name, item);
		store.heardAt = Date.now();
	} else if (item.result === "peer") {
		grew(item);
		store.peers.set(keyOf(item), { ...item, at: Date.now() });
		store.heardAt = Date.now();
	} else if (item.event) {
		store.events.push(item);
		if (store.events.length > N_EVENTS) store.events.shift();
	}
	changed();
}

/** @param {"live"|"lost"|"login"} state @param {Error} [why] */
function onState(state, why) {
	store.link = state;
	store.why = why ?? null;
	changed();
	if (state === "live") greet();
}

// What does not come by itself: the daemon, and what happened before.
async function greet() {
	try {
		const [[daemon], old] = await Promise.all([bus.ask("ping-daemon", {}, true),
			bus.ask("log", { limit: N_EVENTS }, true)]);
		store.daemon = daemon;
		store.daemonAt = Date.now();
		const first = store.events[0]?.seq ?? Infinity;
		store.events = [...old.filter((e) => e.event && e.seq < first), ...store.events]
			.slice(-N_EVENTS);
		changed();
	} catch {
		// lost again: the next session greets
	}
}

export let bus = new Bus(take, onState);

/** Log in with what the page was opened with, or as it was before. */
export async function begin() {
	try {
		store.who = await enterPage();
		enter();
	} catch (e) {
		if (!e.isOfLink && !e.status) {
			// no server at all: look again until there is one
			store.link = "lost";
			store.why = e;
			setTimeout(begin, 2000);
		} else {
			store.link = "login";
			store.why = e.isOfLink ? e : null;
		}
		changed();
	}
}

/** Somebody is logged in: read the bus. */
export function enter() {
	bus.stop();
	bus = new Bus(take, onState);
	store.why = null;
	bus.run();
	changed();
}

setInterval(measure, RATE_MS);
addEventListener("pagehide", () => bus.stop());
addEventListener("pageshow", (e) => {
	if (e.persisted) location.reload();
});
