// SPDX-License-Identifier: Apache-2.0
// The frame: which page, the way to the others, and whether there is a connection.
import { html, render, useEffect, useRef, useState } from "./vendor.js";
import { Refused } from "./api.js";
import { begin, bus, changed, isMissing, useStore } from "./store.js";
import { exact, language, languages, plain, setLanguage, t, word } from "./i18n.js";
import { go, to, usePath } from "./prefs.js";
import { Overview } from "./views/overview.js";
import { Log } from "./views/log.js";
import { Help, keys } from "./views/help.js";
import { Login } from "./views/login.js";
import { Proof } from "./views/proof.js";

/** How the modules of the other pages come. @type {(() => Promise<any>)[]} */
const more = [];
const idle = globalThis.requestIdleCallback ?? ((/** @type {() => void} */ fn) => setTimeout(fn, 200));

/** All of them, for when the line is broken and for who is quick; not before the first one is seen. */
function fetchMore() {
	idle(() => more.splice(0).forEach((get) => get()));
}

/**
 * A page whose module comes when it is wanted, and else once the first one is there.
 * @param {() => Promise<any>} load @param {string} name  what it exports
 */
function later(load, name) {
	/** @type {any} */
	let Page = null;
	/** @type {Promise<any>|null} */
	let coming = null;
	const get = () => coming ??= load().then((m) => {
		Page = m[name];
		changed();
	}, () => {
		coming = null;	// a line that breaks: asked for again by the next look
	});
	more.push(get);
	return (/** @type {any} */ props) => {
		if (Page) return html`<${Page} ...${props}/>`;
		get();
		return html`<p class="quiet" role="status">${t("loading")}</p>`;
	};
}

const Peers = later(() => import("./views/peers.js"), "Peers");
const Peer = later(() => import("./views/peer.js"), "Peer");
const Realms = later(() => import("./views/realms.js"), "Realms");
const Hub = later(() => import("./views/hub.js"), "Hub");
const Capture = later(() => import("./views/capture.js"), "Capture");
const Access = later(() => import("./views/access.js"), "Access");
const Connect = later(() => import("./views/connect.js"), "Connect");
const Settings = later(() => import("./views/settings.js"), "Settings");

/** Pages, in the order of the menu. @type {Record<string, (...parts: string[]) => any>} */
const pages = {
	overview: () => html`<${Overview}/>`,
	peers: (a, b) => b ? html`<${Peer} key=${a + "/" + b} realm=${a} name=${b}/>` : html`<${Peers} state=${a}/>`,
	realms: (name) => html`<${Realms} name=${name}/>`,
	hub: (realm) => html`<${Hub} realm=${realm}/>`,
	log: () => html`<${Log}/>`,
	capture: (a, b) => html`<${Capture} key=${a + "/" + b} realm=${a} peer=${b}/>`,
	access: (a, b) => html`<${Access} key=${a + "/" + b} realm=${a} peer=${b}/>`,
	connect: (a, b) => html`<${Connect} realm=${a} peer=${b}/>`,
	settings: () => html`<${Settings}/>`,
};

const title = (/** @type {string} */ page) => t(/** @type {any} */ ("nav." + page));

/** Says that what is shown is old. */
function Banner() {
	const s = useStore();
	if (s.link === "live") return html`<div role="status" class="banner-place"></div>`;
	return html`<div role="status" class="banner-place"><p class="banner">
		<span aria-hidden="true">▲</span> ${s.link === "start" ? t("loading") :
		s.heardAt ? t("lost.since", { when: exact(s.heardAt) }) : t("lost")}
		${s.why instanceof Refused && html` <span>${plain(s.why.message)} ${plain(s.why.hint)}</span>`}
		${s.link === "lost" && html` <button type="button" onClick=${() => bus.wake()}>${t("lost.again")}</button>`}</p></div>`;
}

/** @param {{page: string, onHelp: () => void}} props */
function Menu({ page, onHelp }) {
	const s = useStore();
	const bad = [...s.peers.values()].filter(isMissing).length;
	const next = language() === "en" ? "ja" : "en";
	return html`<header class="top"><a class="skip" href="#main" onClick=${(/** @type {Event} */ e) => {
			e.preventDefault();
			document.getElementById("main").focus();
		}}>${t("skip")}</a>
		<strong class="name">tapir</strong>
		<nav aria-label=${t("menu")}><ul>${Object.keys(pages).map((p) => html`<li key=${p}>
			<a href=${to(p)} aria-current=${p === page ? "page" : undefined}>${title(p)}${p === "overview" && bad > 0 &&
				html` <span class="badge" title=${t("att.title")}>${bad}</span>`}</a></li>`)}</ul></nav>
		<span class="quiet">${s.who && t("user.as", { user: s.who.user, role: word("role", s.who.role) })}</span>
		<button type="button" class="plain" onClick=${onHelp} title=${t("help.title") + " (?)"}>${t("help.title")}</button>
		<button type="button" class="plain" lang=${next} onClick=${() => setLanguage(next)}>${languages[next]}</button></header>`;
}

/** g and a letter go to a page, / goes to the filter, ? explains. @param {() => void} onHelp */
function useKeys(onHelp) {
	useEffect(() => {
		let isG = false;
		const fn = (/** @type {KeyboardEvent} */ e) => {
			const at = /** @type {HTMLElement} */ (e.target);
			if (e.ctrlKey || e.altKey || e.metaKey || at.closest("input, select, textarea, dialog")) return;
			const page = keys[/** @type {keyof typeof keys} */ (e.key)];
			if (isG && page) {
				e.preventDefault();
				go(page);
			} else if (e.key === "?") {
				onHelp();
			} else if (e.key === "/") {
				/** @type {HTMLElement} */
				const field = document.querySelector("input[type=search]");
				if (!field) return;
				e.preventDefault();
				field.focus();
			}
			isG = e.key === "g" && !isG;
		};
		addEventListener("keydown", fn);
		return () => removeEventListener("keydown", fn);
	}, []);
}

function App() {
	const s = useStore();
	const [first = "overview", ...rest] = usePath();
	const page = first in pages ? first : "overview";
	const main = useRef(/** @type {HTMLElement} */ (null));
	const wasAt = useRef("");
	// what a field of the page chooses is not another page: the focus stays there
	const isSame = page === "hub" || page === "connect" || (page === "peers" && rest.length < 2);
	const where = isSame ? page : [page, ...rest].join("/");
	const [isHelp, help] = useState(false);
	useKeys(() => help(true));
	useEffect(() => help(false), [where]);
	useEffect(() => {
		document.title = s.link === "login" ? "tapir" : `${rest.at(-1) ? rest.at(-1) + " – " : ""}${title(page)} – tapir`;
		// a new page begins at its top, for readers too
		document.querySelector(".top [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
		if (wasAt.current && wasAt.current !== where) {
			main.current?.focus();
			scrollTo(0, 0);
		}
		wasAt.current = where;
	});
	const isSeen = s.daemon !== null || s.link === "login" || s.link === "lost";
	useEffect(() => { if (isSeen) fetchMore(); }, [isSeen]);
	if (s.link === "login") return html`<${Login}/>`;
	return html`<${Menu} page=${page} onHelp=${() => help(true)}/><${Banner}/>
		<main id="main" tabindex="-1" ref=${main}>${pages[page](...rest)}</main><${Proof}/>
		${isHelp && html`<${Help} onClose=${() => help(false)}/>`}`;
}

const place = document.getElementById("app");
place.replaceChildren();
render(html`<${App}/>`, place);
begin();
