// SPDX-License-Identifier: Apache-2.0
// What the pages, signs and keys mean.
import { html } from "../vendor.js";
import { t } from "../i18n.js";
import { Dialog, Facts, Link, State } from "../parts.js";

/** Keys that go to a page: g, then one of these. */
export const keys = { o: "overview", p: "peers", r: "realms", h: "hub", l: "log", c: "capture", a: "access",
	s: "settings", v: "connect" };

export const Keys = () => html`<${Facts} rows=${[
	...Object.entries(keys).map(([k, page]) => [html`<kbd>g</kbd> <kbd>${k}</kbd>`, t(/** @type {any} */ ("nav." + page))]),
	[html`<kbd>/</kbd>`, t("filter")], [html`<kbd>?</kbd>`, t("help.title")], [html`<kbd>Esc</kbd>`, t("close")]]}/>`;

/** @param {{onClose: () => void}} props */
export const Help = ({ onClose }) => html`<${Dialog} title=${t("help.title")} onClose=${onClose}>
	<h3>${t("help.pages")}</h3><dl class="pages">${Object.values(keys).map((page) => html`<div key=${page}>
		<dt><${Link} to=${[page]}>${t(/** @type {any} */ ("nav." + page))}<//></dt><dd>${t(/** @type {any} */ ("lead." + page))}</dd></div>`)}</dl>
	<h3>${t("help.signs")}</h3><p class="row">${["up", "connecting", "suspect", "down", "blocked"].map((is) => html`
		<${State} key=${is} is=${is}/>`)}</p>
	<h3>${t("help.keys")}</h3><${Keys}/>
	<p>${t("help.more")}</p><//>`;
