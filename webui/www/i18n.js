// SPDX-License-Identifier: Apache-2.0
// Words of the pages in the language of who looks at them; numbers and times too.
import { keys } from "./lang/keys.js";
import { changed } from "./store.js";

/** @typedef {keyof typeof import("./lang/en.js").en} Word */

/** @type {Record<string, Record<Word, string>>} */
const all = {};
const known = new Set(keys);
/** What the daemon says in English: events, drops, why a peer is down; of the language.
 * @type {{sentences: Record<string, string>, drops: Record<string, string>, downs: [RegExp, string][], held: [string, RegExp][]}} */
let foreign = { sentences: {}, drops: {}, downs: [], held: [] };
export const languages = { en: "English", ja: "日本語" };

let lang = localStorage.getItem("lang") ??
	(navigator.languages.some((l) => l.startsWith("ja")) &&
	 !navigator.languages[0].startsWith("en") ? "ja" : "en");
if (!(lang in languages)) lang = "en";

export const language = () => lang;

/** With their keys, which a build leaves out. @param {any} words @returns {Record<Word, string>} */
const keyed = (words) => Array.isArray(words) ?
	/** @type {any} */ (Object.fromEntries(keys.map((key, i) => [key, words[i]]))) : words;

/** A language comes when somebody reads it. @param {string} to */
async function fetched(to) {
	if (to in all) return;
	if (to === "en") {
		all.en = keyed((await import("./lang/en.js")).en);
		return;
	}
	const [words, tables] = await Promise.all([import("./lang/ja.js"), import("./lib/tables_ja.js")]);
	foreign = { ...tables, downs: words.downs, held: words.held };
	all.ja = keyed(words.ja);
}

await fetched(lang).catch(() => fetched(lang = "en"));
document.documentElement.lang = lang;

/** Change it, without loading the page again. @param {string} to */
export async function setLanguage(to) {
	if (!(to in languages)) return;
	try {
		await fetched(to);
	} catch {
		return;		// no connection: the button is still there
	}
	lang = to;
	localStorage.setItem("lang", to);
	document.documentElement.lang = to;
	changed();
}

/**
 * A word or sentence; {name} in it stands for a value.
 * @param {Word} key @param {Record<string, string|number>} [values]
 */
export function t(key, values = {}) {
	return (all[lang][key] ?? key)
		.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** A word of the bus, when there is one of ours. @param {string} group @param {string} word */
export function word(group, word) {
	const key = /** @type {Word} */ (`${group}.${word}`);
	return known.has(key) ? t(key) : word;
}

/** @param {number} spi */
const hex = (spi) => Number(spi).toString(16).padStart(8, "0");

/**
 * The sentence of an event, in this language where there is one.
 * @param {import("./api.js").Item} e
 */
export function said(e) {
	const own = lang === "ja" ? foreign.sentences[e.event] : undefined;
	if (!own) return e.sentence;
	return own.replace(/\{(\w+)\}/g, (_, name) => name.startsWith("spi_") ? hex(e[name]) : down(String(e[name] ?? "")))
		.replace(/[;:、。\s]+$/, "");
}

/**
 * A row of what is recorded: with fewer fields than the event had.
 * @param {import("./api.js").Item} r
 */
export function told(r) {
	const own = lang === "ja" ? foreign.sentences[r.code] : undefined;
	const all = { ...r, event: r.code, ...foreign.held.find(([code]) => code === r.code)?.[1].exec(r.text)?.groups };
	return own && [...own.matchAll(/\{(\w+)\}/g)].every(([, name]) => all[name] !== undefined) ? said(all) : r.text || down(r.why);
}

/** Why packets were dropped. @param {import("./api.js").Item} counter */
export const dropped = (counter) => (lang === "ja" && foreign.drops[counter.name]) || counter.text;

/** Why a peer is down, as the daemon says it in English. @param {string} why */
export function down(why) {
	if (lang !== "ja") return why;
	for (const [pattern, text] of foreign.downs)
		if (pattern.test(why)) return why.replace(pattern, text);
	return why;
}

/** What a refusal says in this language, once it is here. @type {((text: string) => string)|null} */
let refused = null;
let isFetching = false;

/**
 * What the gateway refuses, in this language where there is one: its text, or its hint.
 * @param {string} text
 */
export function plain(text) {
	if (lang !== "ja" || !text) return text;
	if (!refused && !isFetching) {
		isFetching = true;
		import("./lang/refusals_ja.js").then((m) => {
			refused = m.inJapanese;
			changed();
		}).catch(() => {}).finally(() => { isFetching = false; });
	}
	return refused ? refused(text) : text;
}

/** Made once each: the making takes longer than the use. @type {Map<string, any>} */
const formats = new Map();

/** @param {number} n @param {number} [digits] */
function decimal(n, digits = 0) {
	const key = lang + digits;
	let f = formats.get(key);
	if (!f) formats.set(key, f = new Intl.NumberFormat(lang, { maximumFractionDigits: digits }));
	return f.format(n);
}

/** @param {number|Date} at @param {Intl.DateTimeFormatOptions} how */
function date(at, how) {
	const key = lang + JSON.stringify(how);
	let f = formats.get(key);
	if (!f) formats.set(key, f = new Intl.DateTimeFormat(lang, how));
	return f.format(at);
}

/** @param {number} n */
export const number = (n) => decimal(Number(n));

/** Bytes, in steps of 1000. @param {number} n @param {string} [after] */
export function bytes(n, after = "") {
	const units = ["B", "kB", "MB", "GB", "TB", "PB"];
	let i = 0;
	for (n = Number(n) || 0; n >= 999.5 && i < units.length - 1; i++) n /= 1000;
	const digits = i === 0 || n >= 99.5 ? 0 : 1;
	return decimal(n, digits) + " " + units[i] + after;
}

/** Bits a second. @param {number} bytes_s */
export function rate(bytes_s) {
	const units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
	let n = bytes_s * 8, i = 0;
	for (; n >= 999.5 && i < units.length - 1; i++) n /= 1000;
	const digits = i === 0 || n >= 99.5 ? 0 : 1;
	return decimal(n, digits) + " " + units[i];
}

/** How long: the two largest units. @param {number} s */
export function span(s) {
	/** @type {[number, Word][]} */
	const units = [[86400, "unit.d"], [3600, "unit.h"], [60, "unit.m"], [1, "unit.s"]];
	s = Math.max(0, Math.floor(s));
	const at = Math.max(0, units.findIndex(([n]) => s >= n));
	const i = s === 0 ? 3 : at;
	const [n, name] = units[i];
	const rest = i < 3 ? Math.floor((s % n) / units[i + 1][0]) : 0;
	return Math.floor(s / n) + t(name) + (rest ? " " + rest + t(units[i + 1][1]) : "");
}

/** A moment in full, with its zone. @param {number} ms */
export const exact = (ms) => date(ms, { dateStyle: "full", timeStyle: "long" });

/** Hours and minutes of a moment. @param {number} ms */
export const clock = (ms) => date(ms, { timeStyle: "short" });

/** The day of a moment. @param {number} ms */
export const day = (ms) => date(ms, { dateStyle: "medium" });

/** A moment: the time today, else the date too. @param {number} ms */
export function moment(ms) {
	const d = new Date(ms);
	const isToday = d.toDateString() === new Date().toDateString();
	return date(d, isToday ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" });
}
